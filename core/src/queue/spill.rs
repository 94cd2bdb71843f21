//! Over a backlog: how messages enter, and how those that found no room come into memory later.

use super::behind::{Backlog, Gap, Stored, Unavailable};
use super::book::Book;
use super::shared::Shared;
use super::{Item, Queue, WhenFull};
use std::sync::atomic::Ordering;

/// Where a published message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Published {
    /// Into its lane.
    Entered,
    /// Nowhere: it waits in the backlog until there is room.
    Spilled,
    /// Out again, as `drop-oldest` found nothing older that is in nobody's hands.
    Dropped,
}

/// Lanes whose tokens a poll has taken and cannot use. They are pushed when it ends, however it ends: else one poll
/// would come by them again and again.
pub(super) struct Aside<'q, T: Item> {
    shared: &'q Shared<T>,
    lanes: Vec<u32>,
}

impl<'q, T: Item> Aside<'q, T> {
    pub(super) fn new(shared: &'q Shared<T>) -> Self {
        Self { shared, lanes: Vec::new() }
    }

    /// Whether the backlog has failed in this poll.
    pub(super) fn has_failed(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// Sees to it that a lane, whose token the poll has taken, has something in memory if it has anything: up to
    /// `wanted`, if that takes one reading. Says whether the lane can be taken now; if not, it is put aside.
    #[inline]
    pub(super) fn refill(&mut self, index: u32, now: u64, wanted: usize) -> bool {
        match &self.shared.backlog {
            None => true,
            Some(backlog) => self.refill_from(&**backlog, index, now, wanted),
        }
    }

    fn refill_from(&mut self, backlog: &dyn Backlog<T>, index: u32, now: u64, wanted: usize) -> bool {
        let lane = self.shared.lane(index);
        let has_failed = self.has_failed();
        let mut has_read = false;
        loop {
            let book = lane.book();
            let has_some = !book.front.is_empty();
            let Some(gap) = book.gap(wanted) else { return true };
            if has_some && (has_read || has_failed) {
                return true;
            }
            drop(book);
            // Aside before it is read, as whatever is behind a backlog may panic.
            self.lanes.push(index);
            let stored = if has_failed { Err(Unavailable) } else { backlog.read(index, gap.after, gap.up_to, gap.max) };
            match stored {
                Ok(stored) => self.shared.fill(index, gap, stored, now),
                Err(Unavailable) if has_some => {}
                Err(Unavailable) => return false,
            }
            self.lanes.pop();
            has_read = true;
        }
    }
}

impl<T: Item> Drop for Aside<'_, T> {
    fn drop(&mut self) {
        for lane in self.lanes.drain(..) {
            self.shared.push_token(lane);
        }
    }
}

impl<T: Item> Shared<T> {
    /// Takes in what was read from the backlog.
    fn fill(&self, index: u32, gap: Gap, stored: Vec<Stored<T>>, now: u64) {
        let lane = self.lane(index);
        let mut book = lane.book();
        let (found, lost) = book.fill(gap, stored, now);
        lane.gate.permits.claim(found);
        self.note_delays(&book);
        drop(book);
        self.give_permits(index, lost);
    }

    /// Puts a message in, or leaves it in the backlog. `has_permit` says whether its reservation held one.
    pub(super) fn publish(&self, index: u32, has_permit: bool, now: u64, item: T) -> Published {
        let lane = self.lane(index);
        let permits = &lane.gate.permits;
        let mut book = lane.book();
        let (mut leaves, mut finds_room) = (None, has_permit || permits.take(self.capacity));
        if !finds_room && self.when_full() == WhenFull::DropOldest {
            leaves = self.drop_oldest(index, &mut book, now);
            // Whatever leaves bequeaths its permit. If all are in hands, this one enters beside them.
            finds_room = leaves.is_some() || permits.take(self.capacity + 1);
            if !finds_room && !book.is_behind() {
                let entry = Book::first(item);
                book.counts.dropped += 1;
                book.note_done(now, &entry);
                drop(book);
                return Published::Dropped;
            }
        }
        if !finds_room {
            permits.claim(1);
        }
        let published = if finds_room && !book.is_behind() {
            book.enter(item);
            Published::Entered
        } else {
            book.fall_behind(item.seq());
            Published::Spilled
        };
        let ready = lane.stir(&book);
        drop(book);
        if ready {
            self.push_token(index);
        }
        drop(leaves);
        published
    }

    /// Drops the oldest that is in nobody's hands, in memory or behind; its permit is for whoever called this.
    fn drop_oldest(&self, index: u32, book: &mut Book<T>, now: u64) -> Option<T> {
        let item = match book.pop_oldest() {
            Some(entry) => {
                book.note_done(now, &entry);
                entry.item
            }
            None => self.drop_behind(index, book, now)?,
        };
        book.counts.dropped += 1;
        Some(item)
    }

    /// Drops the oldest of those behind. It reads under the lock, which stops this lane's consumers for a moment: to be
    /// dropped from behind takes a queue that was opened with more than it has room for, or changed to `drop-oldest`.
    fn drop_behind(&self, index: u32, book: &mut Book<T>, now: u64) -> Option<T> {
        let backlog = self.backlog.as_deref()?;
        loop {
            let rows = book.rows.as_mut().filter(|rows| rows.is_behind())?;
            let (after, up_to) = rows.unread();
            let first = backlog.read(index, after, up_to, 1).ok()?.into_iter().next();
            let lost = match first {
                None => rows.advance_to(up_to),
                Some(first) => {
                    let seq = first.item.seq();
                    if !rows.is_done(seq) {
                        rows.changes.done(now, seq, false);
                        let counted = rows.one_less();
                        let lost = rows.advance_to(seq);
                        self.lane(index).gate.permits.exchange(1 - counted, lost);
                        return Some(first.item);
                    }
                    rows.advance_to(seq)
                }
            };
            self.lane(index).gate.permits.exchange(0, lost);
        }
    }

    /// Whether some lane has something in the backlog only that a late ack may be about.
    pub(super) fn is_any_behind(&self) -> bool {
        self.backlog.is_some() && !self.is_shut() && self.lanes.iter().any(|lane| lane.book().is_behind())
    }

    fn ack_behind(&self, index: u32, now: u64, seq: u64) -> bool {
        let lane = self.lane(index);
        let mut book = lane.book();
        if self.is_shut() {
            return false;
        }
        let was_held = book.hold().is_some();
        // It may have come into memory since it was looked up.
        let permits = if book.ack(now, seq) { Some(1) } else { book.finish_behind(now, seq) };
        let Some(permits) = permits else { return false };
        let ready = lane.relax(&mut book, was_held);
        drop(book);
        self.give_permits(index, permits);
        if ready {
            self.push_token(index);
        }
        true
    }

    /// Forgets what is in memory of a lane, and begins anew with what the backlog has.
    fn restore(&self, index: u32, count: u64, last: u64) {
        let lane = self.lane(index);
        let mut book = lane.book();
        let before = book.pending();
        let was_held = book.hold.take().is_some();
        let forgotten = book.restart(count, last);
        lane.gate.permits.exchange(book.pending(), before);
        let ready = lane.relax(&mut book, was_held);
        drop(book);
        if ready {
            self.push_token(index);
        }
        drop(forgotten);
    }
}

impl<T: Item> Queue<T> {
    /// Begins anew with what the backlog has, at an opening, or at a reopening within the process: lane by lane, how
    /// many messages are not done, and the highest number that was published to it. Lanes that are not named have
    /// nothing.
    ///
    /// Nothing of what was in memory stays there. Consumers and their reservations stay, and hold no message; what they
    /// ack late is found in the backlog ([`ack_behind`](Self::ack_behind)). What has been acked and is still
    /// [unwritten](Self::unwritten) is not handed out again. Nothing may be published meanwhile.
    ///
    /// # Panics
    ///
    /// If the queue has no such lane, or no backlog.
    pub fn restore(&self, lanes: impl IntoIterator<Item = (u32, u64, u64)>) {
        assert!(self.shared.backlog.is_some(), "a backlog");
        let mut found = vec![(0, 0); self.shared.lanes.len()];
        for (lane, count, last) in lanes {
            found[lane as usize] = (count, last);
        }
        for (lane, (count, last)) in (0..).zip(found) {
            self.shared.restore(lane, count, last);
        }
        self.shared.permits_given();
    }

    /// Reads ahead what a first poll would read, so that delays of what was [restored](Self::restore) run, and count, from
    /// now on. What cannot be read is left to the polls.
    pub fn warm(&self, now: u64) {
        let shared = &*self.shared;
        // Each lane that is ready once: those whose turn it was go behind the others.
        for _ in 0..shared.lanes.len() {
            let Some(lane) = shared.take_token() else { return };
            let mut aside = Aside::new(shared);
            if aside.refill(lane, now, shared.capacity) {
                shared.push_token(lane);
            }
        }
    }

    /// Says that a delay of what was [restored](Self::restore) ends then, so that
    /// [`next_deadline`](Self::next_deadline) knows it before the message itself is read.
    pub fn expect_due(&self, due: u64) {
        // Relaxed: nothing is concluded from it but when to look again.
        self.shared.due_behind.store(due, Ordering::Relaxed);
    }

    /// Ends the duty for a message that waits in the backlog only, and was handed out before it came to be there: its
    /// late ack, by one who has looked it up. Says whether that changed something.
    ///
    /// # Panics
    ///
    /// If the queue has no such lane.
    pub fn ack_behind(&self, now: u64, lane: u32, seq: u64) -> bool {
        self.shared.ack_behind(lane, now, seq)
    }
}
