//! Many producers, many consumers. Nothing here depends on how long anything takes.

use crate::{Message, explicit, poll, send, small};
use nexowire_core::queue::{Consumer, Queue, QueueOptions, WhenFull};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// Longer than any test may take: a wait that comes back because of it has missed its wake-up.
const FOREVER: Duration = Duration::from_secs(3_600);

/// Sends `each` messages a producer, with numbers by one clock, and waits for room by polling nothing: it yields.
fn produce(queue: &Queue<Message>, producers: u64, each: u64, seqs: &AtomicU64) {
    thread::scope(|scope| {
        for producer in 0..producers {
            scope.spawn(move || {
                for n in 0..each {
                    let lane = ((producer + n) % u64::from(queue.lanes())) as u32;
                    let reservation = loop {
                        match queue.reserve(lane) {
                            Ok(reservation) => break reservation,
                            Err(_) => thread::yield_now(),
                        }
                    };
                    reservation.send(Message(seqs.fetch_add(1, Ordering::Relaxed)));
                }
            });
        }
    });
}

/// Polls, waiting when there is nothing, until the queue has ended.
fn consume(consumer: &mut Consumer<Message>, max: usize, mut each: impl FnMut(&mut Consumer<Message>, Vec<u64>)) {
    let mut out = Vec::new();
    while let Ok(count) = consumer.poll(0, max, &mut out) {
        if count == 0 {
            assert!(consumer.wait(FOREVER));
        } else {
            each(consumer, out.drain(..).map(|delivery| delivery.item.0).collect());
        }
    }
}

#[test]
fn rule_2_1_everything_is_delivered_exactly_once() {
    const EACH: u64 = 50_000;
    for ack_on_poll in [true, false] {
        for (lanes, max) in [(1, 64), (4, 3), (8, 64)] {
            let queue = Queue::new(QueueOptions { ack_on_poll, ..small(lanes) });
            let seqs = AtomicU64::new(0);
            let got = Mutex::new(Vec::new());
            thread::scope(|scope| {
                for _ in 0..3 {
                    let mut consumer = queue.consumer();
                    let got = &got;
                    scope.spawn(move || {
                        let mut mine = Vec::new();
                        consume(&mut consumer, max, |consumer, batch| {
                            if !ack_on_poll {
                                assert_eq!(consumer.ack(0, &batch), batch.len());
                            }
                            mine.extend(batch);
                        });
                        got.lock().unwrap().extend(mine);
                    });
                }
                produce(&queue, 3, EACH, &seqs);
                queue.close();
            });
            let mut got = got.into_inner().unwrap();
            got.sort_unstable();
            assert!(got.into_iter().eq(0..3 * EACH), "{lanes} lanes, {max} a poll");
            let counters = queue.counters();
            assert_eq!((counters.delivered, counters.acked), (3 * EACH, 3 * EACH));
        }
    }
}

/// One producer a lane, so that numbers rise in it; four consumers. Each notes what it gets under a lock that it takes
/// while it still holds the lane: the order in which messages are *finished*, over all consumers.
#[test]
fn rule_2_4_four_consumers_finish_each_lane_in_order() {
    const EACH: u64 = 40_000;
    let queue = Queue::new(small(4));
    let finished = Mutex::new(HashMap::<u64, Vec<u64>>::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut consumer = queue.consumer();
            let finished = &finished;
            scope.spawn(move || {
                consume(&mut consumer, 5, |_, batch| {
                    let mut finished = finished.lock().unwrap();
                    for seq in batch {
                        finished.entry(seq % 4).or_default().push(seq);
                    }
                });
            });
        }
        thread::scope(|scope| {
            for lane in 0..4 {
                let queue = &queue;
                scope.spawn(move || {
                    for n in 0..EACH {
                        let reservation = loop {
                            match queue.reserve(lane) {
                                Ok(reservation) => break reservation,
                                Err(_) => thread::yield_now(),
                            }
                        };
                        reservation.send(Message(n * 4 + u64::from(lane)));
                    }
                });
            }
        });
        queue.close();
    });
    let finished = finished.into_inner().unwrap();
    for lane in 0..4 {
        assert!(finished[&lane].iter().copied().eq((0..EACH).map(|n| n * 4 + lane)), "lane {lane}");
    }
}

/// A consumer stops while it holds a terminal's first message. Others poll on, and get everything of other terminals,
/// but not that one's second before the first is let go.
#[test]
fn rule_2_4_nobody_gets_the_second_before_the_first_is_let_go() {
    let queue = Queue::new(small(2));
    let (held, is_held) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let mut stopped = queue.consumer();
        send(&queue, 0, [1]);
        scope.spawn(move || {
            assert_eq!(poll(&mut stopped, 0, 64), [1]);
            held.send(()).unwrap();
            may_go.recv().unwrap();
            // Dropped here: 1 comes back.
        });
        is_held.recv().unwrap();
        let mut others = [queue.consumer(), queue.consumer()];
        send(&queue, 0, [2]);
        for round in 0..1_000 {
            send(&queue, 1, [10 + round]);
            let got: Vec<u64> = others.iter_mut().flat_map(|other| poll(other, 0, 64)).collect();
            assert_eq!(got, [10 + round]);
            others.reverse();
        }
        go.send(()).unwrap();
        let mut last = queue.consumer();
        assert!(others[0].wait(FOREVER), "freeing the lane wakes");
        assert_eq!(poll(&mut last, 0, 64), [1, 2]);
    });
}

/// A sender of `drop-oldest` never waits, and what it lets in is delivered or dropped, each once.
#[test]
fn rule_2_8_drop_oldest_loses_nothing_uncounted() {
    const EACH: u64 = 50_000;
    let queue = Queue::new(QueueOptions { when_full: WhenFull::DropOldest, ..small(2) });
    let seqs = AtomicU64::new(0);
    let got = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            let mut consumer = queue.consumer();
            let got = &got;
            scope.spawn(move || {
                consume(&mut consumer, 5, |_, batch| got.lock().unwrap().extend(batch));
            });
        }
        let watched = AtomicBool::new(true);
        thread::scope(|scope| {
            let (queue, watched) = (&queue, &watched);
            scope.spawn(move || {
                while watched.load(Ordering::Relaxed) {
                    let counters = queue.counters();
                    assert!(counters.depth + counters.unacked <= 2 * 9, "one over capacity at most: {counters:?}");
                }
            });
            produce(queue, 3, EACH, &seqs);
            watched.store(false, Ordering::Relaxed);
        });
        queue.close();
    });
    let mut got = got.into_inner().unwrap();
    let count = got.len() as u64;
    got.sort_unstable();
    got.dedup();
    assert_eq!(got.len() as u64, count, "delivered once");
    let counters = queue.counters();
    assert_eq!((counters.delivered, counters.delivered + counters.dropped), (count, 3 * EACH));
}

/// `ack_wait` ends all the time, acks come late, from others and twice, consumers are dropped and made anew. Nothing is
/// lost, each message is done once, and every permit comes back.
#[test]
fn rule_3_3_acks_race_with_ack_wait_and_with_each_other() {
    const EACH: u64 = 20_000;
    let queue = Queue::<Message>::new(QueueOptions { ack_wait_ms: 1, ..explicit(3) });
    let (seqs, clock, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for worker in 0..3_usize {
            let (queue, clock, done) = (&queue, &clock, &done);
            scope.spawn(move || {
                let mut consumer = queue.consumer();
                let mut out = Vec::new();
                let mut round = worker;
                loop {
                    round += 1;
                    let now = clock.fetch_add((round % 3) as u64, Ordering::Relaxed);
                    match consumer.poll(now, 1 + round % 7, &mut out) {
                        Err(_) => break,
                        Ok(0) => thread::yield_now(),
                        Ok(_) => {}
                    }
                    // Old ones too, so some are in front, some with others, some done.
                    let batch: Vec<u64> = out.iter().rev().take(5).map(|delivery| delivery.item.0).collect();
                    if round % 11 == 0 {
                        consumer.release(now, &batch);
                    }
                    done.fetch_add(consumer.ack(now, &batch) as u64, Ordering::Relaxed);
                    if round % 101 == 0 {
                        consumer = queue.consumer();
                    }
                    if out.len() > 64 {
                        out.drain(..32);
                    }
                }
            });
        }
        produce(&queue, 2, EACH, &seqs);
        queue.close();
    });
    let counters = queue.counters();
    assert_eq!(done.into_inner(), 2 * EACH);
    assert_eq!((counters.acked, counters.depth, counters.unacked), (2 * EACH, 0, 0));
}

/// Threads that wait when nothing comes are told of the end, and reservations race with it: whoever has one when the
/// queue is closed gets its message delivered.
#[test]
fn rule_8_4_close_races_with_reservations_and_waits() {
    for when_full in [WhenFull::Refuse, WhenFull::DropOldest] {
        for round in 0..500 {
            let queue = Queue::new(QueueOptions { when_full, capacity: 4_096, ..small(2) });
            let start = Barrier::new(4);
            let (sent, got) = (AtomicU64::new(0), AtomicU64::new(0));
            thread::scope(|scope| {
                for _ in 0..2 {
                    let mut consumer = queue.consumer();
                    let got = &got;
                    scope.spawn(move || {
                        consume(&mut consumer, 64, |_, batch| {
                            got.fetch_add(batch.len() as u64, Ordering::Relaxed);
                        });
                    });
                }
                for lane in 0..2 {
                    let (queue, start, sent) = (&queue, &start, &sent);
                    scope.spawn(move || {
                        start.wait();
                        for seq in 0..200 {
                            let Ok(reservation) = queue.reserve(lane) else { break };
                            if seq % 3 == 0 {
                                drop(reservation);
                            } else {
                                reservation.send(Message(seq));
                                sent.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        start.wait();
                    });
                }
                let (queue, start) = (&queue, &start);
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..round {
                        std::hint::spin_loop();
                    }
                    queue.close();
                    start.wait();
                });
                start.wait();
                start.wait();
            });
            assert_eq!(sent.into_inner(), got.into_inner());
        }
    }
}
