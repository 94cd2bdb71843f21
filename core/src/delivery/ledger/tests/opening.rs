//! What an opening finds, whatever came before it.

use super::*;

fn open_with(store: &MemoryStore, queues: &[(&str, u32)], default: usize) -> (Ledger, Opened) {
    Ledger::open(Arc::new(store.clone()), FOR_EVER, &names(queues), default).unwrap()
}

fn ids(opened: &Opened) -> Vec<u32> {
    opened.queues.iter().map(|queue| queue.id).collect()
}

#[test]
fn a_new_store_is_empty_and_has_a_key_of_its_own() {
    let store = MemoryStore::new();
    let (_, first) = open(&store, FOR_EVER);
    assert_eq!((first.last_seq, first.clock_ms, first.pending, ids(&first)), (0, 0, 0, vec![1, 2]));
    assert_ne!(first.hash_key, [0; 16]);
    let (_, again) = open(&store, FOR_EVER);
    assert_eq!(first, again);
    assert_ne!(open(&MemoryStore::new(), FOR_EVER).1.hash_key, first.hash_key);
}

#[test]
fn what_was_stored_is_there_again() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    store_all(&ledger, 77, [1, 2, 5, 6], &[1, 2]);
    change(&ledger, 70, &[done(1, 6), dead(2, 6)]);
    let counts = ledger.counts();
    let (ledger, opened) = open(&store, FOR_EVER);
    assert_eq!((opened.pending, opened.last_seq, opened.clock_ms), (6, 6, 77));
    let lanes = [LaneCount { lane: 1, count: 2, last_seq: 5 }, LaneCount { lane: 2, count: 1, last_seq: 2 }];
    assert_eq!(opened.queues[0].lanes, lanes);
    let lanes = [LaneCount { lane: 0, count: 1, last_seq: 2 }, LaneCount { lane: 1, count: 2, last_seq: 5 }];
    assert_eq!(opened.queues[1].lanes, lanes);
    assert_eq!((ledger.counts(), waiting(&ledger, 1, 4)), (counts, vec![1, 2, 5]));
}

#[test]
fn numbers_never_go_back() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, LedgerOptions { retention_ms: 0, ..FOR_EVER });
    store_all(&ledger, 1, [41], &[1]);
    change(&ledger, 2, &[done(1, 41)]);
    change(&ledger, 3, &[]);
    assert_eq!(rows(&store, Table::Messages), 0);
    assert_eq!(open(&store, FOR_EVER).1.last_seq, 41, "nor when nothing is left of the highest");
    ledger.commit(&Group { last_seq: 50, ..group(3, &[]) }).unwrap();
    ledger.commit(&Group { last_seq: 45, ..group(3, &[]) }).unwrap();
    assert_eq!(open(&store, FOR_EVER).1.last_seq, 50, "nor when it was given to what is not stored");
    ledger.commit(&Group { quarantined: vec![entry(60, StoredBody::Own(b""))], ..group(3, &[]) }).unwrap();
    assert_eq!(open(&store, FOR_EVER).1.last_seq, 60);
}

#[test]
fn the_clock_never_goes_back_unless_it_is_dropped() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    change(&ledger, 500, &[]);
    change(&ledger, 400, &[]);
    assert_eq!(open(&store, FOR_EVER).1.clock_ms, 500);
    ledger.drop_clock();
    change(&ledger, 400, &[]);
    assert_eq!(open(&store, FOR_EVER).1.clock_ms, 400);
}

#[test]
fn what_a_newer_version_has_written_is_left_alone() {
    let store = MemoryStore::new();
    open(&store, FOR_EVER);
    store.write(&mut |writer| writer.insert(Table::Meta, b"version", &[2])).unwrap();
    let error = Ledger::open(Arc::new(store.clone()), FOR_EVER, &[], 0).err().unwrap();
    assert_eq!(error.kind, StoreErrorKind::Version);
    for damaged in [&[0][..], &[], &[1, 1, 1]] {
        store.write(&mut |writer| writer.insert(Table::Meta, b"version", damaged)).unwrap();
        let opened = Ledger::open(Arc::new(store.clone()), FOR_EVER, &[], 0);
        assert_eq!(opened.err().map(|error| error.kind), (damaged.len() < 2).then_some(StoreErrorKind::Corrupt));
    }
    store.write(&mut |writer| writer.remove(Table::Meta, b"version").map(drop)).unwrap();
    let error = Ledger::open(Arc::new(store), FOR_EVER, &[], 0).err().unwrap();
    assert_eq!(error.kind, StoreErrorKind::Corrupt, "rows without a version");
}

#[test]
fn an_id_belongs_to_its_name_for_ever() {
    let store = MemoryStore::new();
    open_with(&store, &[("a", 4), ("b", 2)], 0);
    assert_eq!(ids(&open_with(&store, &[("b", 2), ("c", 1)], 0).1), [2, 3]);
    assert_eq!(ids(&open_with(&store, &[("d", 2), ("a", 4)], 0).1), [4, 1]);
    let (ledger, _) = open_with(&store, &[("a", 4)], 0);
    assert_eq!((ledger.queue_id("e", 3).unwrap(), ledger.queue_id("e", 3).unwrap()), (5, 5));
    assert_eq!(ledger.queue_id("b", 2).unwrap(), 2);
    assert_eq!(ids(&open_with(&store, &[("f", 2)], 0).1), [5], "what no commit has written was nobody's");
    let (ledger, _) = open_with(&store, &[("a", 4)], 0);
    assert_eq!(ledger.queue_id("g", 3).unwrap(), 6);
    change(&ledger, 1, &[]);
    assert_eq!(ids(&open_with(&store, &[("h", 2), ("g", 3)], 0).1), [7, 6]);
}

#[test]
fn an_id_that_was_given_outlives_a_failed_commit() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    assert_eq!((ledger.queue_id("x", 1).unwrap(), ledger.queue_id("y", 1).unwrap()), (3, 4));
    store.fail_writes(true);
    ledger.commit(&group(1, &[])).unwrap_err();
    store.fail_writes(false);
    let opened = ledger.reopen(&names(&[("a", 4), ("y", 1), ("x", 1)]), 0).unwrap();
    assert_eq!(ids(&opened), [1, 4, 3]);
    assert_eq!(ids(&open_with(&store, &[("x", 1), ("y", 1), ("z", 1)], 0).1), [3, 4, 5]);
}

#[test]
fn a_queue_without_lanes_of_its_own_time_is_dealt_out_anew() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    store_all(&ledger, 1, 1..=3_000, &[1]);
    change(&ledger, 2, &[Change::State { queue: 1, lane: 3, seq: 7, attempt: 2, failures: 1, due: 9 }]);
    let (ledger, opened) = open_with(&store, &[("a", 7), ("b", 2)], 0);
    assert_eq!((opened.pending, opened.queues[0].lanes.len()), (3_000, 7));
    assert_eq!(opened.queues[0].lanes[6], LaneCount { lane: 6, count: 428, last_seq: 2_995 });
    for lane in 0..7 {
        let found = ledger.deliveries(1, lane, 0, u64::MAX, 9_999, usize::MAX).unwrap();
        assert!(found.iter().all(|row| row.seq % 7 == u64::from(lane)) && found.is_sorted_by_key(|row| row.seq));
    }
    assert_eq!(ledger.delivery(1, 7).unwrap(), Some((0, DeliveryState { attempt: 2, failures: 1, due: 9 })));
    assert_eq!(open_with(&store, &[("a", 4), ("b", 2)], 0).1.queues[0].lanes.len(), 4);
}

/// A store that dies after so many transactions.
struct Dying(MemoryStore, std::sync::atomic::AtomicI64);

impl Store for Dying {
    fn write(&self, changes: &mut dyn FnMut(&mut dyn Writer) -> Result<(), StoreError>) -> Result<(), StoreError> {
        if self.1.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) <= 0 {
            return Err(StoreError::new(StoreErrorKind::Io, "dead"));
        }
        self.0.write(changes)
    }

    fn read(&self, look: &mut dyn FnMut(&dyn Reader) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.0.read(look)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn close(&self) {}

    fn free_bytes(&self) -> Option<u64> {
        None
    }
}

/// However far an opening came that moves rows of a queue with other lanes and of one that is gone: the next goes on
/// from there, also if the configuration is another again.
#[test]
fn an_opening_that_dies_is_gone_on_from() {
    for again in [&[("a", 3)][..], &[("a", 4), ("b", 2)], &[("b", 5), ("a", 9)]] {
        for transactions in 0..9 {
            let store = MemoryStore::new();
            let (ledger, _) = open(&store, FOR_EVER);
            store_all(&ledger, 1, 1..=1_500, &[1]);
            store_all(&ledger, 1, 1_501..=3_000, &[2]);
            let dying = Arc::new(Dying(store.clone(), transactions.into()));
            let died = Ledger::open(dying, FOR_EVER, &names(&[("a", 3)]), 0).is_err();
            assert_eq!(died, transactions < 6, "two that say so, two for each queue");
            let (ledger, opened) = open_with(&store, again, 0);
            assert_eq!(opened.pending, 3_000);
            let mut found = vec![];
            for (queue, (_, lanes)) in opened.queues.iter().zip(again) {
                for lane in 0..*lanes {
                    let rows = ledger.deliveries(queue.id, lane, 0, u64::MAX, 9_999, usize::MAX).unwrap();
                    assert!(rows.iter().all(|row| row.seq % u64::from(*lanes) == u64::from(lane)));
                    found.extend(rows.iter().map(|row| row.seq));
                }
            }
            found.sort_unstable();
            assert!(found.into_iter().eq(1..=3_000));
        }
    }
}

#[test]
fn what_a_queue_that_is_gone_has_left_goes_to_the_default_queue() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    store_all(&ledger, 1, [1, 2], &[2]);
    store_all(&ledger, 1, [3, 4], &[1, 2]);
    store_all(&ledger, 1, [5], &[1]);
    let state = Change::State { queue: 1, lane: lane(1, 3), seq: 3, attempt: 1, failures: 0, due: 0 };
    change(&ledger, 2, &[done(1, 4), dead(2, 2), state]);
    let (ledger, opened) = open_with(&store, &[("c", 1), ("a", 3)], 1);
    assert_eq!((opened.pending, opened.queues[0].lanes.len()), (4, 0));
    let mut seen = vec![];
    for lane in 0..3 {
        for row in ledger.deliveries(1, lane, 0, 99, 99, 999).unwrap() {
            seen.push((row.seq, row.attempt, row.message.flags & QUEUE_GONE > 0));
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, [(1, 0, true), (3, 1, true), (4, 0, true), (5, 0, false)]);
    let dead_letters = ledger.dead_letters(None, 9).unwrap();
    assert_eq!((&*dead_letters[0].queue_name, dead_letters[0].message.seq), ("b", 2), "it died there");
    let log = ledger.log(&Bounds::default(), 0, 9).unwrap();
    let queues: Vec<_> = log.iter().map(|logged| logged.queues.clone()).collect();
    let (moved, both) = (vec![(2, false), (1, true)], vec![(1, true), (2, false)]);
    assert_eq!(queues, [moved, vec![(2, false)], both.clone(), both, vec![(1, true)]]);
    // Each is consumed by its one delivery that is left.
    let acks = [1, 3, 4, 5].map(|seq| Change::Done { queue: 1, lane: (seq % 3) as u32, seq });
    change(&ledger, 3, &acks);
    ledger.set_options(LedgerOptions { retention_ms: 0, ..FOR_EVER });
    change(&ledger, 4, &[]);
    assert_eq!(logged(&ledger), [2]);
}

#[test]
fn a_message_may_die_twice_in_the_queue_that_inherits_it() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    store_all(&ledger, 1, [3], &[1, 2]);
    change(&ledger, 2, &[dead(1, 3)]);
    let (ledger, _) = open_with(&store, &[("a", 4)], 0);
    change(&ledger, 3, &[dead(1, 3)]);
    let dead_letters = ledger.dead_letters(None, 9).unwrap();
    assert_eq!((dead_letters.len(), dead_letters[0].died_at, dead_letters[0].message.flags), (1, 3, QUEUE_GONE));
    assert_eq!(ledger.counts().dead_letters, 1);
    change(&ledger, 4, &[Change::DeadLeft { queue: 1, seq: 3 }]);
    ledger.set_options(LedgerOptions { retention_ms: 0, ..FOR_EVER });
    change(&ledger, 5, &[]);
    assert_eq!((ledger.counts(), rows(&store, Table::Consumed)), (LedgerCounts::default(), 0));
}

#[test]
fn a_queue_that_comes_back_with_other_lanes_has_both_until_the_next_opening() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    store_all(&ledger, 1, [5], &[2]);
    assert_eq!(ledger.queue_id("b", 3).unwrap(), 2);
    let mut new = message(7, &[], StoredBody::Own(b""));
    new.queues = vec![(2, 1)];
    ledger.commit(&Group { messages: vec![new], ..group(1, &[]) }).unwrap();
    assert_eq!(ledger.delivery(2, 5).unwrap().unwrap().0, 1);
    assert_eq!(ledger.delivery(2, 7).unwrap().unwrap().0, 1);
    let (ledger, _) = open_with(&store, &[("a", 4), ("b", 3)], 0);
    assert_eq!(ledger.delivery(2, 5).unwrap().unwrap().0, 2);
    assert_eq!(waiting(&ledger, 2, 3), [5, 7]);
}
