//! Random groups, changes, failures and openings: the ledger answers what the plain model answers.

use std::sync::atomic::{AtomicU8, Ordering};

use proptest::prelude::*;

use super::model::Model;
use super::*;

const OPTIONS: LedgerOptions = LedgerOptions {
    retention_ms: 40,
    dead_letter_retention_ms: 60,
    max_bytes: 16 * ROW_BYTES,
    quarantine_bytes: 60,
    terminal_window_ms: 30,
    webhook_window_ms: 50,
};

/// Any store, whose next write fails: 1: nothing of it is there, 2: all of it is.
struct Failing {
    inner: Arc<dyn Store>,
    next: AtomicU8,
}

impl Store for Failing {
    fn write(&self, changes: &mut dyn FnMut(&mut dyn Writer) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let error = StoreError::new(StoreErrorKind::Io, "as it was told");
        match self.next.swap(0, Ordering::SeqCst) {
            0 => self.inner.write(changes),
            1 => self.inner.write(&mut |writer| changes(writer).and(Err(error.clone()))),
            _ => self.inner.write(changes).and(Err(error)),
        }
    }

    fn read(&self, look: &mut dyn FnMut(&dyn Reader) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.inner.read(look)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        self.inner.reopen()
    }

    fn close(&self) {
        self.inner.close();
    }

    fn free_bytes(&self) -> Option<u64> {
        self.inner.free_bytes()
    }
}

/// A message or an entry to come.
#[derive(Clone, Debug)]
struct Part {
    is_entry: bool,
    shares: bool,
    length: usize,
    queues: [bool; 3],
    order_hash: u64,
    key: Option<(bool, u64)>,
    repeats: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Commit { parts: Vec<Part>, changes: Vec<(u8, prop::sample::Index)>, later: u64, forget: bool, fails: u8 },
    Open { configuration: usize, same_ledger: bool },
}

fn part() -> impl Strategy<Value = Part> {
    let key = prop::option::of((any::<bool>(), 0..20_u64));
    let bits = (prop::bool::weighted(0.2), prop::bool::weighted(0.3), prop::bool::weighted(0.1));
    (bits, 0..40_usize, any::<[bool; 3]>(), 0..100_u64, key).prop_map(|(bits, length, queues, order_hash, key)| {
        let (is_entry, shares, repeats) = bits;
        Part { is_entry, shares, length, queues, order_hash, key, repeats }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let parts = prop::collection::vec(part(), 0..4);
    let changes = prop::collection::vec((0..7_u8, any::<prop::sample::Index>()), 0..6);
    let fails = prop_oneof![9 => Just(0), 1 => 1..3_u8];
    let commit = (parts, changes, 0..20_u64, prop::bool::weighted(0.1), fails)
        .prop_map(|(parts, changes, later, forget, fails)| Step::Commit { parts, changes, later, forget, fails });
    let open = (0..CONFIGURATIONS.len(), any::<bool>())
        .prop_map(|(configuration, same_ledger)| Step::Open { configuration, same_ledger });
    prop_oneof![8 => commit, 1 => open]
}

const CONFIGURATIONS: [&[(&str, u32)]; 5] = [
    &[("a", 4), ("b", 2), ("c", 1)],
    &[("a", 3), ("b", 2), ("c", 1)],
    &[("b", 2), ("a", 4)],
    &[("c", 5), ("d", 1), ("b", 1)],
    &[("d", 2)],
];

/// A ledger over a store, and the model of it.
struct Pair {
    store: Arc<Failing>,
    ledger: Ledger,
    model: Model,
    queues: Vec<(String, u32)>,
    now: u64,
    seq: u64,
    hash_key: [u8; 16],
}

impl Pair {
    fn new(inner: Arc<dyn Store>) -> Self {
        let store = Arc::new(Failing { inner, next: AtomicU8::new(0) });
        let queues = names(CONFIGURATIONS[0]);
        let (ledger, opened) = Ledger::open(store.clone(), OPTIONS, &queues, 0).unwrap();
        let mut model = Model::new(OPTIONS);
        model.open(&queues);
        Self { store, ledger, model, queues, now: 0, seq: 0, hash_key: opened.hash_key }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Commit { parts, changes, later, forget, fails } => {
                self.now += later;
                let changes: Vec<Change> = changes.iter().filter_map(|(kind, at)| self.choose(*kind, at)).collect();
                self.commit(parts, &changes, *forget, *fails);
            }
            Step::Open { configuration, same_ledger } => {
                self.queues = names(CONFIGURATIONS[*configuration]);
                self.open(*same_ledger);
            }
        }
        self.compare();
    }

    /// Some change of what is there.
    fn choose(&self, kind: u8, at: &prop::sample::Index) -> Option<Change> {
        let model = &self.model;
        let pending: Vec<_> =
            model.pending.keys().map(|(queue, seq)| (*queue, model.lane(*queue, *seq), *seq)).collect();
        if kind < 5 {
            let (queue, lane, seq) = *at.get(pending.get(..).filter(|pending| !pending.is_empty())?);
            let (attempt, failures, due, attempts) = (2, 1, self.now + 5, 9);
            return Some(match kind {
                0 => Change::State { queue, lane, seq, attempt, failures, due },
                1 => Change::Dead { queue, lane, seq, reason: "why".to_owned(), attempts },
                _ => Change::Done { queue, lane, seq },
            });
        }
        if kind == 5 {
            let entries: Vec<u64> = model.entries.keys().copied().collect();
            return (!entries.is_empty()).then(|| Change::QuarantineLeft { seq: *at.get(&entries) });
        }
        let dead: Vec<_> = model.dead.keys().copied().collect();
        (!dead.is_empty()).then(|| at.get(&dead)).map(|(seq, queue)| Change::DeadLeft { queue: *queue, seq: *seq })
    }

    fn commit(&mut self, parts: &[Part], changes: &[Change], forget: bool, fails: u8) {
        let mut bodies = vec![];
        for part in parts {
            self.seq += 1;
            let shared = bodies.last().map(|&(seq, _, _)| seq).filter(|_| part.shares);
            bodies.push((self.seq, vec![self.seq as u8; part.length], shared));
        }
        let forget = if forget { [self.seq / 2, self.seq - self.seq / 4] } else { [0; 2] };
        let mut group = Group { forget_keys_before: forget, last_seq: self.seq, ..group(self.now, changes) };
        for (part, (seq, bytes, shared)) in parts.iter().zip(&bodies) {
            let body = shared.map_or(StoredBody::Own(bytes), StoredBody::Of);
            if part.is_entry {
                group.quarantined.push(entry(*seq, body));
                continue;
            }
            let chosen = self.model.queues.iter().zip(part.queues).filter(|(_, chosen)| *chosen);
            let queues = chosen.map(|((id, lanes), _)| (*id, (part.order_hash % u64::from(*lanes)) as u32)).collect();
            let key = part.key.map(|(webhook, ago)| {
                let row = KeyRow { hash: 1, digest: *seq, first_at: self.now.saturating_sub(ago), seq: *seq };
                (if webhook { Window::Webhook } else { Window::Terminal }, row)
            });
            let record = Record { origin_seq: part.repeats.then_some(1), ..record(*seq) };
            group.messages.push(NewMessage { record, body, order_hash: part.order_hash, queues, key });
        }
        self.store.next.store(fails, Ordering::SeqCst);
        let committed = self.ledger.commit(&group);
        assert_eq!((committed.is_err(), self.ledger.is_latched()), (fails > 0, fails > 0));
        if fails != 1 {
            self.model.commit(&group);
        }
        if let Err(error) = committed {
            assert_eq!(self.ledger.commit(&group), Err(error));
            self.open(true);
        }
    }

    fn open(&mut self, same_ledger: bool) {
        let opened = if same_ledger {
            self.ledger.reopen(&self.queues, 0).unwrap()
        } else {
            let (ledger, opened) = Ledger::open(self.store.clone(), OPTIONS, &self.queues, 0).unwrap();
            self.ledger = ledger;
            opened
        };
        self.model.open(&self.queues);
        // A ledger that lives on remembers the numbers of groups that failed.
        let last_seq = if same_ledger { opened.last_seq.max(self.model.last_seq) } else { self.model.last_seq };
        let pending = self.model.pending.len() as u64;
        assert_eq!((opened.last_seq, opened.clock_ms, opened.pending), (last_seq, self.model.clock, pending));
        assert_eq!(opened.hash_key, self.hash_key);
        for (queue, (id, lanes)) in opened.queues.iter().zip(&self.model.queues) {
            assert_eq!(queue.id, *id);
            let mut wanted: Vec<LaneCount> = vec![];
            for lane in 0..*lanes {
                let rows = self.waiting(*id, lane);
                let last_seq = rows.last().copied().unwrap_or(0);
                wanted.extend((!rows.is_empty()).then_some(LaneCount { lane, count: rows.len() as u64, last_seq }));
            }
            assert_eq!(queue.lanes, wanted);
        }
    }

    /// The numbers that wait in a lane of the model.
    fn waiting(&self, queue: u32, lane: u32) -> Vec<u64> {
        let all = self.model.pending.keys().filter(|(other, _)| *other == queue).map(|(_, seq)| *seq);
        all.filter(|seq| self.model.lane(queue, *seq) == lane).collect()
    }

    fn body(&self, seq: u64) -> &[u8] {
        let owner = self.model.messages.get(&seq).map(|message| message.owner);
        &self.model.bodies[&owner.unwrap_or_else(|| self.model.entries[&seq])].bytes
    }

    fn compare(&self) {
        let (ledger, model) = (&self.ledger, &self.model);
        assert_eq!(ledger.counts(), model.counts());
        for (queue, lanes) in &model.queues {
            for lane in 0..*lanes {
                let found = ledger.deliveries(*queue, lane, 0, u64::MAX, 9_999, usize::MAX).unwrap();
                assert_eq!(found.iter().map(|row| row.seq).collect::<Vec<_>>(), self.waiting(*queue, lane));
                for row in found {
                    let (state, gone) = model.pending[&(*queue, row.seq)];
                    let seen = DeliveryState { attempt: row.attempt, failures: row.failures, due: row.due };
                    assert_eq!((seen, row.message.flags), (state, if gone { QUEUE_GONE } else { 0 }));
                    assert_eq!(row.message.body, self.body(row.seq));
                    assert_eq!(ledger.delivery(*queue, row.seq).unwrap(), Some((lane, state)));
                }
            }
        }
        let dead = ledger.dead_letters(None, 9_999).unwrap();
        let seen =
            dead.iter().map(|row| ((row.message.seq, row.queue), (row.died_at, row.attempts, row.message.flags > 0)));
        assert!(seen.eq(model.dead.iter().map(|(key, row)| (*key, *row))));
        assert!(dead.iter().all(|row| row.message.body == self.body(row.message.seq)));
        assert!(dead.iter().all(|row| row.queue_name == model.names[row.queue as usize - 1]));
        let entries = ledger.quarantine(0, 9_999).unwrap();
        assert!(entries.iter().map(|entry| &entry.seq).eq(model.entries.keys()));
        assert!(entries.iter().all(|entry| entry.body == self.body(entry.seq)));
        let mut keys: Vec<_> = vec![];
        ledger.for_each_key(&mut |window, row| keys.push((row.seq, window as usize, row))).unwrap();
        let wanted = (0..2).flat_map(|at| model.keys[at].values().map(move |row| (row.seq, at, *row)));
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_by_key(|(seq, at, _)| (*seq, *at));
        assert_eq!(keys, wanted);
        self.compare_log();
    }

    fn compare_log(&self) {
        let model = &self.model;
        let found = self.ledger.log(&Bounds::default(), 0, 9_999).unwrap();
        let wanted: Vec<_> = model.messages.iter().filter(|(_, message)| !message.repeats).collect();
        assert_eq!(found.len(), wanted.len());
        for (logged, (seq, message)) in found.iter().zip(wanted) {
            let pending = |queue: &u32| model.pending.contains_key(&(*queue, *seq));
            let mut queues: Vec<_> = message.queues.iter().map(|queue| (*queue, pending(queue))).collect();
            let heir = model.queues[0].0;
            queues.extend((!message.queues.contains(&heir) && pending(&heir)).then_some((heir, true)));
            assert_eq!((logged.message.seq, &logged.queues), (*seq, &queues));
            assert_eq!(logged.message.body, self.body(*seq));
        }
    }
}

/// Takes a store through the steps; it may be any that is empty.
fn hold_against_the_model(store: Arc<dyn Store>, steps: &[Step]) {
    let mut pair = Pair::new(store);
    steps.iter().for_each(|step| pair.step(step));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_ledger_in_memory_is_the_model(steps in prop::collection::vec(step(), 1..60)) {
        hold_against_the_model(Arc::new(MemoryStore::new()), &steps);
    }
}
