//! What a commit does, what can be read of it, and what happens when it fails.

use super::*;

#[test]
fn a_message_is_read_as_it_was_stored() {
    let (store, note) =
        (MemoryStore::new(), DeadNote { queue: "x".to_owned(), reason: "nack".to_owned(), attempts: 20 });
    let (ledger, _) = open(&store, FOR_EVER);
    let mut new = message(9, &[1], StoredBody::Own(b"{}"));
    new.record = Record { item: Some(2), tag: Some(5), flags: 3, dead: Some(note.clone()), ..record(9) };
    ledger.commit(&Group { messages: vec![new], ..group(1, &[]) }).unwrap();
    let found = ledger.deliveries(1, 1, 0, 9, 64, 999).unwrap();
    let message = StoredMessage {
        seq: 9,
        item: Some(2),
        received_at: 90,
        endpoint: "default".to_owned(),
        tag: Some(5),
        flags: 3,
        origin_seq: None,
        dead: Some(note),
        body: "{}".into(),
    };
    assert_eq!(found, [StoredDelivery { seq: 9, attempt: 0, failures: 0, due: 0, message }]);
}

#[test]
fn deliveries_are_bounded_by_numbers_count_and_bytes() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    store_all(&ledger, 1, (1..=10).map(|n| n * 4), &[1]);
    let seqs = |after, up_to, max, bytes| {
        let found = ledger.deliveries(1, 0, after, up_to, max, bytes).unwrap();
        found.iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(8, 20, 64, 999), [12, 16, 20]);
    assert_eq!(seqs(0, 40, 2, 999), [4, 8]);
    assert_eq!(seqs(0, 40, 64, 15), [4, 8]);
    assert_eq!(seqs(0, 40, 64, 0), [4]);
    assert_eq!(seqs(40, 40, 64, 999), [0_u64; 0]);
    assert_eq!(seqs(u64::MAX, u64::MAX, 64, 999), [0_u64; 0]);
    assert_eq!(seqs(36, u64::MAX, 64, 999), [40]);
}

#[test]
fn a_state_is_kept_and_found_without_its_lane() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    store_all(&ledger, 1, [7], &[1, 2]);
    change(&ledger, 2, &[Change::State { queue: 1, lane: 3, seq: 7, attempt: 2, failures: 1, due: 99 }]);
    assert_eq!(ledger.delivery(1, 7).unwrap(), Some((3, DeliveryState { attempt: 2, failures: 1, due: 99 })));
    assert_eq!(ledger.delivery(2, 7).unwrap(), Some((1, DeliveryState::default())));
    assert_eq!((ledger.delivery(3, 7).unwrap(), ledger.delivery(1, 8).unwrap()), (None, None));
    change(&ledger, 3, &[done(1, 7)]);
    assert_eq!(ledger.delivery(1, 7).unwrap(), None);
    change(&ledger, 3, &[Change::State { queue: 1, lane: 3, seq: 7, attempt: 3, failures: 1, due: 0 }]);
    assert_eq!(ledger.delivery(1, 7).unwrap(), None, "what is done stays done");
}

#[test]
fn items_of_one_body_share_it() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    let messages = vec![
        message(4, &[1], StoredBody::Own(&[b'x'; 1_000])),
        message(8, &[1], StoredBody::Of(4)),
        message(12, &[1], StoredBody::Of(8)),
    ];
    let quarantined =
        vec![entry(13, StoredBody::Of(4)), entry(14, StoredBody::Own(b"bad")), entry(15, StoredBody::Of(14))];
    ledger.commit(&Group { messages, quarantined, ..group(1, &[]) }).unwrap();
    let found = ledger.deliveries(1, 0, 0, 99, 99, usize::MAX).unwrap();
    assert!(found.iter().all(|row| row.message.body.as_ptr() == found[0].message.body.as_ptr()));
    assert_eq!((found.len(), found[2].message.body.len()), (3, 1_000));
    let entries = ledger.quarantine(0, 99).unwrap();
    let seen: Vec<_> = entries.iter().map(|entry| (entry.seq, entry.body.len(), &*entry.reason)).collect();
    assert_eq!(seen, [(13, 1_000, "foreign"), (14, 3, "foreign"), (15, 3, "foreign")]);
    assert_eq!(ledger.quarantine(13, 1).unwrap()[0].seq, 14);
    let counts = ledger.counts();
    assert_eq!((counts.bodies, counts.live_bytes), (2, 1_003 + 6 * ROW_BYTES));
    assert_eq!((counts.quarantined, counts.quarantine_bytes), (3, 1_003));
}

#[test]
fn a_body_that_nobody_of_the_group_has_is_an_error() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    let messages = vec![message(4, &[1], StoredBody::Of(5)), message(5, &[1], StoredBody::Own(b""))];
    assert_eq!(ledger.commit(&Group { messages, ..group(1, &[]) }).unwrap_err().kind, StoreErrorKind::Corrupt);
}

#[test]
fn dead_letters_are_paged_by_number_and_queue() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    store_all(&ledger, 1, [1, 2], &[1, 2]);
    change(&ledger, 5, &[dead(1, 2), dead(2, 1), dead(2, 2), dead(2, 9)]);
    let all = ledger.dead_letters(None, 99).unwrap();
    let seen: Vec<_> = all.iter().map(|dead| (dead.message.seq, dead.queue, &*dead.queue_name)).collect();
    assert_eq!(seen, [(1, 2, "b"), (2, 1, "a"), (2, 2, "b")]);
    assert_eq!((all[0].died_at, &*all[0].reason, all[0].attempts), (5, "nack", 3));
    assert_eq!(all[0].message.body, &b"0123456789"[..]);
    assert_eq!(ledger.dead_letters(Some((1, 2)), 1).unwrap(), all[1..2]);
    assert_eq!(ledger.dead_letters(Some((2, 1)), 9).unwrap(), all[2..]);
    change(&ledger, 6, &[Change::DeadLeft { queue: 1, seq: 2 }, Change::DeadLeft { queue: 1, seq: 2 }]);
    assert_eq!(ledger.dead_letters(None, 99).unwrap().len(), 2);
    assert_eq!((ledger.counts().dead_letters, ledger.counts().dead_letters_left), (2, 0));
    assert_eq!(waiting(&ledger, 1, 4), [1]);
}

#[test]
fn the_log_says_where_a_message_still_waits() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    store_all(&ledger, 1, [1, 2, 3], &[1, 2]);
    let mut again = message(4, &[1], StoredBody::Own(b""));
    again.record.origin_seq = Some(1);
    let quarantined = vec![entry(5, StoredBody::Own(b"bad"))];
    ledger.commit(&Group { messages: vec![again], quarantined, ..group(2, &[]) }).unwrap();
    change(&ledger, 3, &[done(1, 2), dead(2, 2)]);
    assert_eq!(logged(&ledger), [1, 2, 3], "no repetition, and nothing of the quarantine");
    let page = ledger.log(&Bounds::default(), 1, 1).unwrap();
    assert_eq!((page[0].message.seq, &page[0].queues[..]), (2, &[(1, false), (2, false)][..]));
    let bounds = Bounds { from_seq: 2, to_ms: 20, ..Bounds::default() };
    let found = ledger.log(&bounds, 0, 9).unwrap();
    assert_eq!(found.iter().map(|logged| logged.message.seq).collect::<Vec<_>>(), [2], "bounds are included");
    assert!(ledger.log(&Bounds { from_seq: 5, to_seq: 2, ..bounds }, 0, 9).unwrap().is_empty());
}

#[test]
fn keys_come_by_number_over_both_windows() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    let mut wanted = vec![];
    let mut messages = vec![];
    for seq in 1..=10_000_u64 {
        // A stretch of one window is longer than what is read at a time.
        let window = if seq < 6_000 && seq % 7 > 0 { Window::Terminal } else { Window::Webhook };
        let row = KeyRow { hash: u128::from(seq) << 90 | 1, digest: seq, first_at: seq + 5, seq };
        messages.push(NewMessage { key: Some((window, row)), ..message(seq, &[1], StoredBody::Own(b"")) });
        wanted.push((window, row));
    }
    ledger.commit(&Group { messages, ..group(1, &[]) }).unwrap();
    let mut found = vec![];
    ledger.for_each_key(&mut |window, row| found.push((window, row))).unwrap();
    assert!(found == wanted);
}

#[test]
fn a_failed_commit_latches_until_it_is_opened_again() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    store_all(&ledger, 1, [1], &[1]);
    store.fail_writes(true);
    let failed = ledger.commit(&Group { last_seq: 8, ..group(2, &[done(1, 1)]) }).unwrap_err();
    store.fail_writes(false);
    assert!(ledger.is_latched());
    assert_eq!(ledger.commit(&group(2, &[])).unwrap_err(), failed);
    assert_eq!(ledger.deliveries(1, 1, 0, 9, 9, 9).unwrap_err(), failed);
    let opened = ledger.reopen(&names(&[("a", 4), ("b", 2)]), 0).unwrap();
    assert_eq!((opened.pending, opened.last_seq), (1, 8), "numbers of a failed group are never used again");
    assert!(!ledger.is_latched());
    change(&ledger, 3, &[done(1, 1)]);
    assert!(waiting(&ledger, 1, 4).is_empty());
}

#[test]
fn a_failed_commit_that_is_there_after_all_counts() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    store.fail_writes(true);
    store.keep_failed_writes(true);
    let messages = vec![message(5, &[1], StoredBody::Own(b"body"))];
    ledger.commit(&Group { messages, ..group(2, &[]) }).unwrap_err();
    store.fail_writes(false);
    assert_eq!(ledger.counts().bodies, 0);
    let opened = ledger.reopen(&names(&[("a", 4), ("b", 2)]), 0).unwrap();
    let lanes = vec![LaneCount { lane: 1, count: 1, last_seq: 5 }];
    assert_eq!((opened.pending, opened.last_seq, &opened.queues[0].lanes), (1, 5, &lanes));
    assert_eq!((ledger.counts().bodies, waiting(&ledger, 1, 4)), (1, vec![5]));
}

/// A store whose writers fall over.
struct Falling(MemoryStore, std::sync::atomic::AtomicBool);

impl Store for Falling {
    fn write(&self, changes: &mut dyn FnMut(&mut dyn Writer) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.0.write(&mut |writer| {
            changes(writer)?;
            assert!(!self.1.load(std::sync::atomic::Ordering::SeqCst), "it falls");
            Ok(())
        })
    }

    fn read(&self, look: &mut dyn FnMut(&dyn Reader) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.0.read(look)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        self.0.reopen()
    }

    fn close(&self) {
        self.0.close();
    }

    fn free_bytes(&self) -> Option<u64> {
        Some((64 << 20) + 200)
    }
}

#[test]
fn a_panic_in_a_transaction_latches() {
    let store = Arc::new(Falling(MemoryStore::new(), false.into()));
    let (ledger, _) = Ledger::open(store.clone(), FOR_EVER, &names(&[("a", 4)]), 0).unwrap();
    store.1.store(true, std::sync::atomic::Ordering::SeqCst);
    let commit = std::panic::AssertUnwindSafe(|| ledger.commit(&group(1, &[])));
    assert!(std::panic::catch_unwind(commit).is_err());
    store.1.store(false, std::sync::atomic::Ordering::SeqCst);
    assert!(ledger.is_latched());
    assert_eq!(ledger.commit(&group(1, &[])).unwrap_err().kind, StoreErrorKind::Io);
    ledger.reopen(&names(&[("a", 4)]), 0).unwrap();
    change(&ledger, 1, &[]);
}

#[test]
fn whoever_finds_it_half_done_latches_it() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    ledger.latch();
    assert!(ledger.is_latched() && ledger.commit(&group(1, &[])).is_err());
}

#[test]
fn a_closed_store_takes_nothing() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    ledger.close();
    assert_eq!(ledger.commit(&group(1, &[])).unwrap_err().kind, StoreErrorKind::Closed);
}

#[test]
fn room_is_what_is_left_of_the_bound_and_of_the_disk() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, LedgerOptions { max_bytes: 1_000, ..FOR_EVER });
    assert!(ledger.has_room(1_000) && !ledger.has_room(1_001) && !ledger.has_room(u64::MAX));
    store_all(&ledger, 1, [1], &[1]);
    let left = 1_000 - 10 - ROW_BYTES;
    assert!(ledger.has_room(left) && !ledger.has_room(left + 1));
    ledger.set_options(FOR_EVER);
    assert!(ledger.has_room(left + 1));

    let disk = Arc::new(Falling(MemoryStore::new(), false.into()));
    let (ledger, _) = Ledger::open(disk, FOR_EVER, &names(&[("a", 4)]), 0).unwrap();
    assert!(ledger.has_room(100) && !ledger.has_room(101), "twice the bytes, and a reserve");
}

#[test]
fn an_ack_of_the_only_delivery_looks_at_no_message() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, FOR_EVER);
    store_all(&ledger, 1, [1], &[1]);
    // If it looked, it would see that this is no message.
    store.write(&mut |writer| writer.insert(Table::Messages, &1_u64.to_be_bytes(), b"?")).unwrap();
    change(&ledger, 2, &[done(1, 1)]);
    assert_eq!(rows(&store, Table::Deliveries), 0);
}
