//! Over a backlog: sections 1.4, 2.8, 4, 5 and 8. The number in a name is the rule's.

use crate::fake::{Fake, commit, over, publish};
use crate::{Message, attempts, explicit, poll};
use nexowire_core::queue::{Fate, Nack, PollError, Published, Queue, QueueOptions, Refused, WhenFull};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const WAIT: u64 = 60_000;

fn spilling(capacity: u32) -> (Queue<Message>, Arc<Fake>) {
    over(QueueOptions { capacity, when_full: WhenFull::Spill, ..explicit(1) })
}

fn dropping(capacity: u32) -> (Queue<Message>, Arc<Fake>) {
    over(QueueOptions { capacity, when_full: WhenFull::DropOldest, ..explicit(1) })
}

fn after(delay_ms: u64) -> Nack {
    Nack { delay_ms: Some(delay_ms), ..Nack::default() }
}

/// As a process that starts: rows are there, and nothing in memory.
fn open(queue: &Queue<Message>, fake: &Fake, seqs: impl IntoIterator<Item = u64>) {
    seqs.into_iter().for_each(|seq| fake.insert(0, seq));
    let last = fake.lane(0).last().copied().unwrap_or(0);
    queue.restore(fake.counts(1, last));
}

#[test]
fn rule_2_3_over_a_backlog_a_poll_acks_nothing() {
    let (queue, fake) = over(QueueOptions { ack_on_poll: true, ..explicit(1) });
    let mut consumer = queue.consumer();
    publish(&queue, &fake, 0, 1..=2);
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    assert_eq!(poll(&mut consumer, 0, 1), [0_u64; 0]);
    assert_eq!((queue.counters().acked, queue.counters().unacked), (0, 1));
}

#[test]
fn rule_4_1_a_lane_without_a_permit_spills_and_all_that_follows() {
    let (queue, fake) = spilling(2);
    let mut consumer = queue.consumer();
    let published = |seq| {
        fake.insert(0, seq);
        queue.reserve(0).unwrap().publish(0, Message(seq))
    };
    assert_eq!([1, 2, 3].map(published), [Published::Entered, Published::Entered, Published::Spilled]);
    assert_eq!((queue.counters().depth, queue.counters().spilled), (3, 1));
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2]);
    assert_eq!(consumer.ack(0, &[1, 2]), 2);
    assert_eq!(published(4), Published::Spilled, "3 is before it");
    assert_eq!(poll(&mut consumer, 0, 64), [3], "half the capacity at a time");
    assert_eq!(consumer.ack(0, &[3]), 1);
    assert_eq!(poll(&mut consumer, 0, 64), [4]);
    assert_eq!(published(5), Published::Entered, "everything published has been read");
    assert_eq!((queue.counters().depth, queue.counters().spilled), (1, 0));
}

#[test]
fn rule_4_2_a_lane_that_is_behind_hands_out_everything_once_and_in_order() {
    for (capacity, at_most) in [(1, 0), (2, 1), (5, 0), (8, 3)] {
        let (queue, fake) = spilling(capacity);
        fake.set_at_most(at_most);
        publish(&queue, &fake, 0, 1..=50);
        let mut consumer = queue.consumer();
        let mut got = Vec::new();
        loop {
            let batch = poll(&mut consumer, 0, 3);
            if batch.is_empty() {
                break;
            }
            assert_eq!(consumer.ack(0, &batch), batch.len());
            if got.len() < 20 {
                publish(&queue, &fake, 0, [51 + got.len() as u64 * 10]);
            }
            got.extend(batch);
            commit(&queue, &fake);
        }
        assert!(got.is_sorted() && got.len() >= 50, "{got:?}");
        assert_eq!((fake.len(), queue.counters().depth), (0, 0));
    }
}

#[test]
fn rule_4_2_a_lane_that_is_behind_spills_whatever_when_full_says_by_now() {
    for when_full in [WhenFull::Refuse, WhenFull::DropOldest] {
        let (queue, fake) = spilling(2);
        let mut consumer = queue.consumer();
        publish(&queue, &fake, 0, 1..=4);
        queue.set_when_full(when_full);
        assert_eq!(poll(&mut consumer, 0, 64), [1, 2]);
        assert_eq!(consumer.ack(0, &[1, 2]), 2);
        assert_eq!(poll(&mut consumer, 0, 64), [3]);
        assert_eq!(consumer.ack(0, &[3]), 1);
        fake.insert(0, 5);
        assert_eq!(queue.reserve(0).unwrap().publish(0, Message(5)), Published::Spilled);
        assert_eq!(poll(&mut consumer, 0, 64), [4]);
        assert_eq!(consumer.ack(0, &[4]), 1);
        assert_eq!(poll(&mut consumer, 0, 64), [5]);
    }
}

#[test]
fn rule_4_2_a_reader_reads_no_further_than_what_is_published() {
    let (queue, fake) = spilling(1);
    let mut consumer = queue.consumer();
    publish(&queue, &fake, 0, 1..=2);
    fake.insert(0, 3); // Durable, and not published yet.
    for seq in 1..=2 {
        assert_eq!(poll(&mut consumer, 0, 64), [seq]);
        assert_eq!(consumer.ack(0, &[seq]), 1);
    }
    assert_eq!(poll(&mut consumer, 0, 64), [0_u64; 0]);
    queue.reserve(0).unwrap().publish(0, Message(3));
    assert_eq!(poll(&mut consumer, 0, 64), [3]);
}

#[test]
fn rule_4_3_an_opening_is_the_same_as_a_spill() {
    let (queue, fake) = spilling(4);
    let mut consumer = queue.consumer();
    fake.put(0, 1, (3, 2, 500));
    fake.put(0, 2, (1, 0, 0));
    open(&queue, &fake, [7]);
    assert_eq!((queue.counters().depth, queue.counters().spilled), (3, 3));
    assert_eq!(attempts(&mut consumer, 100, 64), [(2, 2)], "1 waits for its delay, which outlives the restart");
    assert_eq!(queue.counters().delayed, 1);
    assert_eq!(queue.next_deadline(), Some(500));
    assert_eq!(consumer.ack(100, &[2]), 1);
    assert_eq!(attempts(&mut consumer, 500, 64), [(1, 4), (7, 1)]);
    assert_eq!(consumer.nack(500, &[1], &after(0)), 1);
    let state = Fate::State { attempt: 4, failures: 3, due: 0 };
    assert_eq!(commit(&queue, &fake)[0], (1, state), "and so do the failures");
}

#[test]
fn rule_1_4_refuse_counts_what_is_still_in_the_store() {
    let (queue, fake) = over(QueueOptions { capacity: 3, ..explicit(1) });
    let mut consumer = queue.consumer();
    open(&queue, &fake, 1..=5);
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full), "below zero");
    for seq in [1, 2] {
        assert_eq!(poll(&mut consumer, 0, 1), [seq]);
        assert_eq!(queue.reserve(0).err(), Some(Refused::Full));
        assert_eq!(consumer.ack(0, &[seq]), 1);
    }
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full), "three are pending");
    assert_eq!(poll(&mut consumer, 0, 1), [3]);
    assert_eq!(consumer.ack(0, &[3]), 1);
    assert!(queue.reserve(0).is_ok());
}

#[test]
fn rule_2_7_what_waits_for_its_delay_leaves_no_room_for_what_is_behind() {
    let (queue, fake) = spilling(2);
    let mut consumer = queue.consumer();
    publish(&queue, &fake, 0, 1..=4);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2]);
    assert_eq!(consumer.nack(0, &[1, 2], &after(10)), 2);
    assert_eq!(poll(&mut consumer, 0, 64), [0_u64; 0], "capacity bounds memory");
    assert!(!consumer.wait(std::time::Duration::ZERO), "and so there is no token");
    assert_eq!(queue.consumer().ack(0, &[1]), 1);
    assert!(consumer.wait(std::time::Duration::ZERO));
    assert_eq!(poll(&mut consumer, 0, 64), [3], "a late ack makes room");
    assert_eq!(consumer.ack(0, &[3]), 1);
    assert_eq!(poll(&mut consumer, 10, 64), [2, 4]);
}

#[test]
fn rule_2_8_drop_oldest_bounds_the_stored_backlog() {
    let (queue, fake) = dropping(2);
    publish(&queue, &fake, 0, 1..=9);
    let done = commit(&queue, &fake);
    assert!(done.into_iter().eq((1..=7).map(|seq| (seq, Fate::Done))));
    assert_eq!((fake.lane(0), queue.counters().dropped, queue.counters().spilled), (vec![8, 9], 7, 0));
    let mut consumer = queue.consumer();
    assert_eq!(poll(&mut consumer, 0, 64), [8, 9]);
    publish(&queue, &fake, 0, 10..=11);
    assert_eq!(queue.counters().dropped, 8, "11 entered beside those in hands, in the place of 10");
}

#[test]
fn rule_2_8_drop_oldest_drops_from_behind() {
    let (queue, fake) = dropping(2);
    open(&queue, &fake, 1..=3);
    publish(&queue, &fake, 0, 4..=5);
    assert_eq!((queue.counters().dropped, queue.counters().depth), (2, 3), "one for each that comes");
    commit(&queue, &fake);
    assert_eq!(fake.lane(0), [3, 4, 5]);
    fake.set_fails(true);
    publish(&queue, &fake, 0, [6]);
    assert_eq!(queue.counters().dropped, 2, "which is the oldest cannot be read");
    fake.set_fails(false);
    let mut consumer = queue.consumer();
    for seq in 3..=6 {
        assert_eq!(poll(&mut consumer, 0, 64), [seq]);
        assert_eq!(consumer.ack(0, &[seq]), 1);
    }
}

#[test]
fn rule_5_changes_are_one_a_message() {
    let (queue, fake) = over(explicit(1));
    let mut consumer = queue.consumer();
    publish(&queue, &fake, 0, 1..=5);
    assert_eq!((queue.unwritten(), queue.oldest_unwritten()), (0, None), "an arrival is no change");
    assert_eq!(poll(&mut consumer, 7, 64), [1, 2, 3, 4, 5]);
    assert_eq!(consumer.ack(8, &[1, 2]), 2);
    assert_eq!(consumer.nack(9, &[4], &after(10)), 1);
    assert_eq!(consumer.nack(9, &[5], &Nack { dead: true, ..Nack::default() }), 1);
    assert_eq!((queue.unwritten(), queue.oldest_unwritten()), (5, Some(7)));
    let state = |attempt, failures, due| Fate::State { attempt, failures, due };
    let dead = Fate::Dead { reason: "nack".into(), attempts: 1 };
    let expected = [(1, Fate::Done), (2, Fate::Done), (3, state(1, 0, 0)), (4, state(1, 1, 19)), (5, dead)];
    assert_eq!(commit(&queue, &fake), expected);
    assert_eq!(queue.take_dead(&mut Vec::new()), 1);
    assert_eq!((queue.unwritten(), queue.oldest_unwritten()), (0, None));
    assert_eq!(consumer.ack(20, &[4]), 1);
    assert_eq!(queue.oldest_unwritten(), Some(20));
    assert_eq!(queue.advance(9 + WAIT), 1);
    assert_eq!(commit(&queue, &fake), [(3, state(1, 1, 0)), (4, Fate::Done)], "the end of ack_wait is a failure");
}

#[test]
fn rule_8_1_a_failing_backlog_is_an_error_only_when_there_is_nothing_else() {
    let (queue, fake) = over(QueueOptions { capacity: 2, when_full: WhenFull::Spill, ..explicit(3) });
    let mut consumer = queue.consumer();
    publish(&queue, &fake, 0, 1..=4);
    publish(&queue, &fake, 1, 5..=7);
    fake.set_fails(true);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2, 5, 6], "memory is durable");
    assert_eq!(consumer.ack(0, &[1, 2, 5, 6]), 4);
    let reads = fake.reads.load(Ordering::Relaxed);
    let mut out = Vec::new();
    assert_eq!(consumer.poll(0, 64, &mut out), Err(PollError::Store));
    assert_eq!(fake.reads.load(Ordering::Relaxed), reads + 1, "one failure is enough for one poll");
    assert!(consumer.wait(std::time::Duration::ZERO), "both lanes keep their tokens");
    publish(&queue, &fake, 2, [8]);
    assert_eq!(poll(&mut consumer, 0, 64), [8]);
    fake.set_fails(false);
    assert_eq!(poll(&mut consumer, 0, 64), [3, 7], "and their marks");
}

#[test]
fn rule_8_2_after_a_restore_consumers_hold_nothing_and_late_acks_count() {
    let (queue, fake) = spilling(4);
    let mut consumer = queue.consumer();
    publish(&queue, &fake, 0, 1..=6);
    assert_eq!(poll(&mut consumer, 0, 3), [1, 2, 3]);
    let reserved = queue.reserve(0).unwrap();
    commit(&queue, &fake);
    assert_eq!(consumer.ack(0, &[1]), 1, "not written yet");
    queue.restore(fake.counts(1, 6));
    let counters = queue.counters();
    assert_eq!((counters.depth, counters.spilled, counters.unacked), (5, 5, 0));
    assert_eq!(consumer.release(0, &[2, 3]) + consumer.extend(0, &[2, 3]), 0);
    let mut missed = Vec::new();
    assert_eq!(consumer.ack_or_miss(0, &[2, 9], |seq| missed.push(seq)), 0);
    assert_eq!(missed, [2, 9], "to be looked up");
    assert!(queue.ack_behind(0, 0, 2));
    assert!(!queue.ack_behind(0, 0, 2), "finished");
    assert!(!queue.ack_behind(0, 0, 1), "finished before");
    assert_eq!(attempts(&mut consumer, 0, 64), [(3, 2), (4, 1)]);
    assert_eq!(consumer.ack(0, &[3, 4]), 2);
    fake.insert(0, 7);
    reserved.publish(0, Message(7));
    assert_eq!(poll(&mut consumer, 0, 64), [5, 6]);
    assert_eq!(consumer.ack(0, &[5, 6]), 2);
    assert_eq!(poll(&mut consumer, 0, 64), [7]);
    assert_eq!(consumer.ack(0, &[7]), 1);
    commit(&queue, &fake);
    assert_eq!(fake.len(), 0);
    queue.close();
    assert_eq!(consumer.poll(0, 1, &mut Vec::new()), Err(PollError::Closed), "every permit is back");
}

#[test]
fn rule_8_4_shut_ends_it_at_once() {
    let (queue, fake) = spilling(2);
    let mut consumer = queue.consumer();
    publish(&queue, &fake, 0, 1..=5);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2]);
    assert_eq!(consumer.ack(0, &[1]), 1);
    queue.shut();
    assert_eq!(consumer.poll(0, 64, &mut Vec::new()), Err(PollError::Closed));
    assert_eq!(consumer.ack(0, &[2]) + consumer.nack(0, &[2], &after(0)) + consumer.release(0, &[2]), 0);
    assert!(!queue.ack_behind(0, 0, 5));
    assert!(queue.has_ended() && consumer.wait(std::time::Duration::ZERO));
    assert_eq!(queue.reserve(0).err(), Some(Refused::Closed));
    let changes = commit(&queue, &fake);
    assert_eq!(changes[0], (1, Fate::Done), "what was acked before is written");
    assert_eq!(changes.len(), 2);
}

#[test]
fn rule_8_4_a_removed_queue_is_drained_from_its_backlog_too() {
    let (queue, fake) = spilling(2);
    let mut consumer = queue.consumer();
    publish(&queue, &fake, 0, 1..=3);
    queue.close();
    for expected in [vec![1, 2], vec![3]] {
        assert_eq!(poll(&mut consumer, 0, 64), expected);
        assert_eq!(consumer.ack(0, &expected), expected.len());
    }
    assert_eq!(consumer.poll(0, 64, &mut Vec::new()), Err(PollError::Closed));
}

/// Without a backlog there is nowhere to spill to, and nobody to tell.
#[test]
fn without_a_backlog_spill_refuses_and_nothing_is_noted() {
    let queue = Queue::new(QueueOptions { capacity: 1, when_full: WhenFull::Spill, ..explicit(1) });
    let mut consumer = queue.consumer();
    assert_eq!(queue.reserve(0).unwrap().publish(0, Message(1)), Published::Entered);
    assert_eq!(queue.reserve(0).err(), Some(Refused::Full));
    assert_eq!(poll(&mut consumer, 0, 64), [1]);
    assert_eq!(consumer.ack(0, &[1]), 1);
    assert_eq!((queue.unwritten(), queue.take_changes(&mut Vec::new())), (0, 0));
}
