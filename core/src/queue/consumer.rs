//! The way out: polls, acks, and giving back.

use super::lane::Entry;
use super::{Closed, Delivery, Item, Queue};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// One worker's access to a queue.
///
/// What it polls is in its hands until it acks it, gives it back, polls again (where
/// [`ack_on_poll`](super::QueueOptions::ack_on_poll) says so) or `ack_wait` ends. Dropping a consumer gives back all it
/// holds; one that vanishes without being dropped is what `ack_wait` is for.
pub struct Consumer<T: Item> {
    queue: Queue<T>,
    /// Lanes of which this consumer has been handed a batch, in the order of the hand-out; each lane once. Some may
    /// have been taken away since: the number of the batch tells.
    held: Vec<Held>,
    /// What the last poll handed out and was not released: kept only to ack it at the next poll.
    handed: Vec<u64>,
    /// Where acked messages go to be dropped without a lock. Empty between calls; kept for its memory.
    done: VecDeque<Entry<T>>,
}

/// A batch of a lane, as its consumer remembers it.
#[derive(Clone, Copy)]
struct Held {
    lane: u32,
    grip: u64,
}

impl<T: Item> Consumer<T> {
    pub(super) fn new(queue: Queue<T>) -> Self {
        queue.shared.consumer_begins();
        Self { queue, held: Vec::new(), handed: Vec::new(), done: VecDeque::new() }
    }

    /// The queue that it polls.
    pub fn queue(&self) -> &Queue<T> {
        &self.queue
    }

    /// Appends up to `max` messages to `out`, and says how many. It never waits; nothing is not an error.
    ///
    /// First it acks what its last poll handed out, where [`ack_on_poll`](super::QueueOptions::ack_on_poll) says so, and
    /// takes away batches whose `ack_wait` has ended. Then it takes one batch from each of several lanes, until it has
    /// `max`, or its share of the ready lanes.
    ///
    /// # Errors
    ///
    /// [`Closed`] when the queue is closed and will never have anything again.
    pub fn poll(&mut self, now: u64, max: usize, out: &mut Vec<Delivery<T>>) -> Result<usize, Closed> {
        let before = out.len();
        let max = max.min(self.queue.shared.batch_max);
        let freed = if self.queue.shared.ack_on_poll { self.ack_last(now) } else { 0 };
        if self.queue.shared.is_due(now) {
            self.queue.shared.expire(now);
        }
        let mut share = self.queue.shared.share();
        while share > 0 && out.len() - before < max {
            let Some(lane) = self.queue.shared.take_token() else { break };
            let room = max - (out.len() - before);
            // A lane may have lost to a late ack what it was made ready for. That is nobody's share.
            share -= usize::from(self.take(lane, now, room, out));
        }
        let count = out.len() - before;
        self.queue.shared.ring_for(freed);
        if count == 0 && max > 0 && self.queue.shared.found_nothing() {
            return Err(Closed);
        }
        Ok(count)
    }

    /// Ends the duty for messages that this or another consumer of the queue has been handed, however late: the work
    /// was done. Returns how many that was; unknown and finished ones are no error.
    pub fn ack(&mut self, now: u64, seqs: &[u64]) -> usize {
        let mut done = 0;
        let mut rest = seqs;
        while !rest.is_empty() {
            let mine = self.ack_mine(now, rest);
            let count = if mine > 0 { mine } else { usize::from(self.ack_anywhere(now, rest[0])) };
            done += count;
            rest = &rest[count.max(1)..];
        }
        done
    }

    /// Gives back messages that this consumer holds: each waits in front of its lane again, and no failure is counted.
    /// Returns how many; those that it does not hold any more are no error.
    pub fn release(&mut self, now: u64, seqs: &[u64]) -> usize {
        seqs.iter().filter(|&&seq| self.release_one(now, seq)).count()
    }

    /// Drops the consumer as dropping does, and says how many messages it gave back.
    pub fn drop_held(mut self) -> usize {
        self.give_back()
    }

    /// Blocks until a lane is ready, the queue has ended or the time is over, and says whether a poll is worth while:
    /// which should follow soon, as nobody else may have been woken for that lane.
    ///
    /// It takes nothing, so another consumer may be faster. It runs no deadlines, see
    /// [`Queue::next_deadline`]. It waits in real time, which need not be the engine's.
    pub fn wait(&self, timeout: Duration) -> bool {
        self.queue.shared.sleep(timeout)
    }

    /// Takes a batch of a lane, whose token this consumer has taken; says whether there was something.
    fn take(&mut self, index: u32, now: u64, room: usize, out: &mut Vec<Delivery<T>>) -> bool {
        let shared = &*self.queue.shared;
        let lane = shared.lane(index);
        let before = out.len();
        let mut book = lane.book();
        // Never more than the capacity, so that of a lane with one message over it one is in nobody's hands, and can
        // leave for the next one (2.8).
        let Some(grip) = lane.take(&mut book, now, room.min(shared.capacity), out) else {
            let ready = lane.settle(&mut book);
            drop(book);
            if ready {
                shared.push_token(index);
            }
            return false;
        };
        shared.note_hold(now);
        drop(book);
        // What is remembered of an older batch of this lane is gone, or the lane would not have been ready.
        self.held.retain(|held| held.lane != index);
        self.held.push(Held { lane: index, grip });
        if shared.ack_on_poll {
            self.handed.extend(out[before..].iter().map(|delivery| delivery.item.seq()));
        }
        true
    }

    /// Acks what the last poll handed out; says how many lanes became ready by that.
    fn ack_last(&mut self, now: u64) -> usize {
        let shared = &*self.queue.shared;
        let (mut freed, mut lost) = (0, false);
        for held in self.held.drain(..) {
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
            for seq in std::mem::take(&mut self.handed) {
                self.ack_anywhere(now, seq);
            }
        }
        self.handed.clear();
        freed
    }

    /// Acks as many of the first of `seqs` as lie in one lane of this consumer: acks come lane by lane as a rule, and
    /// then one lock is enough for each.
    fn ack_mine(&mut self, now: u64, seqs: &[u64]) -> usize {
        let shared = &*self.queue.shared;
        for at in 0..self.held.len() {
            let held = self.held[at];
            let lane = shared.lane(held.lane);
            let mut book = lane.book();
            if !book.holds(held.grip) {
                continue;
            }
            let count = seqs.iter().take_while(|&&seq| book.ack(now, seq)).count();
            if count == 0 {
                continue;
            }
            let over = book.in_hands() == 0;
            let ready = lane.settle(&mut book);
            drop(book);
            shared.give_permits(held.lane, count);
            if ready {
                shared.push_token(held.lane);
            }
            if over {
                self.held.remove(at);
            }
            return count;
        }
        0
    }

    /// Acks what may be in any lane, in anybody's hands or in nobody's.
    #[cold]
    fn ack_anywhere(&self, now: u64, seq: u64) -> bool {
        let shared = &*self.queue.shared;
        (0..).zip(&shared.lanes).any(|(index, lane)| {
            let mut book = lane.book();
            let was_held = book.hold().is_some();
            if !book.ack(now, seq) {
                return false;
            }
            // One that waited in front was no part of anybody's batch, and its lane may be ready: nothing to settle.
            let ready = was_held && lane.settle(&mut book);
            drop(book);
            shared.give_permits(index, 1);
            if ready {
                shared.push_token(index);
            }
            true
        })
    }

    fn release_one(&mut self, now: u64, seq: u64) -> bool {
        let shared = &*self.queue.shared;
        let found = self.held.iter().position(|held| {
            let lane = shared.lane(held.lane);
            let mut book = lane.book();
            if !book.holds(held.grip) || !book.release(now, seq) {
                return false;
            }
            let ready = lane.settle(&mut book);
            drop(book);
            if ready {
                shared.push_token(held.lane);
            }
            true
        });
        let Some(at) = found else { return false };
        if !shared.lane(self.held[at].lane).book().holds(self.held[at].grip) {
            self.held.remove(at);
        }
        // It is not this consumer's to ack at its next poll any more.
        self.handed.retain(|&other| other != seq);
        true
    }

    fn give_back(&mut self) -> usize {
        let shared = &*self.queue.shared;
        let mut count = 0;
        for held in self.held.drain(..) {
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
        f.debug_struct("Consumer").field("queue", &self.queue).field("lanes", &self.held.len()).finish()
    }
}
