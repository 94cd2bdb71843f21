//! The queues against `delivery.md`, sections 2, 3.3, 3.5 and 8.4: each rule by name (`rules`, `room`), under threads
//! (`threads`, `wakeups`), and against a model (`model`).

mod failures;
mod fake;
mod model;
mod room;
mod rules;
mod stored;
mod stored_threads;
mod threads;
mod wakeups;

use nexowire_core::queue::{Consumer, Delivery, Item, Queue, QueueOptions};

/// A message as the queue sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message(pub(crate) u64);

impl Item for Message {
    fn seq(&self) -> u64 {
        self.0
    }
}

/// Lanes of 8, and everything else as by default.
pub(crate) fn small(lanes: u32) -> QueueOptions {
    QueueOptions { lanes, capacity: 8, ..QueueOptions::default() }
}

/// Without an ack at the next poll, as with a store.
pub(crate) fn explicit(lanes: u32) -> QueueOptions {
    QueueOptions { ack_on_poll: false, ..small(lanes) }
}

pub(crate) fn send(queue: &Queue<Message>, lane: u32, seqs: impl IntoIterator<Item = u64>) {
    for seq in seqs {
        queue.reserve(lane).unwrap().send(Message(seq));
    }
}

/// Polls and returns the sequence numbers.
pub(crate) fn poll(consumer: &mut Consumer<Message>, now: u64, max: usize) -> Vec<u64> {
    deliveries(consumer, now, max).iter().map(|delivery| delivery.item.0).collect()
}

/// Polls and returns sequence numbers with attempts.
pub(crate) fn attempts(consumer: &mut Consumer<Message>, now: u64, max: usize) -> Vec<(u64, u32)> {
    deliveries(consumer, now, max).iter().map(|delivery| (delivery.item.0, delivery.attempt)).collect()
}

fn deliveries(consumer: &mut Consumer<Message>, now: u64, max: usize) -> Vec<Delivery<Message>> {
    let mut out = Vec::new();
    let count = consumer.poll(now, max, &mut out).unwrap();
    assert_eq!(count, out.len());
    out
}
