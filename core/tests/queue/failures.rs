//! Nacks, delays, failures and dead letters (3.3 to 3.6), without a backlog. The number in a name is the rule's.

use crate::{Message, attempts, explicit, poll, send, small};
use nexowire_core::limits::NACK_REASON_BYTES_MAX;
use nexowire_core::queue::{Consumer, Dead, Nack, Queue, QueueOptions, WhenFull};
use std::time::Duration;

const WAIT: u64 = 60_000;

fn after(delay_ms: u64) -> Nack {
    Nack { delay_ms: Some(delay_ms), ..Nack::default() }
}

fn dead(queue: &Queue<Message>) -> Vec<(u64, String, u32)> {
    let mut out = Vec::<Dead<Message>>::new();
    assert_eq!(queue.take_dead(&mut out), out.len());
    out.into_iter().map(|dead| (dead.item.0, dead.reason, dead.attempts)).collect()
}

fn one_lane(seqs: impl IntoIterator<Item = u64>) -> (Queue<Message>, Consumer<Message>) {
    let queue = Queue::new(explicit(1));
    let consumer = queue.consumer();
    send(&queue, 0, seqs);
    (queue, consumer)
}

#[test]
fn rule_3_3_a_nack_counts_from_the_holder_only() {
    let (queue, mut first) = one_lane(1..=2);
    let mut second = queue.consumer();
    assert_eq!(poll(&mut first, 0, 1), [1]);
    assert_eq!(second.nack(0, &[1], &after(0)), 0);
    assert_eq!(first.nack(0, &[2, 1, 1, 9], &after(0)), 1, "2 is in nobody's hands, the second 1 neither");
    assert_eq!(attempts(&mut second, 0, 1), [(1, 2)]);
    assert_eq!(first.nack(0, &[1], &after(0)), 0, "held once is not held now");
    assert_eq!(queue.counters().nacked, 1);
}

#[test]
fn rule_3_3_a_late_ack_counts_while_the_delay_runs() {
    let (queue, mut consumer) = one_lane([1]);
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    assert_eq!(consumer.nack(0, &[1], &after(10)), 1);
    assert_eq!(queue.consumer().ack(5, &[1]), 1);
    assert_eq!(queue.next_deadline(), None);
    assert_eq!(poll(&mut consumer, 10, 1), [0_u64; 0]);
    assert_eq!((queue.counters().acked, queue.counters().delayed), (1, 0));
}

#[test]
fn rule_3_4_those_behind_a_nacked_one_go_on() {
    let (queue, mut consumer) = one_lane(1..=4);
    assert_eq!(poll(&mut consumer, 0, 2), [1, 2]);
    assert_eq!(consumer.nack(0, &[1], &after(10)), 1);
    let counters = queue.counters();
    assert_eq!((counters.depth, counters.unacked, counters.delayed), (2, 1, 1));
    assert_eq!(poll(&mut consumer, 0, 1), [0_u64; 0], "2 is still in hands");
    assert_eq!(consumer.ack(0, &[2]), 1);
    assert_eq!(poll(&mut consumer, 9, 1), [3], "1 waits for its delay");
    assert_eq!(consumer.ack(9, &[3]), 1);
    assert_eq!(attempts(&mut consumer, 10, 64), [(1, 2), (4, 1)], "when its delay ends it comes back in front");
}

#[test]
fn rule_3_4_what_comes_back_is_in_order() {
    let (_queue, mut consumer) = one_lane(1..=5);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2, 3, 4, 5]);
    assert_eq!(consumer.nack(0, &[4], &after(3)), 1);
    assert_eq!(consumer.nack(0, &[2], &after(5)), 1);
    assert_eq!(consumer.release(0, &[3, 1]), 2);
    assert_eq!(consumer.nack(0, &[5], &after(0)), 1);
    assert_eq!(poll(&mut consumer, 5, 64), [1, 2, 3, 4, 5]);
}

#[test]
fn rule_3_4_a_delay_of_zero_puts_it_in_front_at_once() {
    let (queue, mut consumer) = one_lane(1..=2);
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    assert_eq!(consumer.nack(0, &[1], &after(0)), 1);
    assert_eq!((queue.counters().depth, queue.counters().delayed), (2, 0));
    assert_eq!(attempts(&mut consumer, 0, 64), [(1, 2), (2, 1)]);
}

#[test]
fn rule_3_4_retry_is_doubled_with_every_failure_up_to_retry_max() {
    let queue = Queue::new(QueueOptions { retry_ms: 100, retry_max_ms: 350, ..explicit(1) });
    let mut consumer = queue.consumer();
    send(&queue, 0, [1]);
    let mut now = 0;
    for pause in [100, 200, 350, 350] {
        assert_eq!(poll(&mut consumer, now, 1), [1]);
        assert_eq!(consumer.nack(now, &[1], &Nack::default()), 1);
        assert_eq!(queue.next_deadline(), Some(now + pause));
        assert_eq!(poll(&mut consumer, now + pause - 1, 1), [0_u64; 0]);
        now += pause;
    }
    queue.set_retry(20, 7, u64::MAX);
    assert_eq!(poll(&mut consumer, now, 1), [1]);
    assert_eq!(consumer.nack(now, &[1], &Nack::default()), 1);
    assert_eq!(queue.next_deadline(), Some(now + 7 * 16), "a reload counts from the next failure on");
}

#[test]
fn rule_3_4_dead_goes_to_the_dead_letters_at_once() {
    let (queue, mut consumer) = one_lane(1..=3);
    assert_eq!(poll(&mut consumer, 0, 2), [1, 2]);
    let nack = Nack { dead: true, delay_ms: Some(5), reason: Some("no such shop".into()) };
    assert_eq!(consumer.nack(0, &[1], &nack), 1);
    assert_eq!(consumer.nack(0, &[2], &Nack { dead: true, ..Nack::default() }), 1);
    assert_eq!(dead(&queue), [(1, "no such shop".into(), 1), (2, "nack".into(), 1)]);
    assert_eq!(dead(&queue), []);
    assert_eq!(consumer.ack(0, &[1, 2]), 0, "finished");
    assert_eq!(poll(&mut consumer, 0, 64), [3], "the lane is free");
    assert_eq!((queue.counters().nacked, queue.counters().dead), (2, 2));
}

#[test]
fn rule_3_6_a_reason_is_kept_up_to_its_bound() {
    const MAX: usize = NACK_REASON_BYTES_MAX;
    let before = |end: &str| "x".repeat(MAX - 1) + end;
    let reasons = [before("y"), before("yz"), before("\u{e9}!"), "\u{20ac}".repeat(MAX)];
    let (queue, mut consumer) = one_lane(1..=4);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2, 3, 4]);
    for (seq, reason) in (1..).zip(&reasons) {
        let nack = Nack { dead: true, delay_ms: None, reason: Some(reason.clone()) };
        assert_eq!(consumer.nack(0, &[seq], &nack), 1);
    }
    let kept: Vec<_> = dead(&queue).into_iter().map(|letter| letter.1).collect();
    assert_eq!(kept, [before("y"), before("y"), before(""), "\u{20ac}".repeat(MAX / 3)]);
}

#[test]
fn rule_3_4_a_release_counts_no_failure() {
    let queue = Queue::new(QueueOptions { max_attempts: 2, ..explicit(1) });
    let mut consumer = queue.consumer();
    send(&queue, 0, [1]);
    for _ in 0..5 {
        assert_eq!(poll(&mut consumer, 0, 1), [1]);
        assert_eq!(consumer.release(0, &[1]), 1);
    }
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    assert_eq!(consumer.nack(0, &[1], &after(0)), 1);
    assert_eq!(dead(&queue), [], "it has failed once");
}

#[test]
fn rule_3_5_ack_wait_runs_again_from_a_nack_and_from_extend() {
    let (queue, mut first) = one_lane(1..=3);
    let mut second = queue.consumer();
    assert_eq!(poll(&mut first, 0, 2), [1, 2]);
    assert_eq!(first.nack(1_000, &[1], &after(WAIT * 9)), 1);
    assert_eq!(queue.next_deadline(), Some(1_000 + WAIT));
    assert_eq!(first.extend(2_000, &[2, 2, 1, 3]), 1, "1 waits for its delay, 3 in its lane");
    assert_eq!(queue.next_deadline(), Some(2_000 + WAIT));
    assert_eq!(second.extend(3_000, &[2]), 0, "the holder's only");
    assert_eq!(queue.next_deadline(), Some(2_000 + WAIT));
    assert_eq!(attempts(&mut second, 2_000 + WAIT, 64), [(2, 2), (3, 1)]);
    assert_eq!(first.extend(2_000 + WAIT, &[2]), 0);
}

#[test]
fn rule_3_6_the_end_of_ack_wait_is_a_failure_of_the_first_left() {
    let queue = Queue::new(QueueOptions { max_attempts: 2, ..explicit(1) });
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=3);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2, 3]);
    assert_eq!(consumer.ack(0, &[1]), 1);
    assert_eq!(queue.advance(WAIT), 1, "2 has failed");
    assert_eq!(attempts(&mut consumer, WAIT, 64), [(2, 2), (3, 2)]);
    assert_eq!(queue.advance(2 * WAIT), 1, "2 has failed again, 3 never");
    assert_eq!(dead(&queue), [(2, "ack_wait".into(), 2)]);
    assert_eq!(attempts(&mut consumer, 2 * WAIT, 64), [(3, 3)]);
    assert_eq!(consumer.nack(2 * WAIT, &[3], &after(0)), 1);
    assert_eq!(dead(&queue), []);
    assert_eq!(queue.counters().nacked, 1, "what ack_wait takes is not nacked");
}

#[test]
fn rule_3_6_the_last_failure_sends_it_to_the_dead_letters() {
    let queue = Queue::new(QueueOptions { max_attempts: 3, ..explicit(1) });
    let mut consumer = queue.consumer();
    send(&queue, 0, [1]);
    for _ in 0..2 {
        assert_eq!(poll(&mut consumer, 0, 1), [1]);
        assert_eq!(consumer.nack(0, &[1], &after(0)), 1);
        assert_eq!(dead(&queue), []);
    }
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    let nack = Nack { reason: Some("database".into()), ..after(5) };
    assert_eq!(consumer.nack(0, &[1], &nack), 1);
    assert_eq!(dead(&queue), [(1, "database".into(), 3)]);
    assert_eq!(poll(&mut consumer, 9, 1), [0_u64; 0]);
}

#[test]
fn rule_2_3_the_next_poll_acks_the_rest_but_not_what_was_nacked() {
    let queue = Queue::new(small(1));
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=3);
    assert_eq!(poll(&mut consumer, 0, 64), [1, 2, 3]);
    assert_eq!(consumer.nack(0, &[2], &after(10)), 1);
    assert_eq!(poll(&mut consumer, 0, 64), [0_u64; 0]);
    assert_eq!((queue.counters().acked, queue.counters().delayed), (2, 1));
    assert_eq!(attempts(&mut consumer, 10, 64), [(2, 2)]);
}

#[test]
fn rule_2_7_what_waits_for_its_delay_or_is_dead() {
    let queue = Queue::new(QueueOptions { capacity: 1, ..explicit(1) });
    let mut consumer = queue.consumer();
    send(&queue, 0, [1]);
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    assert_eq!(consumer.nack(0, &[1], &after(10)), 1);
    assert!(queue.reserve(0).is_err(), "what waits for its delay holds its permit");
    assert_eq!(poll(&mut consumer, 10, 1), [1]);
    assert_eq!(consumer.nack(10, &[1], &Nack { dead: true, ..Nack::default() }), 1);
    send(&queue, 0, [2]);
}

#[test]
fn rule_2_8_drop_oldest_drops_what_waits_for_its_delay() {
    let queue = Queue::new(QueueOptions { capacity: 3, when_full: WhenFull::DropOldest, ..explicit(1) });
    let mut consumer = queue.consumer();
    send(&queue, 0, 1..=3);
    assert_eq!(poll(&mut consumer, 0, 2), [1, 2]);
    assert_eq!(consumer.release(0, &[1]), 1);
    assert_eq!(consumer.nack(0, &[2], &after(10)), 1);
    send(&queue, 0, 4..=5);
    assert_eq!((queue.counters().dropped, queue.counters().delayed), (2, 0));
    assert_eq!(poll(&mut consumer, 10, 64), [3, 4, 5]);
}

#[test]
fn rule_6_2_what_is_due_fires_in_the_order_of_deadlines() {
    let queue = Queue::new(explicit(4));
    let mut consumers: Vec<_> = (0..4).map(|_| queue.consumer()).collect();
    for (lane, consumer) in (0..4).zip(&mut consumers) {
        send(&queue, lane, [u64::from(lane)]);
        assert_eq!(poll(consumer, 10 * u64::from(lane), 1), [u64::from(lane)]);
    }
    // Lanes 0 and 2 end with their ack_wait, at 60,000 and 60,020; the others with their delays.
    assert_eq!(consumers[1].nack(30, &[1], &after(WAIT - 15)), 1);
    assert_eq!(consumers[3].nack(30, &[3], &after(5)), 1);
    assert_eq!(queue.next_deadline(), Some(35));
    assert_eq!(queue.advance(34), 0);
    assert_eq!(queue.advance(WAIT + 20), 4);
    let mut last = queue.consumer();
    let order: Vec<u64> = (0..4).flat_map(|_| poll(&mut last, WAIT + 20, 1)).collect();
    assert_eq!(order, [3, 0, 1, 2]);
}

#[test]
fn rule_6_3_a_delay_beyond_time_is_at_its_end() {
    let (queue, mut consumer) = one_lane([1]);
    assert_eq!(poll(&mut consumer, 5, 1), [1]);
    assert_eq!(consumer.nack(5, &[1], &after(u64::MAX)), 1);
    assert_eq!(queue.next_deadline(), Some(u64::MAX));
    assert_eq!(queue.advance(u64::MAX - 1), 0);
}

#[test]
fn rule_8_4_a_closed_queue_waits_for_its_delays() {
    let (queue, mut consumer) = one_lane([1]);
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    assert_eq!(consumer.nack(0, &[1], &after(10)), 1);
    queue.close();
    assert_eq!(poll(&mut consumer, 9, 1), [0_u64; 0]);
    assert_eq!(poll(&mut consumer, 10, 1), [1]);
    assert_eq!(consumer.nack(10, &[1], &Nack { dead: true, ..Nack::default() }), 1);
    assert!(consumer.poll(10, 1, &mut Vec::new()).is_err());
    assert_eq!(dead(&queue).len(), 1, "it can be had all the same");
}

/// A thread that waits for ever learns of a delay that begins, so that it can look how long to wait now.
#[test]
fn a_delay_that_begins_ends_a_wait() {
    const FOREVER: Duration = Duration::from_secs(3_600);
    let (queue, mut consumer) = one_lane([1]);
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    let mut waiter = queue.consumer();
    assert_eq!(poll(&mut waiter, 0, 1), [0_u64; 0]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while queue.next_deadline() != Some(10) {
                assert!(!waiter.wait(FOREVER), "there is nothing to take yet");
                assert_eq!(poll(&mut waiter, 1, 1), [0_u64; 0]);
            }
            assert_eq!(poll(&mut waiter, 10, 1), [1]);
        });
        assert_eq!(consumer.nack(0, &[1], &after(10)), 1);
    });
}

#[cfg(unix)]
#[test]
fn rule_2_6_a_delay_that_has_not_ended_makes_no_token() {
    use rustix::event::{PollFd, PollFlags, Timespec, poll as poll_fds};
    let readable = |queue: &Queue<Message>| {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll_fds(&mut [PollFd::new(&queue.descriptor().unwrap(), PollFlags::IN)], Some(&now)).unwrap() == 1
    };
    let (queue, mut consumer) = one_lane([1]);
    assert_eq!(poll(&mut consumer, 0, 1), [1]);
    assert_eq!(consumer.nack(0, &[1], &after(10)), 1);
    assert_eq!(poll(&mut consumer, 9, 1), [0_u64; 0]);
    assert!(!readable(&queue));
    assert!(!consumer.wait(Duration::ZERO));
    assert_eq!(queue.advance(10), 1);
    assert!(readable(&queue));
    assert!(consumer.wait(Duration::ZERO));
}
