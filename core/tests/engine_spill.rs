//! A consumer that stands still while ten times what its queue holds arrives: nothing is refused, and then all of it comes
//! in order per terminal, also when the process has begun anew meanwhile. Source: `delivery.md`, section 4.
#![cfg(feature = "store")]

mod support;

use nexowire_core::delivery::Verdict;
use nexowire_core::engine::{Consumer, Engine, Inbound, Submitted};
use nexowire_core::nexo::Flags;
use nexowire_core::route::{Configuration, NoResolver, StoreSource, WhenFull};
use std::path::Path;
use support::{accept_tagged, consumer, request, tag};

const LANES: u64 = 4;
/// Of all lanes.
const CAPACITY: u64 = 64 * LANES;
const TERMINALS: u64 = 24;
const MESSAGES: u64 = 10 * CAPACITY;

fn open(directory: &Path) -> Engine {
    let text = format!(
        "default_queue = \"all\"\n[[queue]]\nname = \"all\"\nlanes = {LANES}\ncapacity = {}\n",
        CAPACITY / LANES
    );
    let configuration = Configuration::parse_with(&text, &NoResolver, StoreSource::Host).unwrap();
    assert_eq!(configuration.queues()[0].when_full, WhenFull::Spill, "with a store that is the default");
    Engine::open_in(configuration, directory).unwrap()
}

fn terminal(number: u64) -> u64 {
    // Not in turn, so that the lanes are not equally full.
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) % TERMINALS
}

/// Messages of these numbers arrive, one by one and in batches; each number is the mark of its message.
fn arrive(engine: &Engine, numbers: std::ops::Range<u64>) {
    let mut read = vec![];
    for number in numbers.clone() {
        let detail = format!(r#"{{"EventToNotify":"Shutdown","EventDetails":"{number}"}}"#);
        let body = request("EventNotification", &detail, "Till1", &format!("V400m-{}", terminal(number)));
        if number.is_multiple_of(CAPACITY / 4) {
            let verdict = accept_tagged(engine, &body, number);
            assert!(matches!(verdict, Verdict::Accepted { count: 1, stored: true, .. }), "{number}: {verdict:?}");
        } else {
            let inbound = Inbound { tag: Some(number), ..Inbound::new(body.as_bytes()) };
            let submitted = engine.submit(inbound, number).unwrap();
            assert_eq!(submitted, Submitted::Pending, "{number}");
        }
    }
    engine.commit();
    engine.completions(usize::MAX, &mut read);
    assert!(read.iter().all(|completion| matches!(completion.verdict, Verdict::Accepted { count: 1, .. })));
    let expected = numbers.filter(|number| !number.is_multiple_of(CAPACITY / 4));
    assert!(read.iter().map(|completion| completion.id).eq(expected));
}

/// Takes and acks so many, and says which numbers came; each terminal's in order, behind `last`.
fn take(consumer: &mut Consumer, wanted: usize, last: &mut [u64], spilled: &mut u64) -> Vec<u64> {
    let (mut came, mut batch) = (vec![], vec![]);
    while came.len() < wanted {
        let max = 64.min(wanted - came.len());
        assert!(consumer.poll(max, &mut batch).unwrap() > 0, "{} of {wanted} came", came.len());
        for delivered in batch.drain(..) {
            let number = tag(&delivered);
            let before = std::mem::replace(&mut last[terminal(number) as usize], number + 1);
            assert!(before <= number, "{number} comes after {before}");
            assert_eq!(delivered.attempt, 1);
            *spilled += u64::from(delivered.message.fields().flags.contains(Flags::SPILLED));
            assert_eq!(consumer.ack(&[delivered.message.origin().seq]), 1);
            came.push(number);
        }
    }
    came
}

fn expect_all(mut came: Vec<u64>, expected: std::ops::Range<u64>) {
    came.sort_unstable();
    assert!(came.into_iter().eq(expected), "each comes once");
}

#[test]
fn ten_times_the_capacity_is_taken_and_comes_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(&directory.path().join("store"));
    let mut stalled = consumer(&engine, "all");
    arrive(&engine, 0..MESSAGES);
    let counters = engine.counters();
    assert_eq!((counters.accepted, counters.busy, counters.queues[0].1.depth), (MESSAGES, 0, MESSAGES));
    let (mut last, mut spilled) = (vec![0; TERMINALS as usize], 0);
    // Some more arrive while it catches up: they come behind what has spilled.
    let mut came = take(&mut stalled, MESSAGES as usize / 2, &mut last, &mut spilled);
    arrive(&engine, MESSAGES..MESSAGES + CAPACITY);
    came.extend(take(&mut stalled, (MESSAGES / 2 + CAPACITY) as usize, &mut last, &mut spilled));
    expect_all(came, 0..MESSAGES + CAPACITY);
    assert_eq!(stalled.poll(64, &mut vec![]).unwrap(), 0);
    assert!(spilled >= MESSAGES - CAPACITY, "{spilled} had spilled");
}

#[test]
fn a_restart_in_the_middle_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let (mut last, mut spilled) = (vec![0; TERMINALS as usize], 0);
    let engine = open(&path);
    arrive(&engine, 0..MESSAGES / 2);
    let mut first = consumer(&engine, "all");
    let taken = CAPACITY as usize / 2;
    let mut came = take(&mut first, taken, &mut last, &mut spilled);
    engine.close();
    drop((engine, first));

    let engine = open(&path);
    assert_eq!(engine.counters().queues[0].1.depth, MESSAGES / 2 - taken as u64);
    arrive(&engine, MESSAGES / 2..MESSAGES);
    assert_eq!(engine.counters().busy, 0);
    let mut second = consumer(&engine, "all");
    came.extend(take(&mut second, MESSAGES as usize - taken, &mut last, &mut spilled));
    expect_all(came, 0..MESSAGES);
    assert_eq!(second.poll(64, &mut vec![]).unwrap(), 0);
    assert_eq!(engine.counters().queues[0].1.depth, 0);
}
