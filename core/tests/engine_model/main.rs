//! Engines with a store against a model that is obviously right: random operations on one thread, and after each the
//! same verdicts, numbers, messages, attempts, flags and counters. Source: `delivery.md`, all but sections 2.6, 6.1, 8.5
//! and 9.
//!
//! `NEXOWIRE_CASES` is how many operations are tried on a store in memory, and a tenth of it on one in a file.

mod bodies;
mod commit;
mod model;
mod polls;
mod reopening;
mod replays;
mod setup;
mod world;

use nexowire_core::delivery::MemoryStore;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

/// Operations on one engine; then a new one begins, so that a failure is near its beginning.
const STEPS: u64 = 400;

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(crate) fn one_in(&mut self, limit: u64) -> bool {
        self.below(limit) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn steps(by_default: u64) -> u64 {
    std::env::var("NEXOWIRE_CASES").map_or(by_default, |cases| cases.parse().expect("NEXOWIRE_CASES is a number"))
}

/// Runs one engine, and says which, and what it was asked, if it fails.
fn run(seed: u64, steps: u64, mut world: World) {
    let outcome = catch_unwind(AssertUnwindSafe(|| (0..steps).for_each(|_| world.step())));
    if let Err(panic) = outcome {
        let story = world.story.join("\n");
        eprintln!("seed {seed}, {:?}\n{story}", world.model.setup);
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn over_a_store_in_memory() {
    for seed in 0..steps(20_000).div_ceil(STEPS) {
        run(seed, STEPS, World::over_memory(Random(seed), MemoryStore::new()));
    }
}

#[cfg(feature = "store")]
#[test]
fn over_a_store_in_a_file() {
    for seed in 0..(steps(4_000) / 10).div_ceil(STEPS) {
        let directory = tempfile::tempdir().unwrap();
        run(seed, STEPS, World::over_redb(Random(!seed), directory.path()));
    }
}
