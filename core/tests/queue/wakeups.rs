//! Who is told, and when: threads that wait, and the descriptor (2.6).

use crate::{Message, explicit, poll, send, small};
use nexowire_core::queue::PollError::Closed;
use nexowire_core::queue::{Queue, QueueOptions};
use std::thread;
use std::time::Duration;

/// Longer than any test may take: a wait that comes back because of it has missed its wake-up.
const FOREVER: Duration = Duration::from_secs(3_600);

#[test]
fn a_wait_looks_before_it_waits() {
    let queue = Queue::new(small(1));
    let mut consumer = queue.consumer();
    assert!(!consumer.wait(Duration::ZERO));
    send(&queue, 0, [1]);
    assert!(consumer.wait(FOREVER));
    assert!(queue.consumer().wait(FOREVER), "a wait takes nothing");
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    send(&queue, 0, [2]);
    assert!(!consumer.wait(Duration::ZERO), "an arrival in an owned lane wakes nobody");
    assert_eq!(poll(&mut consumer, 0, 1), [2]);
    assert_eq!(poll(&mut consumer, 0, 1), [0_u64; 0]);
    queue.close();
    assert!(consumer.wait(FOREVER), "the end is worth a poll");
    assert!(consumer.wait(FOREVER));
}

/// Two threads hand one message to and fro over two queues: every hand-over is a sleep and a wake-up.
#[test]
fn a_wait_misses_nothing() {
    const ROUNDS: u64 = 20_000;
    let (ping, pong) = (Queue::new(small(1)), Queue::new(small(1)));
    let next = |queue: &Queue<Message>, seq: u64| {
        let mut consumer = queue.consumer();
        loop {
            match poll(&mut consumer, 0, 1)[..] {
                [got] => {
                    assert_eq!(got, seq);
                    assert_eq!(consumer.ack(0, &[seq]), 1);
                    return;
                }
                _ => assert!(consumer.wait(FOREVER)),
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            for seq in 0..ROUNDS {
                next(&ping, seq);
                send(&pong, 0, [seq]);
            }
        });
        for seq in 0..ROUNDS {
            send(&ping, 0, [seq]);
            next(&pong, seq);
        }
    });
}

/// A consumer that was woken and is dropped without a poll passes the news on.
#[test]
fn a_waiter_that_leaves_wakes_another() {
    for _ in 0..200 {
        let queue = Queue::new(small(1));
        thread::scope(|scope| {
            for _ in 0..3 {
                let consumer = queue.consumer();
                scope.spawn(move || assert!(consumer.wait(FOREVER)));
            }
            send(&queue, 0, [1]);
        });
    }
}

#[cfg(unix)]
mod descriptor {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll as poll_fds};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Whether the descriptor is readable: now, or, if it may wait, within an hour.
    fn readable(queue: &Queue<Message>, wait: bool) -> bool {
        let timeout = Timespec { tv_sec: if wait { 3_600 } else { 0 }, tv_nsec: 0 };
        let descriptor = queue.descriptor().unwrap();
        poll_fds(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&timeout)).unwrap() == 1
    }

    #[test]
    fn rule_2_6_readable_while_a_token_waits() {
        let queue = Queue::new(explicit(2));
        let mut consumer = queue.consumer();
        assert!(!readable(&queue, false));
        send(&queue, 0, [1]);
        assert!(readable(&queue, false));
        assert_eq!(poll(&mut consumer, 0, 64), [1]);
        assert!(readable(&queue, false), "only a poll that finds no token disarms it");
        assert_eq!(poll(&mut consumer, 0, 64), [0_u64; 0]);
        assert!(!readable(&queue, false));
        send(&queue, 0, [2]);
        assert!(!readable(&queue, false), "an arrival in an owned lane wakes nobody");
        assert_eq!(consumer.ack(0, &[1]), 1);
        assert!(readable(&queue, false), "freeing the lane does");
    }

    #[test]
    fn rule_2_6_made_late_it_knows_what_waits() {
        let queue = Queue::new(small(2));
        send(&queue, 0, [1]);
        assert!(readable(&queue, false));
        let empty = Queue::new(small(2));
        empty.close();
        assert!(readable(&empty, false), "the end is found out by polling, so it is readable too");
        assert_eq!(empty.consumer().poll(0, 1, &mut Vec::new()), Err(Closed));
        assert!(readable(&empty, false), "for everybody, for ever");
    }

    #[test]
    fn rule_2_6_ack_wait_makes_it_readable() {
        let queue = Queue::new(small(1));
        let mut gone = queue.consumer();
        let mut consumer = queue.consumer();
        send(&queue, 0, [1]);
        assert_eq!(poll(&mut gone, 0, 64), [1]);
        assert_eq!(poll(&mut consumer, 0, 64), [0_u64; 0]);
        assert!(!readable(&queue, false));
        assert_eq!(queue.advance(60_000), 1);
        assert!(readable(&queue, false));
    }

    #[test]
    fn rule_2_6_what_a_busy_consumer_leaves_makes_it_readable() {
        let queue = Queue::new(small(2));
        let mut busy = queue.consumer();
        send(&queue, 0, [1]);
        send(&queue, 1, [11]);
        assert!(readable(&queue, false));
        assert_eq!(poll(&mut busy, 0, 64), [1, 11]);
        send(&queue, 0, [2]);
        send(&queue, 1, [12]);
        let mut idle = queue.consumer();
        assert_eq!(poll(&mut idle, 0, 64), [0_u64; 0]);
        assert!(!readable(&queue, false));
        assert_eq!(poll(&mut busy, 0, 1), [2], "it has freed two lanes, and taken one");
        assert!(readable(&queue, false));
        assert_eq!(poll(&mut idle, 0, 64), [12]);
    }

    #[test]
    fn rule_8_4_the_last_reservation_given_back_makes_it_readable() {
        let queue = Queue::new(small(1));
        let reservation = queue.reserve(0).unwrap();
        queue.close();
        assert!(!readable(&queue, false));
        drop(reservation);
        assert!(readable(&queue, false));
    }

    /// A host that also reads the descriptor does no harm, if it polls until nothing comes, as it must.
    #[test]
    fn rule_2_6_a_host_may_read_it_too() {
        let queue = Queue::new(small(1));
        let mut consumer = queue.consumer();
        for seq in 0..3 {
            assert!(!readable(&queue, false));
            send(&queue, 0, [seq]);
            assert!(readable(&queue, false));
            let descriptor = queue.descriptor().unwrap();
            assert_eq!(rustix::io::read(descriptor, &mut [0; 8]), Ok(8));
            assert_eq!(poll(&mut consumer, 0, 64), [seq]);
            assert_eq!(poll(&mut consumer, 0, 64), [0_u64; 0]);
        }
    }

    /// Producers that often leave the queue empty, several pollers on one descriptor, all asleep most of the time. A
    /// lost wake-up is a poll(2) that times out; a descriptor that stays readable for nothing is one that spins, which
    /// the count of polls would show.
    #[test]
    fn rule_2_6_no_wake_up_is_lost() {
        const EACH: u64 = 30_000;
        for (pollers, lanes) in [(1, 1), (3, 2)] {
            let queue = Queue::new(QueueOptions { capacity: 2, ..small(lanes) });
            queue.descriptor().unwrap();
            let (got, polls) = (AtomicU64::new(0), AtomicU64::new(0));
            thread::scope(|scope| {
                for _ in 0..pollers {
                    let mut consumer = queue.consumer();
                    let (queue, got, polls) = (&queue, &got, &polls);
                    scope.spawn(move || {
                        let mut out = Vec::new();
                        while let Ok(count) = consumer.poll(0, 2, &mut out) {
                            polls.fetch_add(1, Ordering::Relaxed);
                            got.fetch_add(count as u64, Ordering::Relaxed);
                            if count == 0 {
                                assert!(readable(queue, true), "lost");
                            }
                        }
                    });
                }
                thread::scope(|scope| {
                    for producer in 0..2_u64 {
                        let queue = &queue;
                        scope.spawn(move || {
                            for n in 0..EACH {
                                let lane = (n % u64::from(lanes)) as u32;
                                let reservation = loop {
                                    match queue.reserve(lane) {
                                        Ok(reservation) => break reservation,
                                        Err(_) => thread::yield_now(),
                                    }
                                };
                                reservation.send(Message(producer * EACH + n));
                            }
                        });
                    }
                });
                queue.close();
            });
            assert_eq!(got.into_inner(), 2 * EACH);
            let polls = polls.into_inner();
            assert!(polls <= 2 * EACH * (pollers + 1) * 4, "{polls} polls by {pollers}");
            assert_eq!(queue.counters().acked, 2 * EACH);
        }
    }
}
