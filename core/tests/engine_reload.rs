//! A configuration that is exchanged while messages flow. Source: `delivery.md`, section 7.

mod support;

use nexowire_core::engine::{Engine, Inbound, ReloadError};
use nexowire_core::limits::Limits;
use nexowire_core::queue::PollError::Closed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use support::{FOREVER, accept, accept_tagged, configuration, consumer, drain, engine, event, poll, seqs, tag};

/// Events go to two queues which only this table has.
fn table(one: &str, two: &str) -> String {
    let queues: String =
        [one, two].map(|name| format!("[[queue]]\nname = \"{name}\"\nlanes = 2\ncapacity = 256\n")).concat();
    format!(
        "default_queue = \"other\"\n[[queue]]\nname = \"other\"\n{queues}\
         [[rule]]\nqueue = [\"{one}\", \"{two}\"]\nkind = \"event\"\n"
    )
}

const NAMES: [&str; 4] = ["a1", "a2", "b1", "b2"];

/// What each queue has given out: tags and numbers, over all its lives.
type Got = BTreeMap<&'static str, Vec<(u64, u64)>>;

/// Consumes a queue whenever it is there, until it has ended, again and again until all is over.
fn follow(engine: &Engine, name: &'static str, over: &AtomicBool, ends: &AtomicU64, got: &Mutex<Got>) {
    let mut mine = vec![];
    loop {
        // Read before the queue is asked for: what comes after it, the last drain below finds.
        let last = over.load(Ordering::SeqCst);
        if let Some(queue) = engine.queue(name) {
            let mut consumer = queue.consumer();
            drain(&mut consumer, 16, |batch| {
                mine.extend(batch.iter().map(|delivered| (tag(delivered), delivered.message.origin().seq)));
            });
            ends.fetch_add(1, Ordering::Relaxed);
        } else {
            thread::yield_now();
        }
        if last {
            break;
        }
    }
    got.lock().unwrap().entry(name).or_default().extend(mine);
}

/// More messages than there are producers: one of them at least came in after the last reload, by the new table.
const FOR_EACH_TABLE: u64 = 4;

/// Exchanges the two tables so often, as fast as consumers drain what leaves and each gets something to route.
fn exchange(engine: &Engine, times: u64) {
    let tables = [table("a1", "a2"), table("b1", "b2")];
    let mut done = 0;
    while done < times {
        let before = engine.generation();
        match engine.reload(configuration(&tables[(done as usize + 1) % 2])) {
            Ok(generation) => {
                done += 1;
                assert_eq!((generation, engine.generation()), (before + 1, before + 1));
                let enough = engine.counters().accepted + FOR_EACH_TABLE;
                while engine.counters().accepted < enough {
                    thread::yield_now();
                }
            }
            Err(ReloadError::NotDrained(name)) => {
                assert!(NAMES.contains(&&*name));
                assert_eq!(engine.generation(), before);
                thread::yield_now();
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(engine.generation(), 1 + times);
}

/// Three threads accept, each queue has two consumers whenever it exists, and a fourth thread exchanges two tables
/// that send the same messages to different pairs of queues, which thereby come and go.
#[test]
fn no_message_is_lost_or_twice_or_between_two_tables() {
    const RELOADS: u64 = 300;
    let engine = engine(&table("a1", "a2"));
    let (stop, over, ends) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
    let (tags, got) = (AtomicU64::new(0), Mutex::new(Got::new()));
    thread::scope(|scope| {
        for name in NAMES.into_iter().chain(NAMES) {
            let (engine, over, ends, got) = (&engine, &over, &ends, &got);
            scope.spawn(move || follow(engine, name, over, ends, got));
        }
        thread::scope(|scope| {
            for terminal in ["V400m-1", "V400m-2", "V400m-3"] {
                let (engine, stop, tags) = (&engine, &stop, &tags);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let tag = tags.fetch_add(1, Ordering::Relaxed);
                        loop {
                            match accept_tagged(engine, &event(terminal), tag).word() {
                                "accepted" => break,
                                word => assert_eq!(word, "busy"),
                            }
                            thread::yield_now();
                        }
                    }
                });
            }
            exchange(&engine, RELOADS);
            stop.store(true, Ordering::Relaxed);
        });
        over.store(true, Ordering::SeqCst);
        engine.close();
    });
    let accepted = tags.into_inner();
    let got = got.into_inner().unwrap();
    let [a1, a2, b1, b2] = NAMES.map(|name| {
        let unique: BTreeSet<_> = got[name].iter().copied().collect();
        assert_eq!(unique.len(), got[name].len(), "twice in {name}");
        unique
    });
    assert_eq!((&a1, &b1), (&a2, &b2), "a table's messages are in both of its queues");
    let mut all: Vec<_> = a1.iter().chain(&b1).map(|(tag, _)| *tag).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..accepted), "each is routed by one table, and by no more");
    assert!(!a1.is_empty() && !b1.is_empty());
    assert!(ends.into_inner() >= RELOADS, "queues have come and gone");
    assert_eq!((engine.counters().accepted, engine.queue("other").unwrap().counters().delivered), (accepted, 0));
}

/// A removed queue takes nothing new, is there until it is drained, and then ends for all its consumers, also for one
/// that waits; after that it can come back.
#[test]
fn a_removed_queue_is_drained_and_then_ends() {
    let engine = engine(&table("a1", "a2"));
    accept(&engine, event("V400m-1"));
    accept(&engine, event("V400m-1"));
    let mut worker = consumer(&engine, "a1");
    let mut seen = vec![];
    assert_eq!(worker.poll(1, &mut seen), Ok(1));
    assert_eq!(engine.reload(configuration(&table("b1", "b2"))), Ok(2));
    assert_eq!(engine.queue_names(), ["other", "b1", "b2"]);
    let names: Vec<_> = engine.counters().queues.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["other", "b1", "b2", "a1", "a2"], "what leaves is counted until it is drained");

    // New messages go by the new table, and the old consumer still holds and gets the old ones.
    assert_eq!(accept(&engine, event("V400m-1")).seq(), Some(3));
    assert_eq!(seqs(&mut consumer(&engine, "b1")), [3]);
    assert_eq!(consumer(&engine, "a1").release(&[1]), 0, "a consumer made now is another one");
    let not_drained = |queue: &str| Err(ReloadError::NotDrained(queue.to_owned()));
    assert_eq!(engine.reload(configuration(&table("a1", "b1"))), not_drained("a1"));
    thread::scope(|scope| {
        let (waits, waiting) = mpsc::channel();
        let queue = engine.queue("a1").unwrap();
        let other = scope.spawn(move || {
            let mut other = queue.consumer();
            waits.send(()).unwrap();
            other.poll_timeout(64, FOREVER, &mut vec![])
        });
        waiting.recv().unwrap();
        assert_eq!(worker.release(&[1]), 1);
        // If the other one is faster it gets both messages, and gives them back as it ends; else it waits for the end.
        let mut rest = vec![];
        while worker.poll_timeout(64, FOREVER, &mut rest).is_ok() {}
        let others = other.join().unwrap();
        assert!(rest.len() == 2 && [Ok(2), Err(Closed)].contains(&others), "{others:?}");
    });
    assert_eq!(worker.poll(64, &mut vec![]), Err(Closed));
    assert!(engine.queue("a1").is_none());

    // a2 still has two messages: nobody has asked for them.
    assert_eq!(engine.reload(configuration(&table("a1", "a2"))), not_drained("a2"));
    assert_eq!((engine.generation(), engine.queue("a1").is_none()), (2, true));
    let mut second = consumer(&engine, "a2");
    assert_eq!(seqs(&mut second), [1, 2]);
    assert_eq!(second.poll(64, &mut vec![]), Err(Closed));
    assert_eq!(engine.reload(configuration(&table("a1", "a2"))), Ok(3));
    accept(&engine, event("V400m-1"));
    assert_eq!(seqs(&mut consumer(&engine, "a1")), [4], "a new queue of the old name");
    assert_eq!(worker.poll(64, &mut vec![]), Err(Closed), "which is no business of the old consumers");
}

/// A queue that comes back is a new one, and may have other lanes and another capacity.
#[test]
fn a_queue_that_comes_back_is_new() {
    let engine = engine(&table("a1", "a2"));
    assert_eq!(engine.reload(configuration(&table("b1", "b2"))), Ok(2));
    let larger = table("a1", "a2").replace("lanes = 2", "lanes = 3").replace("capacity = 256", "capacity = 1");
    assert_eq!(engine.reload(configuration(&larger)), Ok(3));
    assert_eq!(accept(&engine, event("V400m-1")).count(), 1);
    assert_eq!(accept(&engine, event("V400m-1")).word(), "busy");
}

const FIXED: &str = r#"
    default_queue = "small"
    [[queue]]
    name = "small"
    lanes = 1
    capacity = 1
    [[queue]]
    name = "second"
    lanes = 2
"#;

/// What only a new engine can have is an error that names the member, and nothing else of that configuration comes
/// into force: not its new queues, rules and endpoints, and not what it says of full queues.
#[test]
fn what_needs_a_new_engine_is_named_and_changes_nothing() {
    let engine = engine(FIXED);
    assert_eq!(accept(&engine, event("V400m-1")).count(), 1);
    let all = |toml: String| {
        let dropping = toml.replacen("name = \"small\"", "name = \"small\"\nwhen_full = \"drop-oldest\"", 1);
        format!("{dropping}\n[[queue]]\nname = \"new\"\n[[rule]]\nqueue = \"new\"\n[endpoint.new]\n")
    };
    let mut cases = vec![
        (format!("clock = \"manual\"\n{}", all(FIXED.to_owned())), "clock".to_owned()),
        (all(FIXED.replace("lanes = 2", "lanes = 3")), "lanes of queue `second`".to_owned()),
        (all(FIXED.replace("capacity = 1", "capacity = 2")), "capacity of queue `small`".to_owned()),
    ];
    for (member, lower) in limits_that_are_lower() {
        cases.push((format!("{}[limits]\n{member} = {lower}\n", all(FIXED.to_owned())), format!("limits.{member}")));
    }
    for (toml, member) in cases {
        let Err(error @ ReloadError::NeedsReopen(_)) = engine.reload(configuration(&toml)) else {
            panic!("{member} was changed")
        };
        assert!(error.to_string().starts_with(&format!("{member} ")), "{error}, not {member}");
        assert_eq!((engine.generation(), engine.queue_names()), (1, vec!["small".to_owned(), "second".to_owned()]));
        assert!(engine.queue("new").is_none());
        assert_eq!(accept(&engine, event("V400m-1")).word(), "busy", "{member}: rules and when_full are the old ones");
        assert!(engine.accept(Inbound { endpoint: Some("new"), ..Inbound::new(b"ok") }).is_err());
    }
    assert_eq!(seqs(&mut consumer(&engine, "small")), [1]);
}

/// Every limit, with a value that the configurations above are within.
fn limits_that_are_lower() -> Vec<(&'static str, u32)> {
    // Takes the struct apart so that a limit that is added cannot be forgotten here.
    macro_rules! lower {
        ($($name:ident)+) => {{
            let Limits { $($name),+ } = Limits::MAX;
            vec![$((stringify!($name), $name - 1)),+]
        }};
    }
    lower! {
        body depth members routes queues lanes capacity batch items pending pending_bytes expectations endpoints board
        quarantine_bytes
    }
}

/// A reload that is refused because of one queue changes nothing about the others.
#[test]
fn a_queue_that_is_not_drained_refuses_the_whole_reload() {
    let engine = engine(&format!("{FIXED}[[rule]]\nqueue = \"second\"\nkind = \"response\""));
    accept(&engine, event("V400m-1"));
    accept(&engine, support::response("V400m-1"));
    let without_second = "default_queue = \"small\"\n[[queue]]\nname = \"small\"\nlanes = 1\ncapacity = 1\n";
    assert_eq!(engine.reload(configuration(without_second)), Ok(2));
    let dropping = FIXED.replacen("capacity = 1", "capacity = 1\nwhen_full = \"drop-oldest\"", 1);
    assert_eq!(engine.reload(configuration(&dropping)), Err(ReloadError::NotDrained("second".to_owned())));
    assert_eq!((engine.generation(), accept(&engine, event("V400m-1")).word()), (2, "busy"));
    let mut worker = consumer(&engine, "second");
    assert_eq!((seqs(&mut worker), worker.ack(&[2])), (vec![2], 1));
    assert_eq!(engine.reload(configuration(&dropping)), Ok(3));
    assert_eq!(accept(&engine, event("V400m-1")).word(), "accepted");
}

/// Times and `when_full` may change, also for what is in somebody's hands.
#[test]
fn when_full_and_ack_wait_change_at_once() {
    let toml = |when_full: &str, ack_wait: &str| {
        let queue = format!("name = \"other\"\nlanes = 1\ncapacity = 1\nwhen_full = \"{when_full}\"");
        format!(
            "clock = \"manual\"\ndefault_queue = \"other\"\n[[queue]]\n{queue}\n[delivery]\nack_wait = \"{ack_wait}\"\n"
        )
    };
    let engine = engine(&toml("refuse", "60s"));
    accept(&engine, event("V400m-1"));
    assert_eq!(accept(&engine, event("V400m-1")).word(), "busy");
    let mut first = consumer(&engine, "other");
    assert_eq!(poll(&mut first).len(), 1);
    assert_eq!(engine.advance(Some(1_000)), Some(60_000));
    engine.reload(configuration(&toml("drop-oldest", "2s"))).unwrap();
    assert_eq!(engine.next_deadline(), Some(2_000));
    assert_eq!(accept(&engine, event("V400m-1")).word(), "accepted");
    assert_eq!(engine.advance(Some(2_000)), None);
    let mut second = consumer(&engine, "other");
    // One batch is at most the capacity, so that there is always one in nobody's hands to leave.
    assert_eq!([seqs(&mut second), seqs(&mut second)], [[1], [2]]);
}
