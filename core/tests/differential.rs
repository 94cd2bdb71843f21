//! The product against the oracle, on mutated messages: what is accepted, every member of the line, every kernel.
//!
//! `NEXOWIRE_CASES` is how many; `.ci/long` runs many millions.

mod oracle;

use nexowire_core::classify::{classify, classify_with};
use nexowire_core::limits::Limits;
use nexowire_core::nexo::Texts;
use nexowire_core::report::Report;
use nexowire_core::simd::Kernel;

/// Cases of a short run.
const CASES: u64 = 300_000;

/// What differs on this body, if anything.
fn difference(body: &[u8]) -> Option<String> {
    let expected = oracle::classify::line(body);
    let report = Report::of_body(body, &Limits::default(), &Texts::default());
    let actual = serde_json::to_value(&report).unwrap();
    for (member, value) in expected.as_object().unwrap() {
        if actual.get(member) != Some(value) {
            return Some(format!("{member} is {:?}, not {value}", actual.get(member)));
        }
    }
    let fastest = classify(body, &Limits::default());
    let differs = |kernel: &Kernel| classify_with(*kernel, body, &Limits::default()) != fastest;
    Kernel::available().iter().find(|kernel| differs(kernel)).map(|kernel| format!("{} differs", kernel.name()))
}

#[test]
fn the_oracle_and_every_kernel_agree_on_mutated_messages() {
    let cases = std::env::var("NEXOWIRE_CASES").map_or(CASES, |cases| cases.parse().expect("a number of cases"));
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for seed in (thread..cases).step_by(threads as usize) {
                    let body = oracle::mutate::case(seed);
                    if let Some(difference) = difference(&body) {
                        panic!("case {seed}: {difference}\n{}", body.escape_ascii());
                    }
                }
            });
        }
    });
}
