//! Claims: those of `whole_path.rs` that compare the whole path with something else, each measured in turn with what it is
//! compared with, so that whatever else the machine does falls on all of them; the medians of the rounds.
//!
//! Where bodies are given in one by one the claims are not met, and the figures stand here to say by how much.
//!
//! It exits with 1 if a claim does not hold and `NEXOWIRE_CLAIMS` is set.

mod host;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nexowire_bench::Corpus;
use nexowire_core::classify::Classified;
use nexowire_core::engine::Engine;
use nexowire_core::limits::Limits;
use nexowire_core::shape::Shapes;

use host::{Host, Way, configuration, read, two_threads};

const ROUNDS: usize = 25;

/// Passes of two threads in a round, so that their beginning and their end do not count.
const PASSES: u64 = 3;

/// A ratio, as it came out in each round, and what is claimed of it.
struct Ratio {
    name: &'static str,
    rounds: Vec<f64>,
    claim: Option<Claim>,
}

#[derive(Clone, Copy)]
enum Claim {
    Below(f64),
    AtLeast(f64),
}

impl Ratio {
    fn new(name: &'static str, claim: Option<Claim>) -> Self {
        Self { name, rounds: vec![], claim }
    }

    fn median(&mut self) -> f64 {
        self.rounds.sort_by(f64::total_cmp);
        self.rounds[self.rounds.len() / 2]
    }

    /// Prints it, and says whether the claim holds.
    fn tell(&mut self) -> bool {
        let median = self.median();
        let (claim, holds) = match self.claim {
            None => (String::new(), true),
            Some(Claim::Below(bound)) => (format!("claimed: below {bound}"), median < bound),
            Some(Claim::AtLeast(bound)) => (format!("claimed: at least {bound}"), median >= bound),
        };
        println!("{:44} {median:5.2}  {claim}", self.name);
        holds
    }
}

/// How long `work` takes, which brings all messages of the corpus through.
fn timed(corpus: &Corpus, work: impl FnOnce() -> usize) -> Duration {
    let begin = Instant::now();
    assert_eq!(work(), corpus.len());
    begin.elapsed()
}

fn main() -> ExitCode {
    let is_test = !std::env::args().any(|argument| argument == "--bench");
    let corpus = Corpus::made("mix");
    let shared: Vec<Bytes> = corpus.messages().map(Bytes::copy_from_slice).collect();
    let open = || Engine::open(configuration()).unwrap();
    let host = |engine| Host::new(engine, &corpus, &shared);
    let (shapes, mut classified) = (Shapes::new(Limits::default()), Classified::default());
    let (mut alone, mut each, engine) = (host(open()), [host(open()), host(open())], open());
    let mut both = [host(engine.clone()), host(engine)];

    let mut ratios = [
        Ratio::new("in batches, by the bare parse", Some(Claim::Below(2.5))),
        Ratio::new("one by one, copied, by the bare parse", None),
        Ratio::new("one by one, shared, by the bare parse", None),
        Ratio::new("two threads by one, an engine each", Some(Claim::AtLeast(1.8))),
        Ratio::new("two threads by one, one engine", Some(Claim::AtLeast(1.5))),
        Ratio::new("two threads by one, an engine each, one by one", None),
        Ratio::new("two threads by one, one engine, one by one", None),
    ];
    let mut parse_ns = vec![];
    // The first round learns layouts and makes room.
    for round in 0..if is_test { 2 } else { ROUNDS + 1 } {
        let parse = timed(&corpus, || read(&corpus, &shapes, &mut classified)).as_secs_f64();
        let ways = [Way::Batches, Way::Copied, Way::Shared];
        let [batches, copied, shared] = ways.map(|way| timed(&corpus, || alone.pass(way)).as_secs_f64());
        let threads = |way, one: f64, hosts: &mut [Host<'_>; 2]| {
            2.0 * PASSES as f64 * one / two_threads(PASSES, way, hosts.each_mut()).as_secs_f64()
        };
        let values = [
            batches / parse,
            copied / parse,
            shared / parse,
            threads(Way::Batches, batches, &mut each),
            threads(Way::Batches, batches, &mut both),
            threads(Way::Copied, copied, &mut each),
            threads(Way::Copied, copied, &mut both),
        ];
        if round > 0 {
            parse_ns.push(parse * 1e9 / corpus.len() as f64);
            ratios.iter_mut().zip(values).for_each(|(ratio, value)| ratio.rounds.push(value));
        }
    }
    parse_ns.sort_by(f64::total_cmp);
    println!("bare parse of a message of the mix: {:.0} ns", parse_ns[parse_ns.len() / 2]);
    let held = ratios.iter_mut().map(Ratio::tell).filter(|holds| *holds).count();
    let must_hold = std::env::var_os("NEXOWIRE_CLAIMS").is_some() && !is_test;
    if must_hold && held < ratios.len() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
