//! Bounded queues whose consumers share the work and still see each terminal's messages in order.
//!
//! A queue has lanes; a key (the terminal) always falls into the same one ([`lane_of`]). A lane belongs to one consumer
//! at a time, from the hand-out of a batch until all of it is acked or given back: so of one terminal no message is
//! handed out while an earlier one is still in somebody's hands. The rules are `delivery.md`, section 2, and 3.3 and
//! 3.5; this module keeps them in memory and knows neither what a message is nor what time it is.
//!
//! ```
//! use nexowire_core::queue::{Item, Queue, QueueOptions};
//!
//! #[derive(Clone)]
//! struct Event(u64);
//!
//! impl Item for Event {
//!     fn seq(&self) -> u64 {
//!         self.0
//!     }
//! }
//!
//! let queue = Queue::new(QueueOptions::default());
//! let lane = queue.lane_of(b"V400m-324688179");
//! for seq in 1..=3 {
//!     queue.reserve(lane)?.send(Event(seq));
//! }
//!
//! let mut consumer = queue.consumer();
//! let mut batch = Vec::new();
//! let now = 0; // Milliseconds; nothing here reads a clock.
//! assert_eq!(consumer.poll(now, 2, &mut batch)?, 2);
//! assert_eq!(batch[1].item.seq(), 2);
//!
//! // A consumer's next poll says that it has done with what it got.
//! assert_eq!(consumer.poll(now, 64, &mut batch)?, 1);
//! assert_eq!(queue.counters().acked, 2);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! A queue may stand in front of a [`Backlog`], the rows of a store: then what finds no room waits there, and the queue
//! notes what the store is to be told ([`Queue::with_backlog`], `delivery.md`, 4 and 5).
//!
//! | file | what it is |
//! |---|---|
//! | `options.rs` | how a queue is made, and its errors |
//! | `permit.rs` | room in a lane |
//! | `reservation.rs` | the way in |
//! | `lane.rs` | one lane: its channel, and who may take from it |
//! | `book.rs` | what waits in a lane, and what is in hands |
//! | `delayed.rs` | what waits for its delay |
//! | `shared.rs` | the lanes together: tokens, the end |
//! | `deadlines.rs` | `ack_wait`, and the ends of delays |
//! | `consumer.rs` | the way out |
//! | `hands.rs` | acks, nacks and their like |
//! | `letters.rs` | failures, and the dead letters |
//! | `behind.rs` | what a lane has in the backlog only |
//! | `spill.rs` | the way in over a backlog, and from there into memory |
//! | `changes.rs` | what a store is to be told |
//! | `wake.rs` | who is told, and how nobody is forgotten |
//! | `counters.rs` | what a queue says about itself |

mod behind;
mod book;
mod changes;
mod consumer;
mod counters;
mod deadlines;
mod delayed;
mod hands;
mod lane;
mod letters;
mod options;
mod permit;
mod reservation;
mod shared;
mod spill;
mod wake;

pub use behind::{Backlog, Stored, Unavailable};
pub use changes::{Change, Fate};
pub use consumer::Consumer;
pub use counters::Counters;
pub use letters::{Dead, Nack};
pub use options::{PollError, QueueOptions, Refused, WhenFull};
pub use reservation::{OwnedReservation, Reservation};
pub use spill::Published;

use self::shared::Shared;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What travels through a queue: a cheap handle, as one stays behind for the case that it must be handed out again.
pub trait Item: Clone + Send + 'static {
    /// Its sequence number, which no other message of the same queue has.
    fn seq(&self) -> u64;
}

/// A bounded queue. Clones are handles of the same queue.
pub struct Queue<T: Item> {
    shared: Arc<Shared<T>>,
}

/// One message handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery<T> {
    /// The message.
    pub item: T,
    /// The how manieth time it is handed out, from 1.
    pub attempt: u32,
}

/// The lane of a key: FNV-1a (64 bit) of its bytes, modulo the number of lanes.
///
/// It is the same in every version, as a store deals its rows out by it (`delivery.md`, 1.11).
///
/// ```
/// use nexowire_core::queue::lane_of;
///
/// assert_eq!(lane_of(b"V400m-324688179", 1), 0);
/// assert_eq!(lane_of(b"foobar", 8), (0x85944171f73967e8_u64 % 8) as u32); // The authors' own test vector.
/// ```
#[inline]
pub fn lane_of(key: &[u8], lanes: u32) -> u32 {
    lane_of_hash(order_hash(key), lanes)
}

#[inline]
fn lane_of_hash(order_hash: u64, lanes: u32) -> u32 {
    let lanes = u64::from(lanes);
    // Nearly all numbers of lanes are powers of two, and a division takes longer than to ask.
    if lanes.is_power_of_two() { (order_hash & (lanes - 1)) as u32 } else { (order_hash % lanes) as u32 }
}

/// The hash of a key, of which the lane is the rest: FNV-1a (64 bit). A store keeps it, so that another number of lanes
/// asks for no key again.
#[inline]
pub fn order_hash(key: &[u8]) -> u64 {
    key.iter().fold(FNV_OFFSET, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME))
}

impl<T: Item> Queue<T> {
    /// An empty queue.
    ///
    /// # Panics
    ///
    /// If an option is outside the bounds that its document names; a configuration has been checked before.
    pub fn new(options: QueueOptions) -> Self {
        Self { shared: Arc::new(Shared::new(options, None)) }
    }

    /// An empty queue in front of a backlog: nothing is acked by a poll, messages are
    /// [published](Reservation::publish), what finds no room waits in the backlog, and what has become of each is noted
    /// ([`take_changes`](Self::take_changes)). What the backlog has already, [`restore`](Self::restore) says.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn with_backlog(options: QueueOptions, backlog: Arc<dyn Backlog<T>>) -> Self {
        Self { shared: Arc::new(Shared::new(options, Some(backlog))) }
    }

    /// The lane of a key: [`lane_of`] with this queue's number of lanes.
    #[inline]
    pub fn lane_of(&self, key: &[u8]) -> u32 {
        lane_of(key, self.lanes())
    }

    /// The lane of a key that has this [`order_hash`].
    #[inline]
    pub fn lane_of_hash(&self, order_hash: u64) -> u32 {
        lane_of_hash(order_hash, self.lanes())
    }

    /// How many lanes it has.
    #[inline]
    pub fn lanes(&self) -> u32 {
        self.shared.lanes.len() as u32
    }

    /// One more consumer: one for each worker that polls.
    pub fn consumer(&self) -> Consumer<T> {
        Consumer::new(self.clone())
    }

    /// Changes what a full lane answers, from the next reservation on.
    pub fn set_when_full(&self, when_full: WhenFull) {
        self.shared.set_when_full(when_full);
    }

    /// Changes `ack_wait`, also for what is in somebody's hands now.
    pub fn set_ack_wait(&self, ack_wait_ms: u64) {
        self.shared.set_ack_wait(ack_wait_ms);
    }

    /// Takes away every batch whose `ack_wait` has ended by `now`, and brings back every message whose delay has, in the
    /// order in which they ended. Every poll does the same; this is for a host whose consumers may all have vanished.
    /// Returns how many batches and messages that were.
    pub fn advance(&self, now: u64) -> usize {
        self.shared.expire(now)
    }

    /// How many batches `ack_wait` has taken away so far, in polls and by [`advance`](Self::advance). Each is a failure,
    /// which a store is to be told; the end of a delay is not.
    pub fn taken_away(&self) -> u64 {
        // Relaxed: a number to be compared with itself.
        self.shared.taken_away.load(Ordering::Relaxed)
    }

    /// When the next `ack_wait` ends, if nobody gives a sign of life before, or the next delay.
    ///
    /// A batch that is handed out at `now` or later adds none before `now` plus `ack_wait`, and a delay that begins ends
    /// a [`wait`](Consumer::wait). So a thread that waits for a message and is to run this queue's deadlines too sleeps
    /// until the earlier of the two.
    pub fn next_deadline(&self) -> Option<u64> {
        self.shared.next_deadline()
    }

    /// Takes nothing new from now on. What is in it is still handed out, and so is what comes back; polls answer
    /// [`PollError::Closed`] when nothing is left and no reservation is out.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Ends the queue at once, whatever is in it: for one whose messages are in a store, which is about to be let go.
    /// Polls answer [`PollError::Closed`], and acks and their like change nothing; what was acked before is in
    /// [`take_changes`](Self::take_changes) when this returns.
    pub fn shut(&self) {
        self.shared.shut();
    }

    /// Whether it is closed, empty, in nobody's hands, and nothing is on its way into it, or was shut; once so it stays
    /// so.
    pub fn has_ended(&self) -> bool {
        self.shared.has_ended()
    }

    /// A descriptor that is readable while a token waits: while a poll would find something. Made when it is first
    /// asked for.
    ///
    /// Readable means: poll until nothing comes. Only a poll that finds nothing makes it unreadable, so a consumer that
    /// is busy costs no system call. It stays readable when the queue has ended, as that is found out by polling too.
    /// Nobody but the queue needs to read it.
    ///
    /// # Errors
    ///
    /// What the system says when a process has too many descriptors.
    #[cfg(unix)]
    pub fn descriptor(&self) -> std::io::Result<std::os::fd::BorrowedFd<'_>> {
        self.shared.descriptor()
    }
}

impl<T: Item> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T: Item> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("lanes", &self.lanes()).field("counters", &self.counters()).finish()
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
