//! Room for one message in all of its queues, or in none.

use crate::message::Message;
use crate::queue::{self, Refused};

/// Room for so many is enough for nearly every body: more queues for one message are rare enough to allocate for.
pub(super) const INLINE: usize = 4;

/// Reservations in the order in which they were made. Dropping them gives all of them back.
///
/// The first `N` lie on the stack, so that a message stays one allocation.
pub(super) struct Reservations<'q, const N: usize> {
    inline: [Option<queue::Reservation<'q, Message>>; N],
    more: Vec<Option<queue::Reservation<'q, Message>>>,
    made: usize,
    taken: usize,
}

impl<'q, const N: usize> Reservations<'q, N> {
    pub(super) fn new() -> Self {
        Self { inline: [const { None }; N], more: Vec::new(), made: 0, taken: 0 }
    }

    /// Reserves room in one more queue.
    #[inline]
    pub(super) fn reserve(&mut self, queue: &'q queue::Queue<Message>, lane: u32) -> Result<(), Refused> {
        let reservation = queue.reserve(lane)?;
        match self.inline.get_mut(self.made) {
            Some(place) => *place = Some(reservation),
            None => self.more.push(Some(reservation)),
        }
        self.made += 1;
        Ok(())
    }

    /// The next reservation, to be sent.
    #[inline]
    pub(super) fn take(&mut self) -> Option<queue::Reservation<'q, Message>> {
        let at = self.taken;
        self.taken += 1;
        match self.inline.get_mut(at) {
            Some(place) => place.take(),
            None => self.more.get_mut(at - N)?.take(),
        }
    }
}
