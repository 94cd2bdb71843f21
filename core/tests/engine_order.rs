//! Order per terminal, through the whole engine. Source: `delivery.md`, 1.8 and section 2.

mod support;

use std::collections::HashMap;
use std::sync::{Mutex, mpsc};
use std::thread;
use support::{FOREVER, accept_tagged, consumer, drain, engine, event, poll, tag};

/// Six terminals of four lanes; more than one in some.
const TERMINALS: [&str; 6] = ["V400m-1", "V400m-2", "V400m-3", "P400Plus-4", "e280-5", "S1F2-6"];

const FOUR_LANES: &str = r#"
    default_queue = "other"
    [[queue]]
    name = "other"
    lanes = 4
    capacity = 1_024
    [delivery]
    ack_wait = "0s"
"#;

/// How a consumer that has stopped lets its messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LettingGo {
    Ack,
    NextPoll,
    Release,
    Drop,
}

/// A consumer stops while it holds a terminal's first message. Three others poll on and get everything of other lanes,
/// but not that terminal's second, however often they ask; and they get it as soon as the first is let go.
#[test]
fn nobody_gets_the_second_before_the_first_is_let_go() {
    for how in [LettingGo::Ack, LettingGo::NextPoll, LettingGo::Release, LettingGo::Drop] {
        let engine = engine(FOUR_LANES);
        let lane = |poiid: &str| nexowire_core::queue::lane_of(poiid.as_bytes(), 4);
        let [terminal, others @ ..] = TERMINALS;
        let others: Vec<_> = others.into_iter().filter(|other| lane(other) != lane(terminal)).collect();
        assert!(others.len() >= 2, "terminals of other lanes");
        let (held, is_held) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        accept_tagged(&engine, &event(terminal), 1);
        thread::scope(|scope| {
            let mut stopped = consumer(&engine, "other");
            let holder = scope.spawn(move || {
                let batch = poll(&mut stopped);
                assert_eq!(batch.iter().map(tag).collect::<Vec<_>>(), [1]);
                held.send(()).unwrap();
                may_go.recv().unwrap();
                let seq = batch[0].message.origin().seq;
                match how {
                    LettingGo::Ack => assert_eq!(stopped.ack(&[seq]), 1),
                    // It asks for nothing, so that the rest is for others.
                    LettingGo::NextPoll => assert_eq!(stopped.poll(0, &mut vec![]), Ok(0)),
                    LettingGo::Release => assert_eq!(stopped.release(&[seq]), 1),
                    LettingGo::Drop => drop(stopped),
                }
            });
            is_held.recv().unwrap();
            accept_tagged(&engine, &event(terminal), 2);
            let mut rest = [(); 3].map(|()| consumer(&engine, "other"));
            for round in 0..1_000 {
                accept_tagged(&engine, &event(others[round % others.len()]), 10 + round as u64);
                let got: Vec<_> = rest.iter_mut().flat_map(poll).map(|delivered| tag(&delivered)).collect();
                assert_eq!(got, [10 + round as u64], "{how:?}");
                rest.rotate_left(1);
            }
            go.send(()).unwrap();
            let mut batch = vec![];
            rest[0].poll_timeout(64, FOREVER, &mut batch).unwrap();
            let came_back = matches!(how, LettingGo::Release | LettingGo::Drop);
            let expected: &[_] = if came_back { &[(1, 2), (2, 1)] } else { &[(2, 1)] };
            let got: Vec<_> = batch.iter().map(|delivered| (tag(delivered), delivered.attempt)).collect();
            assert_eq!(got, expected, "{how:?}");
            holder.join().unwrap();
        });
    }
}

/// Three producers, each with two terminals of its own, so that one's messages come one after the other; four
/// consumers. Each notes what it got under a lock while it still holds the lane: the order in which messages are
/// *finished*, over all consumers.
#[test]
fn four_consumers_finish_every_terminal_in_order() {
    const EACH: u64 = 10_000;
    let engine = engine(FOUR_LANES);
    let finished = Mutex::new(HashMap::<String, Vec<u64>>::new());
    thread::scope(|scope| {
        for max in [1, 3, 16, 64] {
            let (mut consumer, finished) = (consumer(&engine, "other"), &finished);
            scope.spawn(move || {
                drain(&mut consumer, max, |batch| {
                    let mut finished = finished.lock().unwrap();
                    for delivered in batch {
                        let poiid = delivered.message.view().poi_id().unwrap().to_str().into_owned();
                        finished.entry(poiid).or_default().push(tag(delivered));
                    }
                });
            });
        }
        thread::scope(|scope| {
            for terminals in TERMINALS.chunks(2) {
                let engine = &engine;
                scope.spawn(move || {
                    for n in 0..EACH {
                        for terminal in terminals {
                            while accept_tagged(engine, &event(terminal), n).count() == 0 {
                                thread::yield_now();
                            }
                        }
                    }
                });
            }
        });
        engine.close();
    });
    let finished = finished.into_inner().unwrap();
    for terminal in TERMINALS {
        assert!(finished[terminal].iter().copied().eq(0..EACH), "{terminal}");
    }
}

/// The order of a terminal outlives reloads: its queue, and its lane, stay what they are.
#[test]
fn reloads_keep_the_order() {
    const EACH: u64 = 5_000;
    let engine = engine(FOUR_LANES);
    let got = Mutex::new(vec![]);
    thread::scope(|scope| {
        for _ in 0..2 {
            let (mut consumer, got) = (consumer(&engine, "other"), &got);
            scope.spawn(move || drain(&mut consumer, 7, |batch| got.lock().unwrap().extend(batch.iter().map(tag))));
        }
        let (engine, (done, is_done)) = (&engine, mpsc::channel::<()>());
        let reloader = scope.spawn(move || {
            while let Err(mpsc::TryRecvError::Empty) = is_done.try_recv() {
                engine.reload(support::configuration(FOUR_LANES)).unwrap();
                thread::yield_now();
            }
        });
        for n in 0..EACH {
            while accept_tagged(engine, &event(TERMINALS[0]), n).count() == 0 {
                thread::yield_now();
            }
        }
        drop(done);
        reloader.join().unwrap();
        engine.close();
    });
    assert!(got.into_inner().unwrap().into_iter().eq(0..EACH));
}
