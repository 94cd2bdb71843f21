//! What a consumer holds, and how it says what has become of it.

use super::book::Book;
use super::letters::Nack;
use super::shared::Shared;
use super::{Consumer, Delivery, Item};

/// A consumer's memory of what it was handed.
#[derive(Default)]
pub(super) struct Hands {
    /// Lanes of which this consumer has been handed a batch, in the order of the hand-out; each lane once. Some may
    /// have been taken away since: the number of the batch tells.
    pub(super) held: Vec<Held>,
    /// What the last poll handed out and was neither released nor nacked: kept only to ack it at the next poll.
    pub(super) handed: Vec<u64>,
}

/// A batch of a lane, as its consumer remembers it.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) lane: u32,
    pub(super) grip: u64,
}

impl<T: Item> Consumer<T> {
    /// Ends the duty for messages that this or another consumer of the queue has been handed, however late: the work
    /// was done. Returns how many that was; unknown and finished ones are no error.
    pub fn ack(&mut self, now: u64, seqs: &[u64]) -> usize {
        self.ack_or_miss(now, seqs, |_| {})
    }

    /// The same, and tells of each that is not in memory, if anything of the queue is in the backlog only: it may be
    /// there, see [`Queue::ack_behind`](super::Queue::ack_behind).
    pub fn ack_or_miss(&mut self, now: u64, seqs: &[u64], mut missed: impl FnMut(u64)) -> usize {
        let mut done = 0;
        let mut rest = seqs;
        while !rest.is_empty() {
            let mine = self.of_mine(rest, |_, _, book, seq| book.ack(now, seq).then_some(1));
            if mine == 0 && !self.queue.shared.ack_anywhere(now, rest[0]) {
                if self.queue.shared.is_any_behind() {
                    missed(rest[0]);
                }
                rest = &rest[1..];
                continue;
            }
            done += mine.max(1);
            rest = &rest[mine.max(1)..];
        }
        done
    }

    /// Gives back messages that this consumer holds: each waits in front of its lane again, and no failure is counted.
    /// Returns how many; those that it does not hold any more are no error.
    pub fn release(&mut self, now: u64, seqs: &[u64]) -> usize {
        self.let_go(seqs, |_, _, book, seq| book.release(now, seq).then_some(0))
    }

    /// Says that this consumer could not do what messages that it holds ask for: a failure of each. It leaves its lane,
    /// so that those behind it go on, and comes back in front of it after a delay; or, after too many failures, goes to
    /// the dead letters. Returns how many; those that it does not hold any more are no error.
    pub fn nack(&mut self, now: u64, seqs: &[u64], nack: &Nack) -> usize {
        self.let_go(seqs, |shared, lane, book, seq| shared.nack(lane, book, now, seq, nack))
    }

    /// A sign of life: `ack_wait` runs anew for every batch that has one of these messages. Returns how many of them
    /// this consumer holds.
    pub fn extend(&mut self, now: u64, seqs: &[u64]) -> usize {
        let mut seqs = seqs.to_vec();
        seqs.sort_unstable();
        seqs.dedup();
        self.each_of_mine(&seqs, |_, _, book, seq| book.extend(now, seq).then_some(0), |_| {})
    }

    /// Lets messages out of this consumer's hands: they are not its to ack at its next poll any more.
    fn let_go(
        &mut self,
        seqs: &[u64],
        leave: impl FnMut(&Shared<T>, u32, &mut Book<T>, u64) -> Option<usize>,
    ) -> usize {
        let mut gone = Vec::new();
        let count = self.each_of_mine(seqs, leave, |seqs| gone.extend_from_slice(seqs));
        if !self.hands.handed.is_empty() {
            gone.sort_unstable();
            self.hands.handed.retain(|seq| gone.binary_search(seq).is_err());
        }
        count
    }

    /// Does the same with each message that this consumer holds, and passes over the others.
    fn each_of_mine(
        &mut self,
        seqs: &[u64],
        mut each: impl FnMut(&Shared<T>, u32, &mut Book<T>, u64) -> Option<usize>,
        mut found: impl FnMut(&[u64]),
    ) -> usize {
        let (mut count, mut rest) = (0, seqs);
        while !rest.is_empty() {
            let mine = self.of_mine(rest, &mut each);
            found(&rest[..mine]);
            count += mine;
            rest = &rest[mine.max(1)..];
        }
        count
    }

    /// Does the same with as many of the first of `seqs` as lie in one lane of this consumer: they come lane by lane as
    /// a rule, and then one lock is enough for each. `each` answers how many permits are to be given back for one, or
    /// nothing if it is not there.
    fn of_mine(
        &mut self,
        seqs: &[u64],
        mut each: impl FnMut(&Shared<T>, u32, &mut Book<T>, u64) -> Option<usize>,
    ) -> usize {
        let shared = &*self.queue.shared;
        for at in 0..self.hands.held.len() {
            let held = self.hands.held[at];
            let lane = shared.lane(held.lane);
            let mut book = lane.book();
            if !book.holds(held.grip) || shared.is_shut() {
                continue;
            }
            let (mut count, mut permits) = (0, 0);
            for &seq in seqs {
                let Some(given) = each(shared, held.lane, &mut book, seq) else { break };
                count += 1;
                permits += given;
            }
            if count == 0 {
                continue;
            }
            let over = book.in_hands() == 0;
            let ready = lane.settle(&mut book);
            drop(book);
            shared.give_permits(held.lane, permits);
            if ready {
                shared.push_token(held.lane);
            }
            if over {
                self.hands.held.remove(at);
            }
            return count;
        }
        0
    }
}

impl Hands {
    /// Takes a batch of a lane, whose token the caller has taken; says whether there was something.
    pub(super) fn take<T: Item>(
        &mut self,
        shared: &Shared<T>,
        index: u32,
        now: u64,
        room: usize,
        out: &mut Vec<Delivery<T>>,
    ) -> bool {
        let lane = shared.lane(index);
        let before = out.len();
        let mut book = lane.book();
        let Some(grip) = lane.take(&mut book, now, room, out) else {
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
}

impl<T: Item> Shared<T> {
    /// Acks what may be in any lane, in anybody's hands or in nobody's.
    #[cold]
    pub(super) fn ack_anywhere(&self, now: u64, seq: u64) -> bool {
        (0..).zip(&self.lanes).any(|(index, lane)| {
            let mut book = lane.book();
            let was_held = book.hold().is_some();
            if self.is_shut() || !book.ack(now, seq) {
                return false;
            }
            let ready = lane.relax(&mut book, was_held);
            drop(book);
            self.give_permits(index, 1);
            if ready {
                self.push_token(index);
            }
            true
        })
    }
}
