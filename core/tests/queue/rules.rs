//! One thread, one rule a test. The number in a name is the rule's.

use crate::{Message, attempts, explicit, poll, send, small};
use nexowire_core::queue::PollError::Closed;
use nexowire_core::queue::{Queue, QueueOptions, Refused, lane_of};

const WAIT: u64 = 60_000;

#[test]
fn smoke() {
    let queue = Queue::new(small(4));
    let mut consumer = queue.consumer();
    assert_eq!(poll(&mut consumer, 0, 64), [0_u64; 0]);
    send(&queue, queue.lane_of(b"V400m-1"), 1..=3);
    assert_eq!(attempts(&mut consumer, 0, 64), [(1, 1), (2, 1), (3, 1)]);
    assert_eq!(poll(&mut consumer, 0, 64), [0_u64; 0]);
    let counters = queue.counters();
    assert_eq!((counters.depth, counters.unacked, counters.delivered, counters.acked), (0, 0, 3, 3));
}

/// The vectors of the hash's authors (isthe.com/chongo/src/fnv/test_fnv.c).
#[test]
fn rule_1_11_a_lane_is_fnv_1a() {
    for (key, hash) in [
        ("", 0xcbf2_9ce4_8422_2325_u64),
        ("a", 0xaf63_dc4c_8601_ec8c),
        ("b", 0xaf63_df4c_8601_f1a5),
        ("foo", 0xdcb2_7518_fed9_d577),
        ("foobar", 0x8594_4171_f739_67e8),
    ] {
        for lanes in [1, 3, 8, 256] {
            assert_eq!(u64::from(lane_of(key.as_bytes(), lanes)), hash % u64::from(lanes), "{key}, {lanes} lanes");
        }
    }
}

#[test]
fn rule_2_1_front_then_channel_by_rising_numbers() {
    let queue = Queue::new(explicit(1));
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=4);
    assert_eq!(poll(&mut consumer, 0, 4), [1, 2, 3, 4]);
    send(&queue, 0, [5]);
    assert_eq!(consumer.release(0, &[4, 2, 3]), 3);
    assert_eq!(consumer.ack(0, &[1]), 1);
    assert_eq!(attempts(&mut consumer, 0, 64), [(2, 2), (3, 2), (4, 2), (5, 1)]);
}

#[test]
fn rule_2_1_overlapping_calls_may_invert_their_numbers() {
    let queue = Queue::new(explicit(1));
    let mut consumer = queue.consumer();
    send(&queue, 0, [2, 1, 4, 3]);
    assert_eq!(poll(&mut consumer, 0, 64), [2, 1, 4, 3]);
    assert_eq!(consumer.ack(0, &[1, 4]), 2);
    assert_eq!(consumer.release(0, &[3, 2]), 2);
    assert_eq!(poll(&mut consumer, 0, 64), [2, 3]);
}

#[test]
fn rule_2_2_what_arrives_in_an_owned_lane_waits() {
    let queue = Queue::new(small(1));
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    send(&queue, 0, [1]);
    assert_eq!(poll(&mut first, 0, 1), [1]);
    send(&queue, 0, [2]);
    assert_eq!(poll(&mut second, 0, 64), [0_u64; 0]);
    assert_eq!(poll(&mut first, 0, 64), [2]);
}

#[test]
fn rule_2_2_a_poll_takes_one_batch_a_lane() {
    let queue = Queue::new(explicit(1));
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=4);
    assert_eq!(poll(&mut consumer, 0, 2), [1, 2]);
    assert_eq!(poll(&mut consumer, 0, 2), [0_u64; 0], "also not for the one that holds it");
    assert_eq!(consumer.ack(0, &[1]), 1);
    assert_eq!(poll(&mut consumer, 0, 2), [0_u64; 0], "a part of the batch is left");
    assert_eq!(consumer.ack(0, &[2]), 1);
    assert_eq!(poll(&mut consumer, 0, 2), [3, 4]);
}

#[test]
fn rule_2_2_a_poll_takes_its_share_rounded_up() {
    let queue = Queue::new(small(5));
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    for lane in 0..5 {
        send(&queue, lane, [u64::from(lane)]);
    }
    assert_eq!(poll(&mut first, 0, 64), [0, 1, 2], "of 5 lanes for 2 consumers 3");
    assert_eq!(poll(&mut second, 0, 64), [3], "of 2 lanes for 2 consumers 1");
    drop(second); // It gives back lane 3.
    assert_eq!(poll(&mut first, 0, 64), [4, 3], "alone it takes all");
}

#[test]
fn rule_2_2_a_poll_goes_on_until_it_is_full() {
    let queue = Queue::new(small(3));
    let mut consumer = queue.consumer();
    for lane in 0..3 {
        send(&queue, lane, [u64::from(lane) * 10, u64::from(lane) * 10 + 1]);
    }
    assert_eq!(poll(&mut consumer, 0, 5), [0, 1, 10, 11, 20]);
    assert_eq!(poll(&mut consumer, 0, 5), [21]);
}

#[test]
fn rule_2_3_a_freed_lane_goes_to_the_end() {
    let queue = Queue::new(small(3));
    let mut consumer = queue.consumer();
    for lane in 0..3 {
        send(&queue, lane, (0..3).map(|n| u64::from(lane) * 10 + n));
    }
    let order: Vec<u64> = (0..9).flat_map(|_| poll(&mut consumer, 0, 1)).collect();
    assert_eq!(order, [0, 10, 20, 1, 11, 21, 2, 12, 22], "no lane starves another");
}

#[test]
fn rule_2_3_the_next_poll_acks_without_a_store() {
    let queue = Queue::new(small(1));
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=2);
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    assert_eq!((queue.counters().unacked, queue.counters().acked), (1, 0));
    assert_eq!(poll(&mut consumer, 0, 1), [2]);
    assert_eq!((queue.counters().unacked, queue.counters().acked), (1, 1));
}

#[test]
fn rule_2_3_the_next_poll_does_not_ack_what_was_released() {
    let queue = Queue::new(small(1));
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=2);
    assert_eq!(poll(&mut consumer, 0, 2), [1, 2]);
    assert_eq!(consumer.release(0, &[1]), 1);
    assert_eq!(attempts(&mut consumer, 0, 2), [(1, 2)], "2 is acked, 1 comes again");
}

/// 3.3 and 2.3 together: the ack of the next poll is an ack like any other, so it counts when it is late.
#[test]
fn rule_2_3_the_next_poll_acks_what_was_taken_away() {
    let queue = Queue::new(small(1));
    let (mut slow, mut other) = (queue.consumer(), queue.consumer());
    send(&queue, 0, 1..=3);
    assert_eq!(poll(&mut slow, 0, 2), [1, 2]);
    assert_eq!(attempts(&mut other, WAIT, 1), [(1, 2)]);
    assert_eq!(poll(&mut slow, WAIT, 64), [3], "1 is acked in the other's hands, 2 in front");
    assert_eq!(poll(&mut other, WAIT, 64), [0_u64; 0]);
    assert_eq!(queue.counters().acked, 2);
}

#[test]
fn rule_2_4_nothing_overtakes_what_waits_in_front() {
    let queue = Queue::new(explicit(1));
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    send(&queue, 0, 1..=3);
    assert_eq!(poll(&mut first, 0, 2), [1, 2]);
    assert_eq!(first.release(0, &[1]), 1);
    assert_eq!(poll(&mut second, 0, 64), [0_u64; 0], "2 is still in somebody's hands");
    assert_eq!(first.ack(0, &[2]), 1);
    assert_eq!(poll(&mut second, 0, 64), [1, 3]);
}

#[test]
fn rule_2_5_a_dropped_consumer_gives_back() {
    for ack_on_poll in [true, false] {
        let queue = Queue::new(QueueOptions { ack_on_poll, ..small(2) });
        let (mut first, mut second) = (queue.consumer(), queue.consumer());
        send(&queue, 0, [1, 3]);
        assert_eq!(poll(&mut first, 0, 64), [1, 3]);
        send(&queue, 1, [2]);
        send(&queue, 0, [4]);
        assert_eq!(first.drop_held(), 2);
        assert_eq!(attempts(&mut second, 0, 64), [(2, 1), (1, 2), (3, 2), (4, 1)]);
        drop(second);
        let counters = queue.counters();
        assert_eq!((counters.depth, counters.unacked, counters.released), (4, 0, 6));
    }
}

#[test]
fn rule_2_5_ack_wait_of_zero_is_never() {
    let queue = Queue::new(QueueOptions { ack_wait_ms: 0, ..small(1) });
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    send(&queue, 0, [1]);
    assert_eq!(poll(&mut first, 7, 64), [1]);
    assert_eq!(queue.next_deadline(), None);
    assert_eq!(queue.advance(u64::MAX), 0);
    assert_eq!(poll(&mut second, u64::MAX, 64), [0_u64; 0]);
    assert_eq!(queue.counters().oldest_hold, Some(7));
}

#[test]
fn rule_3_3_an_ack_counts_late_and_from_anybody() {
    let queue = Queue::new(explicit(2));
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    send(&queue, 0, 1..=3);
    assert_eq!(poll(&mut first, 0, 2), [1, 2]);
    assert_eq!(second.ack(0, &[1]), 1, "from another consumer");
    assert_eq!(queue.advance(WAIT), 1);
    assert_eq!(first.ack(WAIT, &[2]), 1, "late, while it waits in front");
    assert_eq!(attempts(&mut second, WAIT, 1), [(3, 1)]);
    assert_eq!(queue.advance(2 * WAIT), 1);
    assert_eq!(attempts(&mut first, 2 * WAIT, 1), [(3, 2)]);
    assert_eq!(second.ack(2 * WAIT, &[3]), 1, "late, while it is in another's hands");
    assert_eq!(first.ack(2 * WAIT, &[3]), 0, "finished");
    assert_eq!(queue.counters().acked, 3);
    send(&queue, 0, [4]);
    assert_eq!(poll(&mut second, 2 * WAIT, 1), [4], "the lane is free again");
}

#[test]
fn rule_3_3_unknown_finished_and_waiting_ones_are_no_error() {
    let queue = Queue::new(explicit(2));
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=3);
    send(&queue, 1, [7]);
    assert_eq!(consumer.ack(0, &[1, 2, 3]), 0, "not handed out yet");
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2, 3, 7]);
    assert_eq!(consumer.ack(0, &[9, 3, 1, 1, 7, 2, 0]), 4);
    assert_eq!(consumer.ack(0, &[1, 2, 3, 7]), 0);
    assert_eq!(queue.counters().acked, 4);
}

#[test]
fn rule_3_3_release_counts_from_the_holder_only() {
    let queue = Queue::new(explicit(1));
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    send(&queue, 0, 1..=2);
    assert_eq!(poll(&mut first, 0, 1), [1]);
    assert_eq!(second.release(0, &[1]), 0);
    assert_eq!(first.release(0, &[2, 1, 1]), 1, "2 is in nobody's hands, the second 1 neither");
    assert_eq!(attempts(&mut second, 0, 1), [(1, 2)]);
    assert_eq!(first.release(0, &[1]), 0, "held once is not held now");
    assert_eq!(second.drop_held(), 1);
}

#[test]
fn rule_3_5_ack_wait_brings_back_what_is_left_in_order() {
    let queue = Queue::new(explicit(1));
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    send(&queue, 0, 1..=5);
    assert_eq!(poll(&mut first, 1_000, 4), [1, 2, 3, 4]);
    assert_eq!(queue.next_deadline(), Some(1_000 + WAIT));
    assert_eq!(first.ack(2_000, &[2]), 1);
    assert_eq!(queue.next_deadline(), Some(2_000 + WAIT), "an ack is a sign of life");
    assert_eq!(first.release(3_000, &[3]), 1);
    assert_eq!(queue.next_deadline(), Some(3_000 + WAIT), "so is a release");
    assert_eq!(second.ack(4_000, &[1]), 1);
    assert_eq!(queue.next_deadline(), Some(4_000 + WAIT), "and an ack from elsewhere");
    assert_eq!(first.ack(3_500, &[9]), 0);
    assert_eq!(queue.next_deadline(), Some(4_000 + WAIT), "but not one of nothing");
    assert_eq!(poll(&mut second, 3_999 + WAIT, 64), [0_u64; 0]);
    assert_eq!(attempts(&mut second, 4_000 + WAIT, 64), [(3, 2), (4, 2), (5, 1)]);
    assert_eq!(queue.counters().released, 1, "what ack_wait takes is not released");
    assert_eq!(queue.next_deadline(), Some(4_000 + 2 * WAIT));
    assert_eq!(second.ack(4_000 + WAIT, &[3, 4, 5]), 3);
    assert_eq!(queue.next_deadline(), None);
}

#[test]
fn rule_3_5_any_poll_runs_what_is_due() {
    let queue = Queue::new(small(1));
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    send(&queue, 0, [1]);
    assert_eq!(poll(&mut first, 0, 64), [1]);
    assert_eq!(poll(&mut second, WAIT - 1, 64), [0_u64; 0]);
    assert_eq!(attempts(&mut second, WAIT, 64), [(1, 2)]);
}

#[test]
fn rule_3_5_lanes_come_back_in_the_order_of_their_deadlines() {
    let queue = Queue::new(small(3));
    let mut gone: Vec<_> = (0..3).map(|_| queue.consumer()).collect();
    for (at, lane) in [2, 0, 1].into_iter().enumerate() {
        send(&queue, lane, [u64::from(lane)]);
        assert_eq!(poll(&mut gone[at], at as u64, 1), [u64::from(lane)]);
    }
    assert_eq!(queue.advance(WAIT + 2), 3);
    let mut consumer = queue.consumer();
    let order: Vec<u64> = (0..3).flat_map(|_| poll(&mut consumer, WAIT + 2, 1)).collect();
    assert_eq!(order, [2, 0, 1]);
}

#[test]
fn rule_7_1_a_reload_changes_ack_wait_of_what_is_in_hands() {
    let queue = Queue::new(small(1));
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    send(&queue, 0, [1]);
    assert_eq!(poll(&mut first, 0, 64), [1]);
    queue.set_ack_wait(10);
    assert_eq!(queue.next_deadline(), Some(10));
    assert_eq!(poll(&mut second, 9, 64), [0_u64; 0]);
    assert_eq!(attempts(&mut second, 10, 64), [(1, 2)]);
    queue.set_ack_wait(0);
    assert_eq!(queue.advance(u64::MAX), 0);
}

/// 6.3: arithmetic saturates.
#[test]
fn rule_6_3_a_deadline_beyond_time_is_at_its_end() {
    let queue = Queue::new(QueueOptions { ack_wait_ms: u64::MAX, ..small(1) });
    let mut consumer = queue.consumer();
    send(&queue, 0, [1]);
    assert_eq!(poll(&mut consumer, 5, 64), [1]);
    assert_eq!(queue.next_deadline(), Some(u64::MAX));
    assert_eq!(queue.advance(u64::MAX - 1), 0);
}

#[test]
fn rule_8_4_a_closed_queue_hands_out_the_rest_first() {
    let queue = Queue::new(small(2));
    let (mut first, mut second) = (queue.consumer(), queue.consumer());
    let mut out = Vec::new();
    send(&queue, 0, 1..=2);
    let reservation = queue.reserve(1).unwrap();
    queue.close();
    assert_eq!(queue.reserve(0).err(), Some(Refused::Closed));
    assert_eq!(poll(&mut first, 0, 1), [1]);
    assert_eq!(poll(&mut first, 0, 1), [2], "what is in it is still handed out");
    assert_eq!(poll(&mut second, 0, 1), [0_u64; 0], "2 is held");
    assert_eq!(first.drop_held(), 1);
    assert_eq!(poll(&mut second, 0, 1), [2], "and so is what comes back");
    assert_eq!(second.poll(0, 1, &mut out), Ok(0), "a reservation is out");
    reservation.send(Message(3));
    assert_eq!(poll(&mut second, 0, 1), [3]);
    assert_eq!(second.poll(0, 1, &mut out), Err(Closed));
    assert_eq!(queue.consumer().poll(0, 1, &mut out), Err(Closed), "for everybody");
    assert!(out.is_empty());
}

#[test]
fn counters_count() {
    let queue = Queue::new(explicit(2));
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=4);
    send(&queue, 1, 5..=6);
    assert_eq!(queue.counters().depth, 6);
    assert_eq!(poll(&mut consumer, 100, 4), [1, 2, 3, 4]);
    assert_eq!(poll(&mut consumer, 200, 1), [5]);
    assert_eq!(consumer.ack(300, &[1]), 1);
    assert_eq!(consumer.release(300, &[4]), 1);
    let counters = queue.counters();
    assert_eq!((counters.depth, counters.unacked), (2, 3));
    assert_eq!((counters.delivered, counters.acked, counters.released, counters.dropped), (5, 1, 1, 0));
    assert_eq!(counters.oldest_hold, Some(100), "since the hand-out, whatever signs of life there were");
}
