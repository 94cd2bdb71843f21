//! Room in a lane: permits, of which each message holds one.
//!
//! A permit is held from the reservation to the ack (`delivery.md`, 2.7): what is in somebody's hands, or came back,
//! still holds its own, so what comes back always has room, and capacity bounds memory even if nobody ever acks.

use super::reservation::{Claim, Reservation};
use super::shared::Shared;
use super::{Item, Queue, Refused, WhenFull};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The permits of one lane.
#[derive(Default)]
pub(super) struct Permits {
    /// Held by messages and by the reservations of `refuse`: at most the capacity, and one over it for `drop-oldest`.
    /// What is behind in the backlog counts as well, and goes over it (`delivery.md`, 1.4).
    used: AtomicUsize,
    /// Reservations of `spill` and `drop-oldest` that are out. They hold no permit, as they take or inherit one when they are
    /// sent; the end of a closed queue has to wait for them all the same.
    tickets: AtomicUsize,
}

impl Permits {
    /// One permit more, if fewer than `limit` are held.
    #[inline]
    pub(super) fn take(&self, limit: usize) -> bool {
        // SeqCst: `reserve` looks at `closed` next, and `close` sets that before it looks here; one of the two must
        // see the other. It also acquires what `give` released: the place in the channel is free by now.
        self.used.fetch_update(Ordering::SeqCst, Ordering::Relaxed, |used| (used < limit).then_some(used + 1)).is_ok()
    }

    /// Some more, beyond any limit: for what is in the backlog.
    pub(super) fn claim(&self, count: usize) {
        self.exchange(count, 0);
    }

    /// Takes some and gives some back in one step. After this, `Shared::permits_given` is due if it may give more.
    pub(super) fn exchange(&self, taken: usize, given: usize) {
        // SeqCst, as in `take` and `give`. Wrapping is what makes it one step; the sum is never below zero, as what is
        // given back is held.
        if taken != given {
            self.used.fetch_add(taken.wrapping_sub(given), Ordering::SeqCst);
        }
    }

    /// Gives some back. After this, `Shared::permits_given` is due.
    #[inline]
    pub(super) fn give(&self, count: usize) {
        // SeqCst: whoever gives back the last looks at `closed` next, see `take`. It also releases that the message
        // has left the channel.
        let before = self.used.fetch_sub(count, Ordering::SeqCst);
        debug_assert!(before >= count);
    }

    /// A reservation that takes no permit.
    #[inline]
    pub(super) fn take_ticket(&self) {
        // SeqCst, as in `take`.
        self.tickets.fetch_add(1, Ordering::SeqCst);
    }

    /// Its end. After this, `Shared::permits_given` is due.
    pub(super) fn give_ticket(&self) {
        // SeqCst, as in `give`.
        self.tickets.fetch_sub(1, Ordering::SeqCst);
    }

    /// Nobody holds anything of this lane, and nobody is about to put something in.
    pub(super) fn none_out(&self) -> bool {
        // SeqCst, for the same reason as in `take`. In this order, as a ticket takes its permit before it ends: whoever
        // sees no ticket sees the permit.
        self.tickets.load(Ordering::SeqCst) == 0 && self.used.load(Ordering::SeqCst) == 0
    }
}

impl<T: Item> Queue<T> {
    /// Room for one message in a lane, in the first of two steps.
    ///
    /// # Errors
    ///
    /// [`Refused::Closed`] after [`close`](Self::close); [`Refused::Full`] if every permit of the lane is held, which
    /// only a queue that says [`WhenFull::Refuse`] answers.
    ///
    /// # Panics
    ///
    /// If the queue has no such lane.
    ///
    /// ```
    /// # use nexowire_core::queue::{Item, Queue, QueueOptions, Refused};
    /// # #[derive(Clone)] struct Event(u64);
    /// # impl Item for Event { fn seq(&self) -> u64 { self.0 } }
    /// let small = || Queue::new(QueueOptions { lanes: 1, capacity: 1, ..QueueOptions::default() });
    /// let (first, second) = (small(), small());
    /// second.reserve(0)?.send(Event(1));
    ///
    /// // A message for both gets neither, and the room that it had in the first is free again.
    /// let both = first.reserve(0).and_then(|one| Ok((one, second.reserve(0)?)));
    /// assert_eq!(both.err(), Some(Refused::Full));
    /// first.reserve(0)?.send(Event(2));
    /// # Ok::<_, Refused>(())
    /// ```
    #[inline(always)]
    pub fn reserve(&self, lane: u32) -> Result<Reservation<'_, T>, Refused> {
        let shared = &*self.shared;
        let permits = &shared.lane(lane).gate.permits;
        let claim = match shared.when_full() {
            WhenFull::Refuse if permits.take(shared.capacity) => Claim::permit(lane),
            WhenFull::Refuse if shared.is_closed() => return Err(Refused::Closed),
            WhenFull::Refuse => return Err(Refused::Full),
            WhenFull::Spill | WhenFull::DropOldest => {
                permits.take_ticket();
                Claim::ticket(lane)
            }
        };
        let reservation = Reservation::new(self, claim);
        // A queue that was closed before the claim could be seen has perhaps told its consumers that it has ended: nothing
        // may enter any more.
        if shared.is_closed() {
            drop(reservation);
            return Err(Refused::Closed);
        }
        Ok(reservation)
    }
}

impl<T: Item> Shared<T> {
    /// Gives back the permits of messages that are done.
    #[inline]
    pub(super) fn give_permits(&self, lane: u32, count: usize) {
        if count > 0 {
            self.lane(lane).gate.permits.give(count);
            self.permits_given();
        }
    }

    /// Puts a message in under `drop-oldest`, and returns what had to leave for it (`delivery.md`, 2.8).
    pub(super) fn send_dropping(&self, index: u32, item: T) -> Option<T> {
        let lane = self.lane(index);
        let permits = &lane.gate.permits;
        let mut book = lane.book();
        let mut leaves = None;
        if !permits.take(self.capacity) {
            leaves = lane.pop_oldest(&mut book).map(|entry| entry.item);
            book.counts.dropped += u64::from(leaves.is_some());
            // Whatever leaves bequeaths its permit. If all are in hands, this one enters beside them.
            if leaves.is_none() && !permits.take(self.capacity + 1) {
                // Full of hands, and of reservations from before a reload that changed `when_full`. Then the oldest in
                // nobody's hands is this message itself.
                book.counts.dropped += 1;
                return Some(item);
            }
        }
        // Under the lock still, so that messages which make room at the same time enter in the order of their leaving.
        let ready = lane.push(item);
        drop(book);
        if ready {
            self.push_token(index);
        }
        leaves
    }
}
