//! Room for one message in all of its queues, or in none.

use smallvec::SmallVec;

use crate::message::Message;
use crate::queue;

/// Room for so many is enough for nearly every body: more queues for one message are rare enough to allocate for.
pub(super) const INLINE: usize = 4;

/// Reservations in the order in which they were made. Dropping them gives all of them back.
///
/// The first `N` lie on the stack, so that a message stays one allocation.
pub(super) type Reservations<'q, const N: usize> = SmallVec<[queue::Reservation<'q, Message>; N]>;

/// Sends a message to all of them; the last one gets it, so that one queue counts no reference.
#[inline]
pub(super) fn send_to_all<const N: usize>(reservations: &mut Reservations<'_, N>, message: Message) {
    let Some(last) = reservations.pop() else { return };
    for reservation in reservations.drain(..) {
        reservation.send(message.clone());
    }
    last.send(message);
}
