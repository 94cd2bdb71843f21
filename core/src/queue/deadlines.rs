//! What comes back by itself: batches whose `ack_wait` has ended, and messages whose delay has.

use super::Item;
use super::book::Book;
use super::shared::Shared;
use std::sync::atomic::Ordering;

/// What ends. In this order, if both end at the same time in the same lane.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ends {
    AckWait,
    Delay,
}

impl<T: Item> Shared<T> {
    pub(super) fn set_ack_wait(&self, ack_wait_ms: u64) {
        // Relaxed: published by the store that follows.
        self.ack_wait_ms.store(ack_wait_ms, Ordering::Relaxed);
        // Release: who reads this 0 (Acquire, in `is_due`) computes the deadlines anew, with the new time. One that was
        // handed out with the old time is found by it, as it takes the lock of each lane.
        self.due.store(0, Ordering::Release);
        self.wake.turn();
    }

    /// Notes that a batch has been handed out. Under the lock of its lane.
    #[inline]
    pub(super) fn note_hold(&self, now: u64) {
        let ack_wait_ms = self.ack_wait_ms.load(Ordering::Relaxed);
        let due = now.saturating_add(ack_wait_ms);
        // Relaxed: ordered against `expire` by the lane's lock. The load first, as it is nearly always earlier.
        if ack_wait_ms > 0 && due < self.due.load(Ordering::Relaxed) {
            self.due.fetch_min(due, Ordering::Relaxed);
        }
    }

    /// Notes that delays of a lane have begun. Under its lock.
    pub(super) fn note_delays(&self, book: &Book<T>) {
        if let Some(due) = book.delayed.next_due() {
            // Relaxed, as in `note_hold`.
            if due < self.due.load(Ordering::Relaxed) {
                self.due.fetch_min(due, Ordering::Relaxed);
            }
            // Who sleeps until a deadline has to look at them again. That a deadline was noted says nothing: it may be
            // one that is over since.
            self.wake.turn();
        }
    }

    /// Whether some `ack_wait` or delay may have ended.
    #[inline]
    pub(super) fn is_due(&self, now: u64) -> bool {
        now >= self.due.load(Ordering::Acquire)
    }

    /// Brings back every batch whose `ack_wait` has ended and every message whose delay has, in the order in which they
    /// ended; says how many batches and delays those were.
    #[cold]
    pub(super) fn expire(&self, now: u64) -> usize {
        // Before the first lane is locked: a batch that is handed out meanwhile, in a lane that has been looked at,
        // notes itself after this. Acquire, as this may stand in for `is_due`.
        self.due.swap(u64::MAX, Ordering::AcqRel);
        // What was due behind is brought in by the polls that follow: its lane has a token as long as it is behind.
        let _later =
            self.due_behind.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| (due <= now).then_some(u64::MAX));
        let mut ended = Vec::new();
        self.deadlines(|lane, due, ends| {
            if due <= now {
                ended.push((due, lane, ends));
            } else {
                self.due.fetch_min(due, Ordering::Relaxed);
            }
        });
        ended.sort_unstable();
        let end = |(_, lane, ends)| match ends {
            Ends::AckWait => {
                let taken = self.take_away(lane, now);
                self.taken_away.fetch_add(u64::from(taken), Ordering::Relaxed);
                usize::from(taken)
            }
            Ends::Delay => self.end_delays(lane, now),
        };
        ended.into_iter().map(end).sum()
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        let behind = self.due_behind.load(Ordering::Relaxed);
        let mut next = (behind < u64::MAX).then_some(behind);
        self.deadlines(|_, due, _| next = Some(next.map_or(due, |next: u64| next.min(due))));
        next
    }

    /// Of each lane the end of its `ack_wait`, and of the first of its delays.
    fn deadlines(&self, mut each: impl FnMut(u32, u64, Ends)) {
        let ack_wait_ms = self.ack_wait_ms.load(Ordering::Relaxed);
        for (index, lane) in (0..).zip(&self.lanes) {
            let book = lane.book();
            if let Some(due) = book.hold().and_then(|hold| hold.due(ack_wait_ms)) {
                each(index, due, Ends::AckWait);
            }
            if let Some(due) = book.delayed.next_due() {
                each(index, due, Ends::Delay);
            }
        }
    }

    fn take_away(&self, index: u32, now: u64) -> bool {
        let lane = self.lane(index);
        let mut book = lane.book();
        // Asked again, as the lock was let go: there may have been a sign of life.
        let due = book.hold().and_then(|hold| hold.due(self.ack_wait_ms.load(Ordering::Relaxed)));
        let Some(due) = due else { return false };
        if due > now {
            self.due.fetch_min(due, Ordering::Relaxed);
            return false;
        }
        let permits = self.fail_first(index, &mut book, now);
        book.put_back();
        let ready = lane.settle(&mut book);
        drop(book);
        self.give_permits(index, permits);
        if ready {
            self.push_token(index);
        }
        true
    }

    fn end_delays(&self, index: u32, now: u64) -> usize {
        let lane = self.lane(index);
        let mut book = lane.book();
        let count = book.end_delays(now);
        if let Some(due) = book.delayed.next_due() {
            self.due.fetch_min(due, Ordering::Relaxed);
        }
        let ready = lane.stir(&book);
        drop(book);
        if ready {
            self.push_token(index);
        }
        count
    }
}
