//! Permits: who gets in, and who leaves for it.

use crate::{Message, explicit, poll, send, small};
use nexowire_core::queue::{Queue, QueueOptions, Refused, WhenFull};
use std::sync::Barrier;
use std::thread;

fn dropping(capacity: u32) -> QueueOptions {
    QueueOptions { capacity, when_full: WhenFull::DropOldest, ..explicit(1) }
}

#[test]
fn rule_2_7_a_permit_is_held_until_the_ack() {
    let queue = Queue::new(QueueOptions { capacity: 2, ..explicit(2) });
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=2);
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full));
    send(&queue, 1, [3]); // Capacity is a lane's.
    assert_eq!(poll(&mut consumer, 0, 2), [1, 2]);
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full), "in hands");
    assert_eq!(consumer.release(0, &[1]), 1);
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full), "in front");
    assert_eq!(consumer.ack(0, &[2]), 1);
    send(&queue, 0, [4]);
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full));
    assert_eq!(poll(&mut consumer, 0, 64), [3, 1, 4]);
}

#[test]
fn rule_1_2_a_reservation_that_is_dropped_is_given_back() {
    let queue = Queue::new(QueueOptions { capacity: 1, ..small(1) });
    let reservation = queue.reserve(0).unwrap();
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full));
    let kept = reservation.into_owned();
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full), "it is one and the same");
    let other = queue.clone();
    drop(queue);
    drop(kept);
    other.reserve(0).unwrap().into_owned().send(Message(1));
    assert_eq!(other.counters().depth, 1);
}

/// Producers that want room in two queues at once. Whatever the interleaving, a message is in both or in neither.
#[test]
fn rule_1_4_room_in_all_queues_or_in_none() {
    const THREADS: u64 = 4;
    const EACH: u64 = 20_000;
    let one = Queue::new(QueueOptions { capacity: 64, ..small(1) });
    let two = Queue::new(QueueOptions { capacity: 5, ..small(1) });
    let start = Barrier::new(THREADS as usize);
    let sent = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (one, two, start) = (&one, &two, &start);
                scope.spawn(move || {
                    let mut sent = Vec::new();
                    let mut consumers = (one.consumer(), two.consumer());
                    let mut out = (Vec::new(), Vec::new());
                    start.wait();
                    for n in 0..EACH {
                        let seq = thread * EACH + n;
                        let both = one.reserve(0).and_then(|first| Ok((first, two.reserve(0)?)));
                        if let Ok((first, second)) = both {
                            first.send(Message(seq));
                            second.send(Message(seq));
                            sent.push(seq);
                        } else {
                            consumers.0.poll(0, 3, &mut out.0).unwrap();
                            consumers.1.poll(0, 3, &mut out.1).unwrap();
                        }
                    }
                    (sent, out)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let mut expected: Vec<u64> = sent.iter().flat_map(|(sent, _)| sent.clone()).collect();
    expected.sort_unstable();
    for (queue, which) in [(&one, 0), (&two, 1)] {
        // What consumers held when they were dropped has come back, and comes again.
        let mut got: Vec<u64> = Vec::new();
        for (_, out) in &sent {
            let out = if which == 0 { &out.0 } else { &out.1 };
            got.extend(out.iter().map(|delivery| delivery.item.0));
        }
        let mut consumer = queue.consumer();
        got.extend(std::iter::from_fn(|| Some(poll(&mut consumer, 0, 64)).filter(|last| !last.is_empty())).flatten());
        got.sort_unstable();
        got.dedup();
        assert_eq!(got, expected);
        let counters = queue.counters();
        assert_eq!((counters.depth, counters.unacked, counters.acked), (0, 0, expected.len() as u64));
    }
    let free = (0..5).map(|_| two.reserve(0)).collect::<Result<Vec<_>, _>>();
    assert!(free.is_ok(), "every permit is back");
}

#[test]
fn rule_2_8_the_oldest_in_nobodys_hands_leaves() {
    let queue = Queue::new(dropping(3));
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=4);
    assert_eq!(queue.counters().dropped, 1);
    assert_eq!(poll(&mut consumer, 0, 2), [2, 3]);
    assert_eq!(consumer.release(0, &[3]), 1);
    send(&queue, 0, [5]); // 3 leaves: it waits in front, and is older than 4.
    assert_eq!(consumer.ack(0, &[3]), 0);
    assert_eq!(consumer.ack(0, &[2]), 1);
    assert_eq!(poll(&mut consumer, 0, 64), [4, 5]);
    assert_eq!(queue.counters().dropped, 2);
}

#[test]
fn rule_2_8_one_over_capacity_beside_full_hands() {
    let queue = Queue::new(dropping(2));
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=2);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2]);
    send(&queue, 0, 3..=5);
    let counters = queue.counters();
    assert_eq!((counters.depth, counters.unacked, counters.dropped), (1, 2, 2), "3 and 4 left for 5");
    assert_eq!(consumer.release(0, &[1, 2]), 2);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2], "never more than the capacity is in hands");
    send(&queue, 0, [6]);
    assert_eq!(consumer.ack(0, &[1, 2]), 2);
    assert_eq!(poll(&mut consumer, 0, 64), [6]);
    assert_eq!(queue.counters().dropped, 3);
}

#[test]
fn rule_2_8_a_reload_to_drop_oldest_while_reservations_are_out() {
    let queue = Queue::new(QueueOptions { capacity: 2, ..explicit(1) });
    let mut consumer = queue.consumer();
    send(&queue, 0, [1]);
    assert_eq!(poll(&mut consumer, 0, 64), [1]);
    let reserved = queue.reserve(0).unwrap();
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full));
    queue.set_when_full(WhenFull::DropOldest);
    send(&queue, 0, [2]); // Beside.
    assert_eq!(consumer.release(0, &[1]), 1);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2]);
    send(&queue, 0, [3]); // Three permits of two are held, none by a message in nobody's hands but this one.
    assert_eq!(queue.counters().dropped, 1);
    reserved.send(Message(4)); // What was promised is kept.
    queue.set_when_full(WhenFull::Refuse);
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full));
    assert_eq!(consumer.ack(0, &[1, 2]), 2);
    assert_eq!(poll(&mut consumer, 0, 64), [4]);
}

#[test]
fn rule_8_4_drop_oldest_refuses_when_it_is_closed_only() {
    let queue = Queue::new(dropping(1));
    let ticket = queue.reserve(0).unwrap();
    queue.close();
    assert_eq!(queue.reserve(0).err(), Some(Refused::Closed));
    let mut consumer = queue.consumer();
    assert_eq!(poll(&mut consumer, 0, 1), [0_u64; 0], "a reservation is out");
    drop(ticket);
    assert!(consumer.poll(0, 1, &mut Vec::new()).is_err());
}
