//! The two steps in which a message enters a queue: it reserves, then it is sent.

use super::shared::Shared;
use super::spill::Published;
use super::{Item, Queue};
use std::mem;

/// Room for one message in one lane, to be used by [`send`](Self::send) or given back by dropping it.
///
/// Sending has two steps so that a message which goes to several queues can have room in all of them or in none, and
/// so that it can be stored between the two.
///
/// It borrows the queue, as counting references to one would cost producers a contended cache line for each message
/// (24 ns for two threads: `performance.md`, 5).
#[must_use = "a reservation that is dropped is given back"]
pub struct Reservation<'q, T: Item> {
    queue: &'q Queue<T>,
    claim: Claim,
}

/// What a reservation has to give back, and in which lane: one number, so that a reservation is two, which the compiler
/// keeps in registers. Three or more of different sizes it writes one by one and reads back as a whole, which stalls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim(u64);

impl Claim {
    /// Nothing any more.
    const SPENT: Self = Self(2 << 32);

    /// A permit: `refuse`.
    #[inline]
    pub(super) fn permit(lane: u32) -> Self {
        Self(u64::from(lane))
    }

    /// The right to enter whatever happens: `spill`, `drop-oldest`.
    #[inline]
    pub(super) fn ticket(lane: u32) -> Self {
        Self(u64::from(lane) | 1 << 32)
    }

    #[inline]
    fn lane(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    fn is_ticket(self) -> bool {
        self.0 >> 32 == 1
    }
}

impl<'q, T: Item> Reservation<'q, T> {
    #[inline]
    pub(super) fn new(queue: &'q Queue<T>, claim: Claim) -> Self {
        Self { queue, claim }
    }

    /// What it was, with nothing left to give back.
    #[inline]
    fn spend(self) -> (&'q Shared<T>, Claim) {
        let parts = (&*self.queue.shared, self.claim);
        mem::forget(self);
        parts
    }

    /// Puts the message in. It cannot fail: the room is there, or is made. For a queue without a backlog; over one it is
    /// [`publish`](Self::publish).
    #[inline]
    pub fn send(self, item: T) {
        let (shared, claim) = self.spend();
        debug_assert!(shared.backlog.is_none(), "over a backlog messages are published");
        let lane = claim.lane();
        if claim.is_ticket() {
            let dropped = shared.send_dropping(lane, item);
            shared.lane(lane).gate.permits.give_ticket();
            shared.permits_given();
            drop(dropped);
        } else if shared.lane(lane).push(item) {
            shared.push_token(lane);
        }
    }

    /// Puts a message in that is in the backlog by now, or leaves it there if it finds no room. By one thread at a time,
    /// in the order of the numbers. Without a backlog it is [`send`](Self::send).
    ///
    /// `now` is the engine's time, in milliseconds: what is dropped for this message is a change of then.
    pub fn publish(self, now: u64, item: T) -> Published {
        if self.queue.shared.backlog.is_none() {
            self.send(item);
            return Published::Entered;
        }
        let (shared, claim) = self.spend();
        let published = shared.publish(claim.lane(), !claim.is_ticket(), now, item);
        if claim.is_ticket() {
            shared.lane(claim.lane()).gate.permits.give_ticket();
        }
        shared.permits_given();
        published
    }

    /// The same reservation, for a longer life than the handle that it was made from.
    pub fn into_owned(self) -> OwnedReservation<T> {
        let (queue, claim) = (self.queue.clone(), self.claim);
        mem::forget(self);
        OwnedReservation { queue, claim }
    }
}

impl<T: Item> Drop for Reservation<'_, T> {
    fn drop(&mut self) {
        if self.claim == Claim::SPENT {
            return;
        }
        let permits = &self.queue.shared.lane(self.claim.lane()).gate.permits;
        if self.claim.is_ticket() {
            permits.give_ticket();
        } else {
            permits.give(1);
        }
        self.queue.shared.permits_given();
    }
}

/// A [`Reservation`] that borrows nothing, for what has to wait for a commit.
#[must_use = "a reservation that is dropped is given back"]
pub struct OwnedReservation<T: Item> {
    queue: Queue<T>,
    claim: Claim,
}

impl<T: Item> OwnedReservation<T> {
    /// [`Reservation::send`].
    pub fn send(mut self, item: T) {
        self.lend().send(item);
    }

    /// [`Reservation::publish`].
    pub fn publish(mut self, now: u64, item: T) -> Published {
        self.lend().publish(now, item)
    }

    /// The reservation, of which this one has nothing left.
    fn lend(&mut self) -> Reservation<'_, T> {
        Reservation { queue: &self.queue, claim: mem::replace(&mut self.claim, Claim::SPENT) }
    }
}

impl<T: Item> Drop for OwnedReservation<T> {
    fn drop(&mut self) {
        drop(self.lend());
    }
}
