//! Time, taken from all contenders in turn, so that a slow moment of the machine strikes all of them. It is the time of
//! the processor, not of the clock on the wall, so that a busy neighbour on the same core does not count.

use std::time::{Duration, Instant};

use nexowire_bench::Corpus;

use crate::contenders::Contender;
use crate::machine::thread_time;

const ROUNDS: usize = 21;
/// Fewer give no median that is worth printing, however slow the machine.
const ROUNDS_MIN: usize = 5;
/// What a contender works in one round at least.
const ROUND_TIME: Duration = Duration::from_millis(2);

/// One corpus, measured.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) messages: usize,
    /// Bytes of a message, on average.
    pub(crate) bytes: usize,
    /// Nanoseconds a message, by contender; none if it did not extract what nexowire did.
    pub(crate) ns: Vec<Option<f64>>,
}

/// Measures all contenders on one corpus, for at most about `time`.
pub(crate) fn row(corpus: &Corpus, contenders: &mut [Contender], time: Duration) -> Row {
    let begin = Instant::now();
    let agrees = agreement(corpus, contenders);
    let expected = (contenders[0].pass)(corpus);
    let passes: Vec<u32> = contenders.iter_mut().map(|contender| passes(corpus, contender)).collect();
    let mut times = vec![vec![]; contenders.len()];
    for round in 0..ROUNDS {
        if round >= ROUNDS_MIN && begin.elapsed() > time {
            break;
        }
        for turn in 0..contenders.len() {
            // Nobody always follows the same one.
            let at = (turn + round) % contenders.len();
            if agrees[at] {
                times[at].push(round_of(corpus, &mut contenders[at], passes[at], expected));
            }
        }
    }
    Row {
        name: corpus.name().to_owned(),
        messages: corpus.len(),
        bytes: corpus.total_bytes() / corpus.len(),
        ns: times.into_iter().map(median).collect(),
    }
}

/// Whether each contender extracts from every message what nexowire does.
fn agreement(corpus: &Corpus, contenders: &mut [Contender]) -> Vec<bool> {
    let mut agrees = vec![true; contenders.len()];
    for (number, padded) in corpus.padded_messages().enumerate() {
        let expected = (contenders[0].one)(padded);
        for (contender, agrees) in contenders.iter_mut().zip(&mut agrees) {
            let found = (contender.one)(padded);
            if *agrees && found != expected {
                eprintln!(
                    "{}, message {number}: {} extracts {found:?} bytes, nexowire {expected:?}",
                    corpus.name(),
                    contender.title
                );
                *agrees = false;
            }
        }
    }
    agrees
}

/// How many passes over the corpus make a round. It warms up, too.
fn passes(corpus: &Corpus, contender: &mut Contender) -> u32 {
    let begin = thread_time();
    let mut count = 0;
    while thread_time() - begin < ROUND_TIME {
        (contender.pass)(corpus);
        count += 1;
    }
    count
}

/// Nanoseconds a message in one round.
fn round_of(corpus: &Corpus, contender: &mut Contender, passes: u32, expected: u64) -> f64 {
    let begin = thread_time();
    for _ in 0..passes {
        assert_eq!((contender.pass)(corpus), expected, "{} on {}", contender.title, corpus.name());
    }
    (thread_time() - begin).as_nanos() as f64 / f64::from(passes) / corpus.len() as f64
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn all_contenders_extract_the_same() {
        let mut contenders = crate::contenders::all();
        for name in nexowire_bench::NAMES {
            let corpus = Corpus::made(name);
            assert!(agreement(&corpus, &mut contenders).iter().all(|agrees| *agrees), "{name}");
            assert!((contenders[0].pass)(&corpus) > corpus.len() as u64 * 50, "{name}: something was extracted");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_by_all_that_look_at_it() {
        let corpus = Corpus::read("x", b"\x07\0\0\0{\"a\":01").unwrap();
        let padded = corpus.padded_messages().next().unwrap();
        for mut contender in crate::contenders::all() {
            assert_eq!((contender.one)(padded), None, "{}", contender.title);
        }
    }
}
