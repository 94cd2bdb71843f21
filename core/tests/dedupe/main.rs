//! The index of duplicates: against a plain model, in its memory, and at its size. It is no part of the interface, so it
//! is compiled here from its own files, with an allocator that counts.

// What a test does not ask for is unused here, and used by the engine.
#[allow(dead_code)]
#[path = "../../src/delivery/dedupe/mod.rs"]
mod dedupe;
#[allow(dead_code)]
#[path = "../../src/delivery/key_row.rs"]
mod key_row;

mod memory;
mod model;
mod retries;

use dedupe::{Dedupe, DedupeOptions, Key};
use key_row::Window;

/// Options without an end.
const ENDLESS: DedupeOptions = DedupeOptions { terminal_ms: u64::MAX, webhook_ms: u64::MAX, keys_max: 1 << 30 };

/// Numbers that look random and are the same every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The key of this number: a hash as good as a keyed one.
fn key(number: u64) -> Key {
    let mut random = Random(number);
    let window = if number.is_multiple_of(2) { Window::Terminal } else { Window::Webhook };
    Key { window, hash: u128::from(random.next()) << 64 | u128::from(random.next()) }
}

/// How many cases a test is asked for beyond its own number. `.ci/long` asks for many millions.
fn cases(own: u64) -> u64 {
    let asked = std::env::var("NEXOWIRE_CASES").map_or(0, |cases| cases.parse().expect("a number of cases"));
    own.max(asked)
}

/// Learns keys `from` to `to`, one a millisecond.
fn learn(dedupe: &mut Dedupe, from: u64, to: u64) {
    for number in from..to {
        dedupe.learn(&key(number), number, number + 1, number);
    }
}
