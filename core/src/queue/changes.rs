//! What a store has to be told: which deliveries are done, and how often and when the others are to be tried again.
//!
//! Noting costs a push, as almost all that is handed out is acked before anybody asks: what has become of a message is
//! looked up when the notes are taken, and a message that came and went between two takings is only `Done`.

use super::book::{Book, Entry};
use super::wake::lock;
use super::{Item, Queue};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What has become of one delivery since the last [`Queue::take_changes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The lane of the message.
    pub lane: u32,
    /// Its sequence number.
    pub seq: u64,
    /// What has become of it.
    pub fate: Fate,
}

/// What can become of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Acked, or dropped for a newer one.
    Done,
    /// Still to be done.
    State {
        /// How often it has been handed out.
        attempt: u32,
        /// How often that has failed.
        failures: u32,
        /// When its delay ends, in milliseconds of the engine's time; 0 is none.
        due: u64,
    },
    /// It has left for the dead letters; [`Queue::take_dead`] has the message.
    Dead {
        /// The text of the last nack, `nack` or `ack_wait`.
        reason: String,
        /// How often it was handed out.
        attempts: u32,
    },
}

/// The lanes that have something to tell, each once.
#[derive(Default)]
pub(super) struct Changed {
    lanes: Mutex<Vec<u32>>,
    any: AtomicBool,
}

/// The notes of one lane, under its lock.
pub(super) struct Changes {
    lane: u32,
    changed: Arc<Changed>,
    /// Whose state has changed, each once while its entry is marked as noted. Some are done since.
    touched: Vec<u64>,
    done: Vec<u64>,
    dead: Vec<(u64, String, u32)>,
    /// How many changes these are.
    count: usize,
    /// Whether `changed` has this lane.
    is_listed: bool,
    /// Engine time of the first of them.
    since: u64,
}

impl Changed {
    fn push(&self, lane: u32) {
        let mut lanes = lock(&self.lanes);
        lanes.push(lane);
        // Release, here and below, paired with the load in `list`; only the list itself says something.
        self.any.store(true, Ordering::Release);
    }

    fn take(&self) -> Vec<u32> {
        if !self.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut lanes = lock(&self.lanes);
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut lanes)
    }

    fn list(&self) -> Vec<u32> {
        if self.any.load(Ordering::Acquire) { lock(&self.lanes).clone() } else { Vec::new() }
    }
}

impl Changes {
    pub(super) fn new(lane: u32, changed: Arc<Changed>) -> Self {
        Self {
            lane,
            changed,
            touched: Vec::new(),
            done: Vec::new(),
            dead: Vec::new(),
            count: 0,
            is_listed: false,
            since: 0,
        }
    }

    /// Notes that a message has another state, if that is not noted yet.
    #[inline]
    pub(super) fn touch<T>(&mut self, now: u64, entry: &mut Entry<T>) {
        if !entry.is_noted() {
            entry.set_noted(true);
            self.begin(now, false);
            self.touched.push(entry.seq);
        }
    }

    /// Notes that a message is done; `was_noted` says whether its state had changed before.
    #[inline]
    pub(super) fn done(&mut self, now: u64, seq: u64, was_noted: bool) {
        self.begin(now, was_noted);
        self.done.push(seq);
    }

    pub(super) fn dead(&mut self, now: u64, seq: u64, was_noted: bool, reason: String, attempts: u32) {
        self.begin(now, was_noted);
        self.dead.push((seq, reason, attempts));
    }

    #[inline]
    fn begin(&mut self, now: u64, counted: bool) {
        if self.count == 0 {
            self.since = now;
        }
        self.count += usize::from(!counted);
        if !self.is_listed {
            self.is_listed = true;
            self.changed.push(self.lane);
        }
    }

    /// Numbers of what is done or dead, in the order of the events.
    pub(super) fn finished(&self) -> impl Iterator<Item = u64> {
        self.done.iter().copied().chain(self.dead.iter().map(|dead| dead.0))
    }

    /// Forgets the states of messages that are not there any more; what is done stays done.
    pub(super) fn forget_states(&mut self) {
        self.touched.clear();
        self.count = self.done.len() + self.dead.len();
    }
}

impl<T> Book<T> {
    /// Moves the notes of this lane to `out`.
    fn drain_changes(&mut self, out: &mut Vec<Change>) {
        let Some(changes) = self.rows.as_mut().map(|rows| &mut rows.changes) else { return };
        let lane = changes.lane;
        (changes.count, changes.is_listed) = (0, false);
        out.extend(changes.done.drain(..).map(|seq| Change { lane, seq, fate: Fate::Done }));
        let dead = changes.dead.drain(..);
        out.extend(dead.map(|(seq, reason, attempts)| Change { lane, seq, fate: Fate::Dead { reason, attempts } }));
        // Out of its place, as looking up borrows the whole book.
        let mut touched = std::mem::take(&mut changes.touched);
        for seq in touched.drain(..) {
            // What is not there is done or dead, and has been said above.
            let Some((due, entry)) = self.find(seq) else { continue };
            entry.set_noted(false);
            let fate = Fate::State { attempt: entry.attempt, failures: entry.failures(), due };
            out.push(Change { lane, seq, fate });
        }
        if let Some(rows) = &mut self.rows {
            rows.changes.touched = touched;
        }
    }
}

impl<T: Item> Queue<T> {
    /// Appends what has changed since the last call, one change a message at most, and says how many changes that is.
    /// Without a backlog that is none. What is taken and cannot be written is to be written before the lanes are
    /// counted for [`restore`](Self::restore).
    ///
    /// Of each [`Fate::Dead`] the message can be had from [`take_dead`](Self::take_dead) already.
    pub fn take_changes(&self, out: &mut Vec<Change>) -> usize {
        let before = out.len();
        for lane in self.shared.changed.take() {
            self.shared.lane(lane).book().drain_changes(out);
        }
        out.len() - before
    }

    /// How many changes [`take_changes`](Self::take_changes) would give.
    pub fn unwritten(&self) -> usize {
        self.sum_up(|changes| changes.count).into_iter().sum()
    }

    /// Engine time, in milliseconds, of the oldest of them.
    pub fn oldest_unwritten(&self) -> Option<u64> {
        self.sum_up(|changes| changes.since).into_iter().min()
    }

    fn sum_up<R>(&self, each: impl Fn(&Changes) -> R) -> Vec<R> {
        let lanes = self.shared.changed.list();
        let each = |lane: u32| {
            let book = self.shared.lane(lane).book();
            book.rows.as_ref().map(|rows| &rows.changes).filter(|changes| changes.count > 0).map(&each)
        };
        lanes.into_iter().filter_map(each).collect()
    }
}
