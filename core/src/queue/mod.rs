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
//! | file | what it is |
//! |---|---|
//! | `permit.rs` | room in a lane, and the way in |
//! | `lane.rs` | one lane: its channel, what came back, what is in hands |
//! | `shared.rs` | the lanes together: tokens, `ack_wait`, the end |
//! | `consumer.rs` | the way out |
//! | `wake.rs` | who is told, and how nobody is forgotten |
//! | `counters.rs` | what a queue says about itself |

mod consumer;
mod counters;
mod lane;
mod permit;
mod shared;
mod wake;

pub use consumer::Consumer;
pub use counters::Counters;
pub use permit::Reservation;

use self::shared::Shared;
use crate::limits::Limits;
use std::fmt;
use std::sync::Arc;

/// What travels through a queue: a cheap handle, as one stays behind for the case that it must be handed out again.
pub trait Item: Clone + Send + 'static {
    /// Its sequence number, which no other message of the same queue has.
    fn seq(&self) -> u64;
}

/// A bounded queue. Clones are handles of the same queue.
pub struct Queue<T: Item> {
    shared: Arc<Shared<T>>,
}

/// How a queue is made. `lanes` and `capacity` stay as they are for its life; a reload may change the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// Lanes, 1 to [`Limits::lanes`].
    pub lanes: u32,
    /// Permits of each lane, from 1.
    pub capacity: u32,
    /// What a full lane answers.
    pub when_full: WhenFull,
    /// Milliseconds without a sign of life after which a batch is taken away from its consumer; 0 is never, and then
    /// the lanes of a consumer that vanishes without being dropped are stuck.
    pub ack_wait_ms: u64,
    /// The most that one poll hands out, 1 to [`Limits::batch`].
    pub batch_max: u32,
    /// Whether a consumer's next poll acks what its last one handed out: so it is without a store.
    pub ack_on_poll: bool,
}

/// What a lane does without a free permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// `"refuse"`: the reservation fails.
    Refuse,
    /// `"drop-oldest"`: the oldest that is in nobody's hands leaves.
    DropOldest,
}

/// Why there is no reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Every permit of the lane is held.
    Full,
    /// The queue takes nothing new.
    Closed,
}

/// A poll's last answer: the queue is closed, empty, in nobody's hands, and nothing is on its way into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Closed;

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
    let hash = key.iter().fold(FNV_OFFSET, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    (hash % u64::from(lanes)) as u32
}

impl<T: Item> Queue<T> {
    /// An empty queue.
    ///
    /// # Panics
    ///
    /// If an option is outside the bounds that its document names; a configuration has been checked before.
    pub fn new(options: QueueOptions) -> Self {
        Self { shared: Arc::new(Shared::new(options)) }
    }

    /// The lane of a key: [`lane_of`] with this queue's number of lanes.
    #[inline]
    pub fn lane_of(&self, key: &[u8]) -> u32 {
        lane_of(key, self.lanes())
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

    /// Takes away every batch whose `ack_wait` has ended by `now`. Every poll does the same; this is for a host whose
    /// consumers may all have vanished. Returns how many batches that were.
    pub fn advance(&self, now: u64) -> usize {
        self.shared.expire(now)
    }

    /// When the next `ack_wait` ends, if nobody gives a sign of life before.
    ///
    /// A batch that is handed out at `now` or later adds none before `now` plus `ack_wait`. So a thread that waits for
    /// a message and is to run this queue's deadlines too sleeps until the earlier of the two.
    pub fn next_deadline(&self) -> Option<u64> {
        self.shared.next_deadline()
    }

    /// Takes nothing new from now on. What is in it is still handed out, and so is what comes back; polls answer
    /// [`Closed`] when nothing is left and no reservation is out.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Whether it is closed, empty, in nobody's hands, and nothing is on its way into it; once so it stays so.
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

impl Default for QueueOptions {
    /// As a configuration that names nothing but the queue: no store, 8 lanes of 4,096, `refuse`, 60 s.
    fn default() -> Self {
        Self {
            lanes: 8,
            capacity: 4_096,
            when_full: WhenFull::Refuse,
            ack_wait_ms: 60_000,
            batch_max: Limits::MAX.batch,
            ack_on_poll: true,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the lane is full",
            Self::Closed => "the queue is closed",
        })
    }
}

impl std::error::Error for Refused {}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is closed, and all of it is done")
    }
}

impl std::error::Error for Closed {}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
