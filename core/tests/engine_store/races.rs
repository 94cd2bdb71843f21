//! Threads that race.

use super::*;
use nexowire_core::queue::PollError;
use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Of equal copies at the same instant one is accepted, and the others are duplicates of it.
#[test]
fn of_equal_copies_one_is_accepted() {
    for (threads, rounds) in [(2, 200), (8, 100)] {
        let without = Engine::open(Configuration::embedded()).unwrap();
        for engine in [Told::engine(one_queue("")).1, without] {
            for round in 0..rounds {
                let (start, text) = (Barrier::new(threads), body("T1", round));
                let verdicts = thread::scope(|scope| {
                    let one = || {
                        start.wait();
                        accept(&engine, &text)
                    };
                    let all: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
                    all.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
                });
                let first = verdicts.iter().find_map(|verdict| verdict.seq().filter(|_| verdict.count() == 1)).unwrap();
                assert_eq!(verdicts.iter().filter(|verdict| verdict.count() == 1).count(), 1);
                let others = verdicts.iter().filter(|verdict| **verdict == Verdict::Duplicate { seq: first });
                assert_eq!(others.count(), threads - 1, "{verdicts:?}");
            }
        }
    }
}

/// Whoever waits for another's slow sync answers in time. What no leader has taken is taken back: its key and its place
/// are free.
#[test]
fn waiters_of_a_slow_store_are_late() {
    let toml = "[delivery]\nanswer_within = \"20ms\"\n[[queue]]\nname = \"small\"\nlanes = 1\ncapacity = 1\n\
                when_full = \"refuse\"\n[[rule]]\nqueue = \"small\"\npoiid = \"T2\"\n";
    let (store, engine) = Told::engine(one_queue(toml));
    store.tell(Next::Block);
    thread::scope(|scope| {
        let leader = scope.spawn(|| accept(&engine, &body("T1", 1)));
        store.until_blocked();
        assert_eq!(accept(&engine, &body("T2", 1)), LATE, "taken back");
        assert_eq!(accept(&engine, &body("T2", 2)), LATE, "and so its place was free");
        assert_eq!(accept(&engine, &body("T1", 1)), LATE, "one that waits for a key in flight");
        let batch = (3..9).map(|number| body("T1", number)).collect::<Vec<_>>();
        let batch = batch.iter().map(|text| Inbound::new(text.as_bytes())).collect();
        assert!(engine.accept_batch(batch).unwrap().iter().all(|verdict| *verdict == LATE));
        assert_eq!(engine.counters().pending, 1);
        store.tell(Next::Nothing);
        assert_eq!(leader.join().unwrap(), accepted(1), "the leader tells the truth");
    });
    assert_eq!(accept(&engine, &body("T2", 1)), accepted(2));
    assert_eq!(accept(&engine, &body("T1", 1)), Verdict::Duplicate { seq: 1 });
    assert_eq!(accept(&engine, &body("T2", 2)), FULL);
}

const PRODUCERS: u64 = 64;
const EACH: u64 = 40;

/// Many threads accept, some consume, others advance and reload: each message once, in order for its terminal.
#[test]
fn all_of_many_are_delivered_once_and_in_order() {
    let toml = |wait: &str| one_queue(&format!("[delivery]\nack_wait = \"{wait}\"\n"));
    let (_, engine) = Told::engine(toml("1h"));
    let (over, left, got) = (AtomicBool::new(false), AtomicU64::new(PRODUCERS * EACH), Mutex::new(vec![]));
    thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let engine = &engine;
            scope.spawn(move || {
                for number in 0..EACH {
                    let text = body(&format!("T{producer}"), number);
                    assert_eq!(accept(engine, &text).count(), 1);
                }
            });
        }
        for _ in 0..4 {
            scope.spawn(|| {
                let mut worker = consumer(&engine, "other");
                while left.load(Ordering::SeqCst) > 0 {
                    let mut batch = vec![];
                    assert_ne!(worker.poll(16, &mut batch), Err(PollError::Closed));
                    let seqs: Vec<_> = batch.iter().map(|one| one.message.origin().seq).collect();
                    // Before the ack, so that the list has the order of the hand-outs.
                    got.lock().unwrap().extend(batch.iter().map(|one| (one.message.received().to_vec(), one.attempt)));
                    assert_eq!(worker.ack(&seqs), seqs.len());
                    left.fetch_sub(seqs.len() as u64, Ordering::SeqCst);
                    if seqs.is_empty() {
                        thread::yield_now();
                    }
                }
                over.store(true, Ordering::SeqCst);
            });
        }
        scope.spawn(|| {
            let mut now = 0;
            while !over.load(Ordering::SeqCst) {
                now += 1;
                engine.advance(Some(now));
                engine.reload(toml(["1h", "2h"][now as usize % 2])).unwrap();
            }
        });
    });
    let mut by_terminal: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (text, attempt) in got.into_inner().unwrap() {
        assert_eq!(attempt, 1);
        let text = String::from_utf8(text).unwrap();
        let terminal = text.rsplit('"').nth(1).unwrap().to_owned();
        by_terminal.entry(terminal).or_default().push(text);
    }
    for producer in 0..PRODUCERS {
        let terminal = format!("T{producer}");
        let expected: Vec<_> = (0..EACH).map(|number| body(&terminal, number)).collect();
        assert_eq!(by_terminal[&terminal], expected);
    }
    assert_eq!(engine.reopen(None), Ok(0));
}
