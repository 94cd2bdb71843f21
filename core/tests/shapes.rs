//! The second tier against the first: on mutated messages, after training and during it, also with shapes that were
//! learned from hostile input, and from two threads at once.
//!
//! `NEXOWIRE_CASES` is how many; `.ci/long` runs many millions.

mod oracle;

use std::sync::atomic::{AtomicU64, Ordering};

use nexowire_core::classify::classify;
use nexowire_core::limits::Limits;
use nexowire_core::shape::Shapes;

use oracle::bases::BASES;
use oracle::interesting;
use oracle::json::{LIMITS, Value, parse};
use oracle::mutate::{Random, case};
use oracle::print::{Spelling, print};

/// Cases of a short run.
const CASES: u64 = 200_000;

fn cases() -> u64 {
    std::env::var("NEXOWIRE_CASES").map_or(CASES, |cases| cases.parse().expect("a number of cases"))
}

fn check(shapes: &Shapes, body: &[u8], case: u64) {
    let (learned, general) = (shapes.classify(body), classify(body, &Limits::default()));
    assert_eq!(learned, general, "case {case}: {}", body.escape_ascii());
}

/// Walks down from `value` by chance and changes one thing there, in ways that make layouts meet each other: members
/// change places, come twice, go, or get a neighbour's value.
fn edit(value: &mut Value, random: &mut Random) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let (at, other) = (random.below(members.len()), random.below(members.len()));
            match random.below(12) {
                0 => members.swap(at, other),
                1 => members.insert(other, members[at].clone()),
                2 => drop(members.remove(at)),
                3 => members[at].1 = members[other].1.clone(),
                4 => members[at].0 = members[other].0.clone(),
                5 => members[at].1 = interesting::value(random),
                6 => members.insert(at, (interesting::name(random), interesting::value(random))),
                _ => edit(&mut members[at].1, random),
            }
        }
        Value::Array(elements) if !elements.is_empty() => {
            let at = random.below(elements.len());
            match random.below(4) {
                0 => elements.insert(at, elements[at].clone()),
                1 => drop(elements.remove(at)),
                _ => edit(&mut elements[at], random),
            }
        }
        Value::String(text) => *text = format!("{}{}", random.below(100), text.chars().rev().collect::<String>()),
        other => *other = interesting::value(random),
    }
}

/// A message of few layouts, so that most are known: a base with none, one or two changes, printed plainly.
fn relative(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let (_, base) = random.pick(BASES);
    let Ok(mut value) = parse(base.as_bytes(), &LIMITS) else { return base.into() };
    for _ in 0..random.below(4) {
        edit(&mut value, &mut random);
    }
    print(&value, Spelling::PLAIN, &mut random)
}

/// Learning goes on all the time, and from everything: what is learned from one message must not mislead the next.
#[test]
fn shapes_learned_from_relatives_read_relatives_as_the_general_walk_does() {
    let shapes = Shapes::new(Limits::default());
    for seed in 0..cases() {
        // Begin anew now and then: which layouts meet each other depends on what came first.
        let shapes = if seed % 4 == 0 { &Shapes::new(Limits::default()) } else { &shapes };
        for relative in [relative(seed), relative(seed / 64), relative(seed ^ 1)] {
            check(shapes, &relative, seed);
            check(shapes, &relative, seed);
            if seed % 8 == 0 {
                // What is left of it begins and ends in the midst of known layouts.
                let (one, other) = relative.split_at(seed as usize / 8 % relative.len());
                check(shapes, other, seed);
                check(shapes, one, seed);
            }
        }
    }
    assert!(shapes.size().states > 10, "{shapes:?}");
}

#[test]
fn shapes_learned_from_hostile_input_read_everything_as_the_general_walk_does() {
    let shapes = Shapes::new(Limits::default());
    for seed in 0..cases() {
        check(&shapes, &case(seed), seed);
        check(&shapes, &relative(seed % 1_024), seed);
    }
}

/// Two threads learn, forget and read at once.
#[test]
fn threads_share_shapes() {
    let shapes = Shapes::new(Limits::default());
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let seed @ 0..CASES = next.fetch_add(1, Ordering::Relaxed) {
                    check(&shapes, &relative(seed), seed);
                    check(&shapes, &relative(seed / 1_000), seed);
                }
            });
        }
    });
}
