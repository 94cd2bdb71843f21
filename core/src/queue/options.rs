//! How a queue is made, and what it answers when it cannot do what it is asked.

use crate::limits::Limits;
use std::fmt;

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
    /// Whether a consumer's next poll acks what its last one handed out: so it is without a store. Over a backlog it
    /// never does, whatever this says.
    pub ack_on_poll: bool,
    /// The number of the failure that sends a message to the dead letters, from 1.
    pub max_attempts: u32,
    /// Milliseconds that a message waits after its first failure if its nack names no delay, doubled with each further
    /// one.
    pub retry_ms: u64,
    /// The most that this becomes.
    pub retry_max_ms: u64,
}

/// What a lane does without a free permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// `"refuse"`: the reservation fails.
    Refuse,
    /// `"spill"`: the message waits in the backlog. A queue without one takes this for [`WhenFull::Refuse`].
    Spill,
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

/// Why a poll hands out nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PollError {
    /// The queue is closed, empty, in nobody's hands, and nothing is on its way into it; or it has been shut.
    Closed,
    /// What there is waits in the backlog, which cannot be read.
    Store,
}

impl WhenFull {
    pub(super) const fn encode(self) -> u8 {
        match self {
            Self::Refuse => 0,
            Self::Spill => 1,
            Self::DropOldest => 2,
        }
    }

    pub(super) const fn decode(code: u8) -> Self {
        match code {
            0 => Self::Refuse,
            1 => Self::Spill,
            _ => Self::DropOldest,
        }
    }
}

impl Default for QueueOptions {
    /// As a configuration that names nothing but the queue: no store, 8 lanes of 4,096, `refuse`, 60 s; 20 attempts,
    /// 1 s to 5 min apart.
    fn default() -> Self {
        Self {
            lanes: 8,
            capacity: 4_096,
            when_full: WhenFull::Refuse,
            ack_wait_ms: 60_000,
            batch_max: Limits::MAX.batch,
            ack_on_poll: true,
            max_attempts: 20,
            retry_ms: 1_000,
            retry_max_ms: 300_000,
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

impl fmt::Display for PollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the queue is closed, and all of it is done",
            Self::Store => "the queue's backlog cannot be read",
        })
    }
}

impl std::error::Error for PollError {}
