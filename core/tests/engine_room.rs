//! Room for a message in all of its queues, or in none. Source: `delivery.md`, 1.4, 2.7, 2.8 and 3.1.

mod support;

use nexowire_core::delivery::{BusyReason, Verdict};
use nexowire_core::engine::Engine;
use std::collections::BTreeSet;
use std::sync::{Barrier, Mutex};
use std::thread;
use support::{accept, accept_tagged, consumer, drain, engine, event, poll, request, response, tag};

const FULL: Verdict = Verdict::Busy { reason: BusyReason::Full };

/// Events go to both queues, responses to `left` alone, all else to `right` alone.
const TWO: &str = r#"
    default_queue = "right"
    [[queue]]
    name = "left"
    lanes = 1
    capacity = 8
    [[queue]]
    name = "right"
    lanes = 1
    capacity = 4
    [[queue]]
    name = "audit"
    lanes = 1
    capacity = 2
    when_full = "drop-oldest"
    [[rule]]
    queue = ["left", "right", "audit"]
    kind = "event"
    [[rule]]
    queue = "left"
    kind = "response"
"#;

fn fill_right(engine: &Engine) {
    for _ in 0..4 {
        assert_eq!(accept(engine, request("PaymentRequest", "{}", "Till1", "V400m-1")).count(), 1);
    }
}

fn queue_counters(engine: &Engine, name: &str) -> nexowire_core::queue::Counters {
    engine.queue(name).unwrap().counters()
}

/// Four threads send events for two queues of which one is full, while others take and give back room in the first:
/// nobody gets anything, the audit queue included, which never refuses, and all room in the first is free afterwards.
#[test]
fn one_full_queue_refuses_for_all_of_them() {
    const EACH: u64 = 10_000;
    let engine = engine(TWO);
    fill_right(&engine);
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..EACH {
                    assert_eq!(accept(&engine, event("V400m-1")), FULL);
                }
            });
        }
    });
    for (name, depth) in [("left", 0), ("right", 4), ("audit", 0)] {
        let counters = queue_counters(&engine, name);
        assert_eq!((counters.depth, counters.delivered, counters.dropped), (depth, 0, 0), "{name}");
    }
    assert_eq!((engine.counters().accepted, engine.counters().busy), (4, 4 * EACH));
    // No permit was lost on the way, and none was made.
    for _ in 0..8 {
        assert_eq!(accept(&engine, response("V400m-1")).count(), 1);
    }
    assert_eq!(accept(&engine, response("V400m-1")), FULL);
}

/// What was refused takes no number: those of messages follow each other.
#[test]
fn a_refusal_takes_no_number() {
    let engine = engine(TWO);
    fill_right(&engine);
    assert_eq!(accept(&engine, event("V400m-1")), FULL);
    assert_eq!(accept(&engine, response("V400m-1")).seq(), Some(5));
}

/// A message in somebody's hands still takes its room, and an ack gives it back.
#[test]
fn room_is_free_after_the_ack_and_not_before() {
    let engine = engine(TWO);
    fill_right(&engine);
    let mut worker = consumer(&engine, "right");
    let batch = poll(&mut worker);
    assert_eq!((batch.len(), accept(&engine, event("V400m-1"))), (4, FULL));
    assert_eq!(worker.ack(&[batch[0].message.origin().seq]), 1);
    assert_eq!(accept(&engine, event("V400m-1")).count(), 1);
    assert_eq!(accept(&engine, event("V400m-1")), FULL);
    let both = ["left", "right"].map(|name| queue_counters(&engine, name));
    assert_eq!([both[0].depth, both[1].depth], [1, 1], "the same message in both");
}

/// All items of a webhook find room, or none is taken.
#[test]
fn a_webhook_finds_room_for_all_items_or_for_none() {
    let engine = engine(TWO);
    let items = |n: usize| support::webhook(&vec![support::item("Mine", "psp"); n]);
    assert_eq!(accept(&engine, items(5)), FULL);
    assert_eq!(queue_counters(&engine, "right").depth, 0);
    assert_eq!(accept(&engine, items(3)).count(), 3);
    assert_eq!(accept(&engine, items(2)), FULL);
    assert_eq!(accept(&engine, items(1)).count(), 1);
    assert_eq!(queue_counters(&engine, "right").depth, 4);
}

/// Four producers that try again until they are taken, small queues, two consumers each of different diligence. Every
/// message is in each of its queues exactly once, and the sums agree.
#[test]
fn counters_add_up_under_contention() {
    const EACH: u64 = 5_000;
    let toml = TWO.replace("[\"left\", \"right\", \"audit\"]", "[\"left\", \"right\"]");
    let engine = engine(&toml);
    let got = [Mutex::new(vec![]), Mutex::new(vec![])];
    let refused = Mutex::new(0);
    thread::scope(|scope| {
        for (name, got) in ["left", "right"].into_iter().zip(&got) {
            for max in [1, 3] {
                let mut worker = consumer(&engine, name);
                scope.spawn(move || {
                    drain(&mut worker, max, |batch| {
                        got.lock().unwrap().extend(batch.iter().map(|one| (tag(one), one.message.origin().seq)));
                    });
                });
            }
        }
        thread::scope(|scope| {
            for producer in 0..4 {
                let (engine, refused) = (&engine, &refused);
                scope.spawn(move || {
                    let mut busy = 0;
                    for n in 0..EACH {
                        loop {
                            match accept_tagged(engine, &event("V400m-1"), producer * EACH + n) {
                                Verdict::Accepted { count: 1, .. } => break,
                                verdict => assert_eq!(verdict, FULL),
                            }
                            busy += 1;
                            thread::yield_now();
                        }
                    }
                    *refused.lock().unwrap() += busy;
                });
            }
        });
        engine.close();
    });
    let [left, right] = got.map(|got| got.into_inner().unwrap());
    let unique = |got: &[(u64, u64)]| got.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!((left.len() as u64, right.len() as u64), (4 * EACH, 4 * EACH));
    assert_eq!(unique(&left), unique(&right), "the same numbers in both queues");
    assert!(unique(&left).iter().map(|(tag, _)| *tag).eq(0..4 * EACH));
    let counters = engine.counters();
    assert_eq!((counters.accepted, counters.busy), (4 * EACH, refused.into_inner().unwrap()));
    let sums = |count: fn(&nexowire_core::queue::Counters) -> u64| {
        counters.queues.iter().map(|(_, counters)| count(counters)).sum::<u64>()
    };
    assert_eq!((sums(|queue| queue.delivered), sums(|queue| queue.acked)), (8 * EACH, 8 * EACH));
    assert_eq!((sums(|queue| queue.depth), sums(|queue| queue.unacked)), (0, 0));
}
