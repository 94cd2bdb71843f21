//! Room for one message in all of its queues, or in none.

use crate::message::Message;
use crate::queue::{self, Refused};

/// More queues for one body than this are rare enough to allocate for.
const INLINE: usize = 4;

/// Reservations in the order in which they were made. Dropping them gives all of them back.
pub(super) struct Reservations<'q> {
    inline: [Option<queue::Reservation<'q, Message>>; INLINE],
    more: Vec<queue::Reservation<'q, Message>>,
    count: usize,
}

impl<'q> Reservations<'q> {
    pub(super) fn new() -> Self {
        Self { inline: [const { None }; INLINE], more: Vec::new(), count: 0 }
    }

    /// Reserves room in one more queue.
    #[inline]
    pub(super) fn reserve(&mut self, queue: &'q queue::Queue<Message>, lane: u32) -> Result<(), Refused> {
        let reservation = queue.reserve(lane)?;
        match self.inline.get_mut(self.count) {
            Some(place) => *place = Some(reservation),
            None => self.more.push(reservation),
        }
        self.count += 1;
        Ok(())
    }

    /// The reservations, in order, to be sent.
    #[inline]
    pub(super) fn into_senders(self) -> impl Iterator<Item = queue::Reservation<'q, Message>> {
        self.inline.into_iter().flatten().chain(self.more)
    }
}
