//! The consumers' side of a lane: what waits in front, what is in somebody's hands, what waits for its delay.

use super::Item;
use super::behind::Rows;
use super::delayed::Delayed;
use std::collections::VecDeque;

/// The consumers' side of a lane, under its lock.
pub(super) struct Book<T> {
    /// What came back, and over a backlog all that waits in memory; by rising sequence number.
    pub(super) front: VecDeque<Entry<T>>,
    /// The one batch that is in somebody's hands, by rising sequence number. Empty if and only if `hold` is `None`.
    pub(super) hands: VecDeque<Entry<T>>,
    pub(super) delayed: Delayed<T>,
    pub(super) hold: Option<Hold>,
    /// The number of the last batch.
    pub(super) grips: u64,
    pub(super) counts: Counts,
    /// What lies in the backlog, and what it is to be told; with a backlog only.
    pub(super) rows: Option<Rows>,
}

/// A message that is in no channel.
pub(super) struct Entry<T> {
    pub(super) seq: u64,
    /// How often it has been handed out.
    pub(super) attempt: u32,
    /// How often that has failed, times two; and one more while a change of its state is noted. In one word, as a lane
    /// holds many entries.
    failures: u32,
    pub(super) item: T,
}

/// Whose hands, and since when.
#[derive(Clone, Copy)]
pub(super) struct Hold {
    /// The number of this batch in this lane. Its consumer knows it, so it says who the holder is, too.
    pub(super) grip: u64,
    /// When it was handed out.
    pub(super) since: u64,
    /// When its consumer last gave a sign of life: `ack_wait` runs from here.
    pub(super) alive: u64,
}

/// What has happened in one lane. Plain numbers: all of it happens under the lock, so counting shares nothing.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) delivered: u64,
    pub(super) acked: u64,
    pub(super) released: u64,
    pub(super) nacked: u64,
    pub(super) dropped: u64,
    pub(super) dead: u64,
}

impl<T> Entry<T> {
    pub(super) fn new(seq: u64, item: T, attempt: u32, failures: u32) -> Self {
        Self { seq, attempt, failures: failures.min(u32::MAX >> 1) << 1, item }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures >> 1
    }

    /// Counts a failure.
    pub(super) fn fail(&mut self) {
        self.failures = self.failures.checked_add(2).unwrap_or(self.failures);
    }

    pub(super) fn is_noted(&self) -> bool {
        self.failures & 1 == 1
    }

    pub(super) fn set_noted(&mut self, noted: bool) {
        self.failures = self.failures & !1 | u32::from(noted);
    }
}

impl<T> Book<T> {
    pub(super) fn new(rows: Option<Rows>) -> Self {
        Self {
            front: VecDeque::new(),
            hands: VecDeque::new(),
            delayed: Delayed::default(),
            hold: None,
            grips: 0,
            counts: Counts::default(),
            rows,
        }
    }

    /// How many are in somebody's hands.
    pub(super) fn in_hands(&self) -> usize {
        self.hands.len()
    }

    /// How many this lane has in memory, its channel not counted.
    pub(super) fn in_memory(&self) -> usize {
        self.front.len() + self.hands.len() + self.delayed.len()
    }

    /// Whose hands.
    pub(super) fn hold(&self) -> Option<Hold> {
        self.hold
    }

    /// Whether the batch of this number is still, in part at least, with its consumer.
    pub(super) fn holds(&self, grip: u64) -> bool {
        self.hold.is_some_and(|hold| hold.grip == grip)
    }

    /// Whether a poll would find something here, the channel not asked: what waits, or can be read from the backlog.
    pub(super) fn has_more(&self) -> bool {
        !self.front.is_empty() || self.rows.as_ref().is_some_and(|rows| rows.may_read(self.in_memory()))
    }

    /// Removes one that has been handed out, from whosever hands, from the front or out of its delay; says whether it
    /// was there.
    pub(super) fn ack(&mut self, now: u64, seq: u64) -> bool {
        let found = match remove(&mut self.hands, seq) {
            Some(entry) => {
                self.alive(now);
                Some(entry)
            }
            None => self.remove_handed_out(seq).or_else(|| self.delayed.remove(seq)),
        };
        let Some(entry) = found else { return false };
        self.counts.acked += 1;
        self.note_done(now, &entry);
        true
    }

    /// Removes all that is in hands. They end in `done`, which is empty, so that the caller can drop them without the
    /// lock. Not for a queue over a backlog.
    pub(super) fn ack_all(&mut self, done: &mut VecDeque<Entry<T>>) {
        debug_assert!(done.is_empty() && self.rows.is_none());
        self.counts.acked += self.hands.len() as u64;
        std::mem::swap(&mut self.hands, done);
    }

    /// Moves one out of the hands in front; says whether it was there.
    pub(super) fn release(&mut self, now: u64, seq: u64) -> bool {
        let Some(entry) = self.take_back(now, seq) else { return false };
        insert(&mut self.front, entry);
        self.counts.released += 1;
        true
    }

    /// Takes one out of the hands: a sign of life of its batch.
    pub(super) fn take_back(&mut self, now: u64, seq: u64) -> Option<Entry<T>> {
        let entry = remove(&mut self.hands, seq)?;
        self.alive(now);
        Some(entry)
    }

    /// A sign of life for one that is in hands; says whether it is.
    pub(super) fn extend(&mut self, now: u64, seq: u64) -> bool {
        let is_held = self.hands.binary_search_by_key(&seq, |entry| entry.seq).is_ok();
        if is_held {
            self.alive(now);
        }
        is_held
    }

    /// Moves all that is in hands in front, in order; says how many those were.
    pub(super) fn put_back(&mut self) -> usize {
        let count = self.hands.len();
        // From the last to the first: each then stands before the one that went in before it.
        while let Some(entry) = self.hands.pop_back() {
            insert(&mut self.front, entry);
        }
        count
    }

    /// Moves in front all whose delay has ended by `now`; says how many those were.
    pub(super) fn end_delays(&mut self, now: u64) -> usize {
        let mut count = 0;
        while let Some(entry) = self.delayed.pop_due(now) {
            insert(&mut self.front, entry);
            count += 1;
        }
        count
    }

    /// Takes the oldest that is in nobody's hands, whether it waits in front or for its delay.
    pub(super) fn pop_oldest(&mut self) -> Option<Entry<T>> {
        let delayed = self.delayed.first_seq();
        match (self.front.front(), delayed) {
            (Some(first), Some(seq)) if seq < first.seq => self.delayed.remove(seq),
            (Some(_), _) => self.front.pop_front(),
            (None, seq) => self.delayed.remove(seq?),
        }
    }

    /// The message of this number, wherever it is in memory, and when its delay ends (0: it has none).
    pub(super) fn find(&mut self, seq: u64) -> Option<(u64, &mut Entry<T>)> {
        for entries in [&mut self.hands, &mut self.front] {
            if let Ok(at) = entries.binary_search_by_key(&seq, |entry| entry.seq) {
                return entries.get_mut(at).map(|entry| (0, entry));
            }
        }
        self.delayed.get_mut(seq)
    }

    /// Notes for the store that a message is done.
    #[inline]
    pub(super) fn note_done(&mut self, now: u64, entry: &Entry<T>) {
        if let Some(rows) = &mut self.rows {
            rows.changes.done(now, entry.seq, entry.is_noted());
        }
    }

    /// Notes for the store that the state of a message has changed.
    #[inline]
    pub(super) fn note_state(&mut self, now: u64, entry: &mut Entry<T>) {
        if let Some(rows) = &mut self.rows {
            rows.changes.touch(now, entry);
        }
    }

    /// Notes for the store that all in hands have been handed out.
    #[inline]
    pub(super) fn note_hands(&mut self, now: u64) {
        if let Some(rows) = &mut self.rows {
            self.hands.iter_mut().for_each(|entry| rows.changes.touch(now, entry));
        }
    }

    /// Removes one from the front, if it has ever been handed out.
    fn remove_handed_out(&mut self, seq: u64) -> Option<Entry<T>> {
        let at = self.front.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
        if self.front[at].attempt == 0 { None } else { self.front.remove(at) }
    }

    /// A sign of life of the batch. Time that goes back counts as the last one seen (`delivery.md`, 6.1).
    fn alive(&mut self, now: u64) {
        if let Some(hold) = &mut self.hold {
            hold.alive = hold.alive.max(now);
        }
    }
}

impl<T: Item> Book<T> {
    /// An entry of a message that comes for the first time.
    pub(super) fn first(item: T) -> Entry<T> {
        Entry::new(item.seq(), item, 0, 0)
    }
}

impl Hold {
    /// When `ack_wait` ends for this batch; never if it is 0.
    pub(super) fn due(&self, ack_wait_ms: u64) -> Option<u64> {
        (ack_wait_ms > 0).then(|| self.alive.saturating_add(ack_wait_ms))
    }
}

/// Inserts by rising sequence number. At either end, where almost all belongs, this is one comparison.
pub(super) fn insert<T>(entries: &mut VecDeque<Entry<T>>, entry: Entry<T>) {
    if entries.back().is_none_or(|last| last.seq < entry.seq) {
        entries.push_back(entry);
    } else if entries.front().is_some_and(|first| first.seq > entry.seq) {
        entries.push_front(entry);
    } else {
        // Calls that overlap in time may have put their numbers into the lane the other way round (1.8).
        let at = entries.partition_point(|other| other.seq < entry.seq);
        entries.insert(at, entry);
    }
}

fn remove<T>(entries: &mut VecDeque<Entry<T>>, seq: u64) -> Option<Entry<T>> {
    // Acks come in the order of the hand-out as a rule.
    if entries.front().is_some_and(|first| first.seq == seq) {
        return entries.pop_front();
    }
    let at = entries.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
    entries.remove(at)
}
