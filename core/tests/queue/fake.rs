//! A backlog in memory that can fail, and that says what a store would be told.

use crate::Message;
use nexowire_core::queue::{Backlog, Change, Fate, Queue, QueueOptions, Stored, Unavailable};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Attempt, failures, end of the delay.
pub(crate) type State = (u32, u32, u64);

/// Rows by lane and number.
#[derive(Default)]
pub(crate) struct Fake {
    rows: Mutex<BTreeMap<(u32, u64), State>>,
    fails: AtomicBool,
    /// The most that one reading answers; 0 is no bound.
    at_most: AtomicUsize,
    pub(crate) reads: AtomicUsize,
}

impl Fake {
    pub(crate) fn insert(&self, lane: u32, seq: u64) {
        self.put(lane, seq, (0, 0, 0));
    }

    pub(crate) fn put(&self, lane: u32, seq: u64, state: State) {
        self.rows.lock().unwrap().insert((lane, seq), state);
    }

    pub(crate) fn get(&self, lane: u32, seq: u64) -> Option<State> {
        self.rows.lock().unwrap().get(&(lane, seq)).copied()
    }

    pub(crate) fn find(&self, seq: u64) -> Option<(u32, State)> {
        self.rows.lock().unwrap().iter().find(|(key, _)| key.1 == seq).map(|(key, state)| (key.0, *state))
    }

    pub(crate) fn set_fails(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    pub(crate) fn set_at_most(&self, at_most: usize) {
        self.at_most.store(at_most, Ordering::Relaxed);
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.lock().unwrap().len()
    }

    /// Numbers of a lane.
    pub(crate) fn lane(&self, lane: u32) -> Vec<u64> {
        self.rows.lock().unwrap().range((lane, 0)..=(lane, u64::MAX)).map(|(key, _)| key.1).collect()
    }

    /// Writes what has changed, as a commit does.
    pub(crate) fn apply(&self, changes: &[Change]) {
        let mut rows = self.rows.lock().unwrap();
        for change in changes {
            let key = (change.lane, change.seq);
            match change.fate {
                Fate::State { attempt, failures, due } => {
                    rows.insert(key, (attempt, failures, due)).expect("a row");
                }
                _ => {
                    rows.remove(&key).expect("a row");
                }
            }
        }
    }

    /// What an opening finds: of each lane the count and the highest number that it may have.
    pub(crate) fn counts(&self, lanes: u32, last: u64) -> Vec<(u32, u64, u64)> {
        (0..lanes).map(|lane| (lane, self.lane(lane).len() as u64, last)).collect()
    }
}

impl Backlog<Message> for Fake {
    fn read(&self, lane: u32, after: u64, up_to: u64, max: usize) -> Result<Vec<Stored<Message>>, Unavailable> {
        assert!(after < up_to && max > 0);
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            return Err(Unavailable);
        }
        let max = match self.at_most.load(Ordering::Relaxed) {
            0 => max,
            at_most => max.min(at_most),
        };
        let rows = self.rows.lock().unwrap();
        let rows = rows.range((lane, after + 1)..=(lane, up_to)).take(max);
        let stored =
            rows.map(|(key, &(attempt, failures, due))| Stored { item: Message(key.1), attempt, failures, due });
        Ok(stored.collect())
    }
}

/// A queue over a fake backlog.
pub(crate) fn over(options: QueueOptions) -> (Queue<Message>, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    (Queue::with_backlog(options, Arc::clone(&fake) as Arc<dyn Backlog<Message>>), fake)
}

/// Stores messages and publishes them.
pub(crate) fn publish(queue: &Queue<Message>, fake: &Fake, lane: u32, seqs: impl IntoIterator<Item = u64>) {
    for seq in seqs {
        let reservation = queue.reserve(lane).unwrap();
        fake.insert(lane, seq);
        reservation.publish(0, Message(seq));
    }
}

/// Takes what has changed, writes it, and returns it in order.
pub(crate) fn commit(queue: &Queue<Message>, fake: &Fake) -> Vec<(u64, Fate)> {
    let mut changes = Vec::new();
    assert_eq!(queue.take_changes(&mut changes), changes.len());
    fake.apply(&changes);
    changes.sort_by_key(|change| change.seq);
    changes.into_iter().map(|change| (change.seq, change.fate)).collect()
}
