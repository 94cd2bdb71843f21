//! Over a backlog, one leader and many consumers. Nothing here depends on how long anything takes.

use crate::fake::{Fake, over};
use crate::{Message, explicit};
use nexowire_core::queue::{Dead, Fate, Nack, PollError, Queue, QueueOptions, WhenFull};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;

const MESSAGES: u64 = 30_000;

/// Stores and publishes, writes what has changed now and then, and lets the backlog fail and heal. Counts the dead.
fn lead(queue: &Queue<Message>, fake: &Fake, reopens: bool) -> u64 {
    let (mut changes, mut dead) = (Vec::new(), Vec::<Dead<Message>>::new());
    for seq in 1..=MESSAGES {
        let lane = (seq % u64::from(queue.lanes())) as u32;
        let reservation = queue.reserve(lane).unwrap();
        fake.insert(lane, seq);
        reservation.publish(seq, Message(seq));
        fake.set_fails(seq % 97 < 7);
        if seq % 13 == 0 {
            queue.take_changes(&mut changes);
            fake.apply(&changes);
            changes.clear();
        }
        if reopens && seq % 1_999 == 0 {
            queue.restore(fake.counts(queue.lanes(), seq));
        }
    }
    fake.set_fails(false);
    queue.close();
    queue.take_dead(&mut dead) as u64
}

/// Acks, nacks and releases by turns until the queue has ended; returns how many acks counted, and adds to `first` what
/// was handed out for the first time.
fn work(queue: &Queue<Message>, clock: &AtomicU64, worker: usize, first: &Mutex<Vec<u64>>) -> u64 {
    let mut consumer = queue.consumer();
    let (mut out, mut done) = (Vec::new(), 0);
    for round in worker.. {
        let now = clock.fetch_add(1, Ordering::Relaxed);
        match consumer.poll(now, 1 + round % 7, &mut out) {
            Err(PollError::Closed) => break,
            Err(_) | Ok(0) => thread::yield_now(),
            Ok(count) => {
                let new = out[out.len() - count..].iter().filter(|delivery| delivery.attempt == 1);
                first.lock().unwrap().extend(new.map(|delivery| delivery.item.0));
            }
        }
        let batch: Vec<u64> = out.iter().rev().take(6).map(|delivery| delivery.item.0).collect();
        match round % 11 {
            0 => consumer.release(now, &batch),
            1 => consumer.nack(now, &batch, &Nack { delay_ms: Some((round % 5) as u64), ..Nack::default() }),
            2 => consumer.extend(now, &batch),
            _ => {
                let count = consumer.ack(now, &batch);
                done += count as u64;
                count
            }
        };
        if round % 101 == 0 {
            consumer = queue.consumer();
        }
        if out.len() > 64 {
            out.drain(..32);
        }
    }
    done
}

/// Whatever the interleaving of publishing, reading, acking and failing: each message is done once, the store is told
/// of each, and every permit comes back.
#[test]
fn rule_4_2_everything_is_done_once_and_written() {
    for (when_full, lanes, max_attempts) in [(WhenFull::Spill, 2, u32::MAX), (WhenFull::DropOldest, 3, 2)] {
        let options = QueueOptions { when_full, max_attempts, ack_wait_ms: 3, ..explicit(lanes) };
        let (queue, fake) = over(options);
        let (clock, done, first) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(Vec::<u64>::new()));
        let mut dead = thread::scope(|scope| {
            for worker in 0..3 {
                let (queue, clock, done, first) = (&queue, &clock, &done, &first);
                scope.spawn(move || done.fetch_add(work(queue, clock, worker, first), Ordering::Relaxed));
            }
            lead(&queue, &fake, false)
        });
        dead += queue.take_dead(&mut Vec::new()) as u64;
        let counters = queue.counters();
        assert_eq!((counters.acked, counters.dead), (done.into_inner(), dead));
        assert_eq!(counters.acked + counters.dead + counters.dropped, MESSAGES, "{counters:?}");
        assert_eq!((counters.depth, counters.unacked, counters.delayed), (0, 0, 0));
        let mut changes = Vec::new();
        queue.take_changes(&mut changes);
        fake.apply(&changes);
        assert_eq!(fake.len(), 0, "the store was told of each");
        let mut first = first.into_inner().unwrap();
        first.sort_unstable();
        let count = first.len();
        first.dedup();
        assert_eq!(first.len(), count, "handed out for the first time once");
    }
}

/// Reopenings under way: what was acked is never handed out again, and nothing is lost.
#[test]
fn rule_8_2_a_restore_races_with_polls_and_acks() {
    let (queue, fake) = over(QueueOptions { when_full: WhenFull::Spill, max_attempts: u32::MAX, ..explicit(2) });
    let (clock, done, first) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(Vec::<u64>::new()));
    thread::scope(|scope| {
        for worker in 0..3 {
            let (queue, clock, done, first) = (&queue, &clock, &done, &first);
            scope.spawn(move || done.fetch_add(work(queue, clock, worker, first), Ordering::Relaxed));
        }
        lead(&queue, &fake, true);
    });
    let mut changes = Vec::new();
    queue.take_changes(&mut changes);
    fake.apply(&changes);
    assert_eq!((fake.len(), done.into_inner()), (0, MESSAGES), "each is acked once");
    let counters = queue.counters();
    assert_eq!((counters.acked, counters.depth, counters.unacked), (MESSAGES, 0, 0));
}

/// Two consumers finish a lane in the order of publishing, whatever of it went by way of the backlog.
#[test]
fn rule_4_2_order_holds_while_a_lane_falls_behind_and_catches_up() {
    let (queue, fake) = over(QueueOptions { when_full: WhenFull::Spill, ..explicit(1) });
    let (start, got) = (Barrier::new(3), Mutex::new(Vec::<u64>::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            let (queue, start, got) = (&queue, &start, &got);
            scope.spawn(move || {
                let mut consumer = queue.consumer();
                let mut out = Vec::new();
                start.wait();
                loop {
                    match consumer.poll(0, 3, &mut out) {
                        Err(_) => break,
                        Ok(0) => assert!(consumer.wait(std::time::Duration::from_secs(3_600))),
                        Ok(_) => {}
                    }
                    let seqs: Vec<u64> = out.drain(..).map(|delivery| delivery.item.0).collect();
                    // Before the acks: the lane is still this consumer's.
                    got.lock().unwrap().extend(&seqs);
                    assert_eq!(consumer.ack(0, &seqs), seqs.len());
                }
            });
        }
        start.wait();
        for seq in 1..=MESSAGES {
            fake.insert(0, seq);
            queue.reserve(0).unwrap().publish(0, Message(seq));
            if seq % 64 == 0 {
                let mut changes = Vec::new();
                queue.take_changes(&mut changes);
                fake.apply(&changes);
            }
        }
        queue.close();
    });
    assert!(got.into_inner().unwrap().into_iter().eq(1..=MESSAGES));
}

/// However an ack and the end of a queue overlap: if it counted, the changes that are taken next have it.
#[test]
fn rule_8_4_what_counted_is_told_when_the_queue_is_shut() {
    const LANES: u32 = 64;
    for round in 0..300 {
        let (queue, fake) = over(explicit(LANES));
        for lane in 0..LANES {
            fake.insert(lane, u64::from(lane) + 1);
            queue.reserve(lane).unwrap().publish(0, Message(u64::from(lane) + 1));
        }
        let (start, acked) = (Barrier::new(2), AtomicU64::new(0));
        let told = thread::scope(|scope| {
            scope.spawn(|| {
                let (mut consumer, mut out) = (queue.consumer(), Vec::new());
                assert_eq!(consumer.poll(0, LANES as usize, &mut out), Ok(LANES as usize));
                // The attempts are written, so that an ack is the first that its lane has to tell.
                assert_eq!(queue.take_changes(&mut Vec::new()), LANES as usize);
                start.wait();
                for delivery in out {
                    acked.fetch_add(consumer.ack(0, &[delivery.item.0]) as u64, Ordering::Relaxed);
                }
            });
            start.wait();
            while acked.load(Ordering::Relaxed) < round % u64::from(LANES) {
                thread::yield_now();
            }
            queue.shut();
            let mut changes = Vec::new();
            queue.take_changes(&mut changes);
            changes.iter().filter(|change| change.fate == Fate::Done).count() as u64
        });
        assert_eq!(told, acked.into_inner());
    }
}
