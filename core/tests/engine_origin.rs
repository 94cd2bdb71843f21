//! What a message owes to its arrival, the quarantine's bounds, and the end. Source: `delivery.md`, 1.6, 6.1 and 8.4;
//! `drive.md`, Verdict and Message.

mod support;

use bytes::Bytes;
use nexowire_core::delivery::{BusyReason, Verdict};
use nexowire_core::engine::{Engine, Inbound, Source};
use nexowire_core::limits::{Limits, QUARANTINE_ENTRIES_MAX};
use nexowire_core::queue::PollError::Closed;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use support::{FOREVER, accept, configuration, consumer, drain, engine, event, item, poll, quarantine, seqs, webhook};

fn endpoints(names: &[&str]) -> String {
    let endpoints: String = names.iter().map(|name| format!("[endpoint.{name}]\n")).collect();
    format!("default_queue = \"other\"\nclock = \"manual\"\n[[queue]]\nname = \"other\"\n{endpoints}")
}

/// The name of each message's endpoint.
fn names(engine: &Engine, batch: &[nexowire_core::engine::Delivered]) -> Vec<String> {
    batch.iter().map(|one| engine.endpoint_name(one.message.origin().endpoint).unwrap().to_string()).collect()
}

#[test]
fn number_mark_time_and_endpoint_come_with_the_message() {
    let engine = engine(&endpoints(&["shop"]));
    let body = event("V400m-1");
    engine.set_time(5_000);
    let shop = Inbound { endpoint: Some("shop"), tag: Some(u64::MAX), ..Inbound::new(body.as_bytes()) };
    engine.accept(shop).unwrap();
    // A time that is given is data: it moves no clock.
    engine.accept(Inbound { received_at: Some(9_000), ..Inbound::new(body.as_bytes()) }).unwrap();
    engine.accept(Inbound { received_at: Some(0), ..Inbound::shared(Bytes::from(body.clone())) }).unwrap();
    engine.set_time(4_000);
    engine.accept(Inbound { tag: Some(0), ..Inbound::new(body.as_bytes()) }).unwrap();
    assert_eq!(engine.now(), 5_000);
    let batch = poll(&mut consumer(&engine, "other"));
    let origins: Vec<_> = batch
        .iter()
        .map(|one| {
            assert_eq!(one.message.received(), body.as_bytes());
            let origin = one.message.origin();
            (origin.seq, origin.tag, origin.received_at)
        })
        .collect();
    assert_eq!(origins, [(1, Some(u64::MAX), 5_000), (2, None, 9_000), (3, None, 0), (4, Some(0), 5_000)]);
    assert_eq!(names(&engine, &batch), ["shop", "default", "default", "default"]);
}

/// All messages of a webhook have its mark, its time and its endpoint, copied or shared.
#[test]
fn items_share_their_origin() {
    let engine = engine(&endpoints(&["shop"]));
    let body = webhook(&[item("Mine", "1"), item("Mine", "2"), item("Mine", "3")]);
    for inbound in [Inbound::new(body.as_bytes()), Inbound::shared(Bytes::from(body.clone()))] {
        let inbound = Inbound { endpoint: Some("shop"), tag: Some(7), received_at: Some(8), ..inbound };
        let Verdict::Accepted { first_seq, count: 3, .. } = engine.accept(inbound).unwrap() else { panic!() };
        let batch = poll(&mut consumer(&engine, "other"));
        let mut numbers: Vec<_> = batch.iter().map(|one| one.message.origin().seq).collect();
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]) && numbers.contains(&first_seq));
        assert!(batch.iter().all(|one| one.message.received() == body.as_bytes()));
        assert!(batch.iter().all(|one| (one.message.origin().tag, one.message.origin().received_at) == (Some(7), 8)));
        assert!(names(&engine, &batch).iter().all(|name| name == "shop"));
        let mut worker = consumer(&engine, "other");
        while worker.poll(64, &mut vec![]).unwrap() > 0 {}
    }
}

/// The name of a message's endpoint is the one that it came in by, whatever reloads have made of the names since.
#[test]
fn the_endpoint_of_a_message_keeps_its_name() {
    let engine = engine(&endpoints(&["a", "m", "z"]));
    let body = event("V400m-1");
    let at = |name: &'static str| engine.accept(Inbound { endpoint: Some(name), ..Inbound::new(body.as_bytes()) });
    for name in ["z", "a", "default"] {
        at(name).unwrap();
    }
    // `b` and `n` stand in the places of `a` and `m`, and `z` has moved.
    engine.reload(configuration(&endpoints(&["b", "n", "nn", "z"]))).unwrap();
    for name in ["z", "b", "nn"] {
        at(name).unwrap();
    }
    assert_eq!(at("a").unwrap_err().name, "a");
    engine.reload(configuration(&endpoints(&["a"]))).unwrap();
    at("a").unwrap();
    let batch = poll(&mut consumer(&engine, "other"));
    assert_eq!(names(&engine, &batch), ["z", "a", "default", "z", "b", "nn", "a"]);
    assert_eq!(engine.endpoint_name(u16::MAX), None);
}

/// The endpoint of a batch is asked for once, before anything is taken: an error means that nothing was.
#[test]
fn a_batch_is_taken_whole_or_not_at_all_whatever_is_reloaded() {
    let engine = engine(&endpoints(&["shop"]));
    let with_and_without = [endpoints(&["shop"]), endpoints(&[])];
    let (taken, done) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..2_000 {
                engine.reload(configuration(&with_and_without[round % 2])).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        let body = b"{}";
        while !done.load(Ordering::Relaxed) {
            let shop = || Inbound { endpoint: Some("shop"), ..Inbound::new(body) };
            let batch: Vec<_> = (0..20).map(|_| shop()).collect();
            match engine.accept_batch(batch) {
                Ok(verdicts) => {
                    taken.fetch_add(verdicts.len() as u64, Ordering::Relaxed);
                }
                Err(error) => assert_eq!(error.name, "shop"),
            }
        }
    });
    assert_eq!(engine.counters().quarantined, taken.into_inner());
}

#[test]
fn the_quarantine_keeps_the_latest_in_order() {
    let engine = engine(&endpoints(&["shop"]));
    engine.set_time(3);
    let count = QUARANTINE_ENTRIES_MAX as u64 + 10;
    for n in 1..=count {
        let body = format!("[{n}]");
        let inbound = Inbound { endpoint: Some("shop"), ..Inbound::shared(Bytes::from(body)) };
        assert_eq!(engine.accept(inbound).unwrap().seq(), Some(n));
    }
    let entries = quarantine(&engine);
    assert!(entries.iter().map(|entry| entry.seq).eq(11..=count));
    assert!(entries.iter().all(|entry| entry.body == format!("[{}]", entry.seq)));
    assert!(entries.iter().all(|entry| (entry.received_at, &*entry.endpoint, entry.item) == (3, "shop", None)));
    assert_eq!(engine.quarantine(2).unwrap().iter().map(|entry| entry.seq).collect::<Vec<_>>(), [11, 12]);
    assert_eq!((engine.counters().quarantined, engine.counters().quarantine_left), (count, 10));
}

#[test]
fn the_quarantine_is_bounded_in_bytes() {
    let engine = engine(&format!("{}[limits]\nquarantine_bytes = 100\n", endpoints(&[])));
    for n in 0..10 {
        accept(&engine, format!("{n}{}", "x".repeat(29)));
    }
    assert!(quarantine(&engine).iter().map(|entry| entry.seq).eq(8..=10));
    assert_eq!(engine.counters().quarantine_left, 7);
}

/// Entries of several threads are in the order of their numbers, none is missing, and each has its own bytes.
#[test]
fn the_quarantine_is_in_order_under_contention() {
    let engine = engine(&endpoints(&[]));
    thread::scope(|scope| {
        for worker in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for n in 0..200 {
                    let body = format!("[{worker},{n}]");
                    let seq = accept(engine, &body).seq().unwrap();
                    let kept = quarantine(engine).into_iter().find(|entry| entry.seq == seq).unwrap();
                    assert_eq!(kept.body, body);
                }
            });
        }
    });
    assert!(quarantine(&engine).iter().map(|entry| entry.seq).eq(1..=800));
}

const CLOSING: Verdict = Verdict::Busy { reason: BusyReason::Closing };

/// After `close` nothing is taken, polls hand out the rest, and then, when that is done, they say so.
#[test]
fn closing_hands_out_the_rest() {
    let engine = engine(&endpoints(&[]));
    accept(&engine, event("V400m-1"));
    let mut worker = consumer(&engine, "other");
    assert_eq!(seqs(&mut worker), [1]);
    accept(&engine, event("V400m-1"));
    engine.close();
    engine.close();
    for body in [&event("V400m-1"), "{", "ok", &webhook(&[]), &" ".repeat(Limits::MAX.body as usize + 1)] {
        assert_eq!(accept(&engine, body), CLOSING);
    }
    let reply = Inbound { source: Source::Reply, ..Inbound::new(b"ok") };
    assert_eq!(engine.accept(reply).unwrap().word(), "reply", "which is told apart from what senders send again");
    assert!(engine.accept(Inbound { endpoint: Some("nowhere"), ..Inbound::new(b"ok") }).is_err());
    let mut other = consumer(&engine, "other");
    assert_eq!(other.poll(64, &mut vec![]), Ok(0), "both are with the first");
    assert_eq!(worker.release(&[1]), 1);
    assert_eq!(seqs(&mut other), [1, 2]);
    assert_eq!(worker.poll(64, &mut vec![]), Ok(0), "not done yet");
    assert_eq!(other.ack(&[1, 2]), 2);
    for ended in [&mut worker, &mut other] {
        assert_eq!(ended.poll(64, &mut vec![]), Err(Closed));
        assert_eq!(ended.poll_timeout(64, FOREVER, &mut vec![]), Err(Closed));
    }
    assert!(quarantine(&engine).is_empty());
    assert_eq!(engine.counters().busy, 5);
}

/// Consumers that wait are told, whether they wait before or after; what was accepted while it closed is handed out.
#[test]
fn closing_wakes_all_who_wait() {
    for round in 0..200 {
        let engine = engine("default_queue = \"other\"\n[[queue]]\nname = \"other\"\nlanes = 2\ncapacity = 4_096\n");
        let (start, accepted, got) = (Barrier::new(6), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut worker = consumer(&engine, "other");
                    start.wait();
                    drain(&mut worker, 5, |batch| {
                        got.fetch_add(batch.len() as u64, Ordering::Relaxed);
                    });
                });
            }
            for terminal in ["V400m-1", "V400m-2"] {
                let (engine, start, accepted) = (&engine, &start, &accepted);
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..100 {
                        let verdict = accept(engine, event(terminal));
                        assert!(verdict.count() == 1 || verdict == CLOSING);
                        accepted.fetch_add(u64::from(verdict.count()), Ordering::Relaxed);
                    }
                });
            }
            start.wait();
            (0..round).for_each(|_| thread::yield_now());
            engine.close();
        });
        assert_eq!(accepted.into_inner(), got.into_inner());
    }
}

/// A reload of an engine that is closed opens nothing: who consumes a queue that it has added learns of the end.
#[test]
fn a_closed_engine_stays_closed() {
    let engine = engine(&endpoints(&[]));
    engine.close();
    let added = endpoints(&[]) + "[[queue]]\nname = \"added\"\n";
    drop(engine.reload(configuration(&added)));
    assert_eq!(accept(&engine, event("V400m-1")), CLOSING);
    for name in engine.queue_names() {
        assert_eq!(consumer(&engine, &name).poll(64, &mut vec![]), Err(Closed), "{name}");
    }
}

/// A poll that wants nothing waits for nothing: there is nothing that it could come back with.
#[test]
fn a_poll_for_nothing_comes_back_at_once() {
    let engine = engine(&endpoints(&[]));
    let mut worker = consumer(&engine, "other");
    assert_eq!(worker.poll_timeout(0, FOREVER, &mut vec![]), Ok(0));
    accept(&engine, event("V400m-1"));
    assert_eq!(worker.poll_timeout(0, FOREVER, &mut vec![]), Ok(0));
    assert_eq!(seqs(&mut worker), [1]);
}
