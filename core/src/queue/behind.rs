//! What a lane has in the backlog only: how much that is, how far it has been read, and how it comes into memory.
//!
//! A lane is **behind** from the first message that found no permit until everything published has been read
//! (`delivery.md`, 4). All that is published meanwhile is only counted, so that memory and backlog never mix: what is in
//! memory is older than what is behind.

use super::Item;
use super::book::{Book, Entry, insert};
use super::changes::{Changed, Changes};
use std::collections::BTreeSet;
use std::fmt;
use std::mem;
use std::sync::Arc;

/// Where messages wait that have no place in memory: the rows of a queue in a store.
///
/// It must not call the queue that it stands behind.
pub trait Backlog<T>: Send + Sync {
    /// Messages of a lane that are not done, with `after < seq <= up_to`, by rising number, the first of them, and at
    /// most `max`. It may answer fewer, so as to bound their bytes; none only if there are none.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if it cannot read now; the queue asks again at a later poll.
    fn read(&self, lane: u32, after: u64, up_to: u64, max: usize) -> Result<Vec<Stored<T>>, Unavailable>;
}

/// A message as a backlog gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored<T> {
    /// The message.
    pub item: T,
    /// How often it has been handed out.
    pub attempt: u32,
    /// How often that has failed.
    pub failures: u32,
    /// When its delay ends, in milliseconds of the engine's time; 0 is none.
    pub due: u64,
}

/// A backlog cannot be read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unavailable;

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the backlog cannot be read")
    }
}

impl std::error::Error for Unavailable {}

/// A lane's side of the backlog, under the lane's lock.
pub(super) struct Rows {
    pub(super) changes: Changes,
    /// How many of this lane may be in memory.
    capacity: usize,
    /// Counts the times that memory was forgotten: what was read before it is of no use after it.
    epoch: u64,
    is_behind: bool,
    /// All up to this number are in memory, or done.
    read: u64,
    /// The number that was published last.
    last: u64,
    /// How many are behind.
    count: u64,
    /// Those behind that are done all the same.
    done: BTreeSet<u64>,
}

/// What to read from the backlog for a lane.
#[derive(Clone, Copy)]
pub(super) struct Gap {
    epoch: u64,
    pub(super) after: u64,
    pub(super) up_to: u64,
    pub(super) max: usize,
}

impl Rows {
    pub(super) fn new(lane: u32, capacity: usize, changed: Arc<Changed>) -> Self {
        let changes = Changes::new(lane, changed);
        Self { changes, capacity, epoch: 0, is_behind: false, read: 0, last: 0, count: 0, done: BTreeSet::new() }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.is_behind
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether there may be something to read, and room for it.
    pub(super) fn may_read(&self, in_memory: usize) -> bool {
        self.is_behind && in_memory < self.capacity
    }

    /// Notes that a message has entered the memory.
    pub(super) fn entered(&mut self, seq: u64) {
        debug_assert!(!self.is_behind && seq > self.last, "published in the order of the numbers");
        (self.read, self.last) = (seq, seq);
    }

    /// Counts a message that waits in the backlog only; the lane is behind from now on.
    pub(super) fn fall_behind(&mut self, seq: u64) {
        debug_assert!(seq > self.last, "published in the order of the numbers");
        self.is_behind = true;
        self.last = seq;
        self.count += 1;
    }

    /// Begins anew with what the backlog has of this lane; what is done and has not been written is not behind.
    pub(super) fn restart(&mut self, count: u64, last: u64) {
        self.changes.forget_states();
        self.done = self.changes.finished().filter(|&seq| seq <= last).collect();
        self.epoch += 1;
        self.read = 0;
        self.last = last;
        self.count = count.saturating_sub(self.done.len() as u64);
        self.is_behind = count > 0;
    }

    /// Where to read on, and up to where.
    pub(super) fn unread(&self) -> (u64, u64) {
        (self.read, self.last)
    }

    /// Whether this one, behind, is done all the same.
    pub(super) fn is_done(&self, seq: u64) -> bool {
        self.done.contains(&seq)
    }

    /// Remembers that one of those behind is done. Returns whether it was one, and the permits that this gives back.
    pub(super) fn finish(&mut self, now: u64, seq: u64) -> Option<usize> {
        if !self.is_behind || seq <= self.read || seq > self.last || !self.done.insert(seq) {
            return None;
        }
        self.changes.done(now, seq, false);
        Some(self.one_less())
    }

    /// One of those behind is behind no more. Returns how many permits were held for it: none, if it had not been
    /// counted, as the backlog said a moment before that it had less.
    pub(super) fn one_less(&mut self) -> usize {
        let counted = self.count > 0;
        self.count -= u64::from(counted);
        usize::from(counted)
    }

    /// Everything up to `seq` is in memory, or done. Returns the permits that this gives back: of what was counted as
    /// behind, and was not there when all was read.
    pub(super) fn advance_to(&mut self, seq: u64) -> usize {
        self.read = self.read.max(seq);
        if self.read >= self.last {
            self.is_behind = false;
            self.done.clear();
            return mem::take(&mut self.count) as usize;
        }
        if self.done.first().is_some_and(|&first| first <= self.read) {
            self.done = self.done.split_off(&(self.read + 1));
        }
        0
    }
}

impl<T: Item> Book<T> {
    pub(super) fn is_behind(&self) -> bool {
        self.rows.as_ref().is_some_and(Rows::is_behind)
    }

    /// How many deliveries are to be done, in memory or behind. Over a backlog only, as a channel is not asked.
    pub(super) fn pending(&self) -> usize {
        self.in_memory() + self.rows.as_ref().map_or(0, |rows| rows.count as usize)
    }

    /// Puts a message in that has been published.
    pub(super) fn enter(&mut self, item: T) {
        let entry = Self::first(item);
        if let Some(rows) = &mut self.rows {
            rows.entered(entry.seq);
        }
        insert(&mut self.front, entry);
    }

    /// Leaves a message in the backlog that has been published.
    pub(super) fn fall_behind(&mut self, seq: u64) {
        if let Some(rows) = &mut self.rows {
            rows.fall_behind(seq);
        }
    }

    /// See [`Rows::finish`].
    pub(super) fn finish_behind(&mut self, now: u64, seq: u64) -> Option<usize> {
        let permits = self.rows.as_mut()?.finish(now, seq)?;
        self.counts.acked += 1;
        Some(permits)
    }

    /// Forgets what is in memory, and begins anew with what the backlog has. Returns what was there, to be dropped
    /// without the lock.
    pub(super) fn restart(&mut self, count: u64, last: u64) -> impl Sized + use<T> {
        if let Some(rows) = &mut self.rows {
            rows.restart(count, last);
        }
        (mem::take(&mut self.front), mem::take(&mut self.hands), mem::take(&mut self.delayed))
    }

    /// What is to be read so that `wanted` wait in front, if that takes reading and there is room.
    pub(super) fn gap(&self, wanted: usize) -> Option<Gap> {
        let rows = self.rows.as_ref()?;
        let in_memory = self.in_memory();
        if self.front.len() >= wanted || !rows.may_read(in_memory) {
            return None;
        }
        let max = (rows.capacity / 2).max(1).min(rows.capacity - in_memory);
        Some(Gap { epoch: rows.epoch, after: rows.read, up_to: rows.last, max })
    }

    /// Takes in what was read to fill a gap, but for what is done by now. Returns how many permits are to be taken for
    /// what had not been counted, and given back for what had and was not there.
    pub(super) fn fill(&mut self, gap: Gap, stored: Vec<Stored<T>>, now: u64) -> (usize, usize) {
        let Some(rows) = self.rows.as_mut().filter(|rows| rows.epoch == gap.epoch) else { return (0, 0) };
        let mut found = 0;
        let end = stored.last().map_or(gap.up_to, |last| last.item.seq());
        for Stored { item, attempt, failures, due } in stored {
            let seq = item.seq();
            if seq <= rows.read || rows.is_done(seq) {
                continue;
            }
            found += 1 - rows.one_less();
            let entry = Entry::new(seq, item, attempt, failures);
            if due > now {
                self.delayed.insert(due, entry);
            } else {
                insert(&mut self.front, entry);
            }
        }
        (found, rows.advance_to(end))
    }
}
