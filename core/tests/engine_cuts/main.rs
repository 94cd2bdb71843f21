//! The whole engine on a disk that loses its power, or refuses, at every step: what was accepted is delivered, once in a
//! life to a consumer that acks, in order per terminal; its repeat is a duplicate; what was not accepted is there whole
//! or not at all; and no number is given twice. Source: `delivery.md`, 1.5 to 1.10, 3, 5 and 8.
#![cfg(feature = "store")]

mod body;
// Each binary uses a part of the disk.
#[allow(dead_code)]
#[path = "../store/disk.rs"]
mod disk;
mod life;
mod log;
#[path = "../store/random.rs"]
mod random;

use disk::{Disk, Fault};
use life::Life;
use log::Log;
use nexowire_core::delivery::RedbStore;
use random::Random;
use std::io::ErrorKind;

/// A script is tried with a fault at every step until it ends; one that never ends would be a fault of its own.
const STEPS_MAX: u64 = 100_000;
/// So many scripts go on with the file of the one before; then comes a new file, as a check reads all of it.
const SCRIPTS_OF_A_FILE: u64 = 12;

/// How many faults a test tries: `NEXOWIRE_CASES`, or so many.
fn cases(by_default: u64) -> u64 {
    std::env::var("NEXOWIRE_CASES").map_or(by_default, |cases| cases.parse().expect("NEXOWIRE_CASES is a number"))
}

/// A new store without anything in it, closed in order.
fn image() -> Vec<u8> {
    let disk = Disk::new(vec![], 0);
    let same = disk.clone();
    drop(RedbStore::over(move || Ok(same.clone()), life::CACHE_BYTES).unwrap());
    disk.restart();
    disk.image()
}

/// Opens after a cut; in one case of three the power goes once more meanwhile.
fn recover(disk: &Disk, random: &mut Random, case: &str) -> Life {
    disk.restart();
    if random.one_in(3) {
        disk.plan(random.below(40), Fault::Cut);
        drop(Life::open(disk));
        disk.restart();
    }
    Life::open(disk).unwrap_or_else(|error| panic!("{case}: {error}"))
}

/// How a script goes wrong.
#[derive(Clone, Copy)]
struct Wrong {
    fault: Fault,
    /// Whether the same engine opens its store again, or the process ends.
    reopens: bool,
}

/// What a script was tried on, and what it came to.
struct Tried {
    ended: bool,
    image: Vec<u8>,
    log: Log,
    steps: u64,
}

/// Runs a script with one fault, recovers, and holds what is found against what was answered.
fn try_script(base: &(Vec<u8>, Log), script: u64, step: u64, wrong: Wrong, random: &mut Random, case: &str) -> Tried {
    let disk = Disk::new(base.0.clone(), random.next());
    let mut log = base.1.clone();
    log.begin(case);
    disk.plan(step, wrong.fault);
    let mut survivor = None;
    if let Ok(mut life) = Life::open(&disk) {
        let mut acts = Random(script);
        // One more than is needed after a refusal: an engine that is latched must say so, and go on handing out.
        let mut after = 0;
        for _ in 0..2 + Random(!script).below(8) {
            life.act(&disk, &mut log, &mut acts);
            after += u64::from(disk.fired());
            if after > 0 && (wrong.fault == Fault::Cut || after > 3) {
                break;
            }
        }
        survivor = (wrong.fault != Fault::Cut && wrong.reopens).then_some(life);
    }
    let ended = !disk.fired();
    disk.mend();
    let mut life = match survivor {
        Some(mut life) => {
            life.reopen(&mut log).unwrap_or_else(|error| panic!("{case}: {error}"));
            life
        }
        None => recover(&disk, random, case),
    };
    log.new_life();
    // Half of the scripts leave to the next what is pending and not known.
    let left = random.one_in(2).then(|| (disk.image(), log.clone()));
    life.check(&mut log, random);
    if random.one_in(8) {
        drop(life);
        let mut life = recover(&disk, random, case);
        log.new_life();
        life.check(&mut log, random);
        drop(life);
    } else {
        drop(life);
    }
    disk.restart();
    let (image, log) = left.unwrap_or_else(|| (disk.image(), log));
    Tried { ended, image, log, steps: step }
}

/// Tries scripts with a fault at every step, until there were so many.
fn try_scripts(wanted: u64, seed: u64, wrong: impl Fn(&mut Random) -> Wrong) {
    let mut random = Random(seed);
    let (mut tried, mut longest) = (0_u64, 0);
    let mut base = (image(), Log::default());
    for number in 0_u64.. {
        if number.is_multiple_of(SCRIPTS_OF_A_FILE) {
            base = (image(), Log::default());
        }
        let script = random.next();
        let mut last = None;
        for step in 0..STEPS_MAX {
            let case = format!("seed {seed}, script {number}, step {step}");
            let wrong = wrong(&mut random);
            let done = try_script(&base, script, step, wrong, &mut random, &case);
            tried += 1;
            if tried.is_multiple_of(10_000) {
                println!("{tried} faults so far, in {} scripts", number + 1);
            }
            longest = longest.max(done.steps);
            let ended = done.ended;
            last = Some((done.image, done.log));
            if ended || tried >= wanted {
                break;
            }
        }
        base = last.expect("a script has steps");
        if tried >= wanted {
            println!("{tried} faults in {} scripts, the longest of {longest} steps", number + 1);
            return;
        }
    }
}

#[test]
fn a_cut_of_the_power_at_any_step_loses_nothing_that_was_accepted() {
    try_scripts(cases(400), 3, |_| Wrong { fault: Fault::Cut, reopens: false });
}

#[test]
fn a_refusal_at_any_step_loses_nothing_that_was_accepted() {
    try_scripts(cases(400), 4, |random| {
        let faults = [Fault::Refuse(ErrorKind::StorageFull), Fault::Refuse(ErrorKind::Other), Fault::RefuseRead];
        Wrong { fault: faults[random.below(3) as usize], reopens: random.one_in(2) }
    });
}
