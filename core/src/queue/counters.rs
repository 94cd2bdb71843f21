//! What a queue says about itself.

use super::behind::Rows;
use super::{Item, Queue};

/// A snapshot of one queue. Each lane is right in itself; lanes are read one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that wait to be handed out, those that are in the backlog only included.
    pub depth: u64,
    /// Of these, the messages that are in the backlog only.
    pub spilled: u64,
    /// Messages that wait for the end of their delay, so far as they are in memory.
    pub delayed: u64,
    /// Messages that have been handed out and wait for their ack.
    pub unacked: u64,
    /// Hand-outs, those of one message again and again included.
    pub delivered: u64,
    /// Messages that a consumer has done with, by an ack or by its next poll.
    pub acked: u64,
    /// Messages that a consumer has given back, those of dropped consumers included; not those that `ack_wait` took.
    pub released: u64,
    /// Nacks.
    pub nacked: u64,
    /// Messages that left for newer ones.
    pub dropped: u64,
    /// Messages that left for the dead letters.
    pub dead: u64,
    /// Since when the oldest batch is in somebody's hands, in milliseconds of the engine's time: with `ack_wait` off,
    /// the only trace of a consumer that has vanished.
    pub oldest_hold: Option<u64>,
}

impl<T: Item> Queue<T> {
    /// Counts. It takes the lock of every lane in turn, which no producer of a `refuse` queue ever does.
    pub fn counters(&self) -> Counters {
        let mut all = Counters::default();
        for lane in &self.shared.lanes {
            let book = lane.book();
            all.depth += lane.waiting(&book);
            all.spilled += book.rows.as_ref().map_or(0, Rows::count);
            all.delayed += book.delayed.len() as u64;
            all.unacked += book.in_hands() as u64;
            all.delivered += book.counts.delivered;
            all.acked += book.counts.acked;
            all.released += book.counts.released;
            all.nacked += book.counts.nacked;
            all.dropped += book.counts.dropped;
            all.dead += book.counts.dead;
            let since = book.hold().map(|hold| hold.since);
            all.oldest_hold = [all.oldest_hold, since].into_iter().flatten().min();
        }
        all
    }
}
