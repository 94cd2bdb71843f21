//! The way out: polls, and giving back.

use super::book::Entry;
use super::hands::Hands;
use super::spill::Aside;
use super::{Delivery, Item, PollError, Queue};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// One worker's access to a queue.
///
/// What it polls is in its hands until it acks it, gives it back, polls again (where
/// [`ack_on_poll`](super::QueueOptions::ack_on_poll) says so) or `ack_wait` ends. Dropping a consumer gives back all it
/// holds; one that vanishes without being dropped is what `ack_wait` is for.
pub struct Consumer<T: Item> {
    pub(super) queue: Queue<T>,
    pub(super) hands: Hands,
    /// Where acked messages go to be dropped without a lock. Empty between calls; kept for its memory.
    done: VecDeque<Entry<T>>,
    /// What [`Wake::turns`](super::wake::Wake::turns) said before the last poll: whoever waits next has decided how
    /// long by what it knew then.
    turns: u64,
}

impl<T: Item> Consumer<T> {
    pub(super) fn new(queue: Queue<T>) -> Self {
        queue.shared.consumer_begins();
        let turns = queue.shared.wake.turns();
        Self { queue, hands: Hands::default(), done: VecDeque::new(), turns }
    }

    /// The queue that it polls.
    pub fn queue(&self) -> &Queue<T> {
        &self.queue
    }

    /// Appends up to `max` messages to `out`, and says how many. It never waits; nothing is not an error.
    ///
    /// First it acks what its last poll handed out, where [`ack_on_poll`](super::QueueOptions::ack_on_poll) says so,
    /// takes away batches whose `ack_wait` has ended, and brings back messages whose delay has. Then it takes one batch
    /// from each of several lanes, until it has `max`, or its share of the ready lanes. What a lane has in the backlog
    /// only it reads from there, if the lane has less in memory than it wants.
    ///
    /// # Errors
    ///
    /// [`PollError::Closed`] when the queue is closed and will never have anything again; [`PollError::Store`] when what
    /// there is lies in the backlog only, and cannot be read now.
    pub fn poll(&mut self, now: u64, max: usize, out: &mut Vec<Delivery<T>>) -> Result<usize, PollError> {
        if self.queue.shared.is_shut() {
            return Err(PollError::Closed);
        }
        self.turns = self.queue.shared.wake.turns();
        let before = out.len();
        let max = max.min(self.queue.shared.batch_max);
        let freed = if self.queue.shared.ack_on_poll { self.ack_last(now) } else { 0 };
        let shared = &*self.queue.shared;
        if shared.is_due(now) {
            shared.expire(now);
        }
        let mut share = shared.share();
        let mut aside = Aside::new(shared);
        while share > 0 && out.len() - before < max {
            let Some(lane) = shared.take_token() else { break };
            // Never more than the capacity, so that of a lane with one message over it one is in nobody's hands, and
            // can leave for the next one (2.8).
            let room = (max - (out.len() - before)).min(shared.capacity);
            if aside.refill(lane, now, room) {
                // A lane may have lost to a late ack what it was made ready for. That is nobody's share.
                share -= usize::from(self.hands.take(shared, lane, now, room, out));
            }
        }
        let count = out.len() - before;
        let has_failed = aside.has_failed();
        drop(aside);
        shared.ring_for(freed);
        match count {
            0 if has_failed => Err(PollError::Store),
            0 if max > 0 && shared.found_nothing() => Err(PollError::Closed),
            _ => Ok(count),
        }
    }

    /// Drops the consumer as dropping does, and says how many messages it gave back.
    pub fn drop_held(mut self) -> usize {
        self.give_back()
    }

    /// Blocks until a lane is ready, the queue has ended or the time is over, and says whether a poll is worth while:
    /// which should follow soon, as nobody else may have been woken for that lane. It also ends when, since the last
    /// poll of this consumer, a delay has begun: its end may be the next thing to wait for.
    ///
    /// It takes nothing, so another consumer may be faster. It runs no deadlines, see
    /// [`Queue::next_deadline`]. It waits in real time, which need not be the engine's.
    pub fn wait(&self, timeout: Duration) -> bool {
        self.queue.shared.sleep(timeout, self.turns)
    }

    /// Acks what the last poll handed out; says how many lanes became ready by that.
    fn ack_last(&mut self, now: u64) -> usize {
        let shared = &*self.queue.shared;
        let (mut freed, mut lost) = (0, false);
        for held in self.hands.held.drain(..) {
            let lane = shared.lane(held.lane);
            let mut book = lane.book();
            if !book.holds(held.grip) {
                lost = true;
                continue;
            }
            book.ack_all(&mut self.done);
            let ready = lane.settle(&mut book);
            drop(book);
            shared.give_permits(held.lane, self.done.len());
            self.done.clear();
            if ready {
                shared.push_token_quietly(held.lane);
                freed += 1;
            }
        }
        if lost {
            // `ack_wait` took some away, or others acked it. An ack counts even so (3.3).
            for seq in std::mem::take(&mut self.hands.handed) {
                self.queue.shared.ack_anywhere(now, seq);
            }
        }
        self.hands.handed.clear();
        freed
    }

    fn give_back(&mut self) -> usize {
        let shared = &*self.queue.shared;
        let mut count = 0;
        for held in self.hands.held.drain(..) {
            let lane = shared.lane(held.lane);
            let mut book = lane.book();
            if !book.holds(held.grip) {
                continue;
            }
            let back = book.put_back();
            book.counts.released += back as u64;
            count += back;
            let ready = lane.settle(&mut book);
            drop(book);
            if ready {
                shared.push_token(held.lane);
            }
        }
        count
    }
}

impl<T: Item> Drop for Consumer<T> {
    fn drop(&mut self) {
        self.give_back();
        self.queue.shared.consumer_ends();
    }
}

impl<T: Item> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("queue", &self.queue).field("lanes", &self.hands.held.len()).finish()
    }
}
