//! Claims: a message finds its queue among 10,000 rules in at most 1.3 times the time it takes among 10: of `few`
//! terminals, for which everything is at hand in the nearest cache, in about the same time; of `all`, in 1.2 to 1.3 times,
//! since the 440 KB that 10,000 rules need are in the next one at best. What other processes do to the caches they share
//! comes on top, so it is the least times of a quiet machine that show it.
//!
//! Each rule names a terminal and a kind. One iteration routes 64 messages of `few` terminals, of which every other one
//! fits a rule, or 65,536 of the terminals of `all` rules, in an order that nothing can learn, of which about half fit.

use std::fmt::Write;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nexowire_core::nexo::{Envelope, EventToNotify, Kind};
use nexowire_core::route::{Configuration, NoResolver, Subject, Table, Word};

/// The terminal of a rule; one and the same number in tables of all sizes is one and the same terminal.
fn terminal(number: usize) -> String {
    format!("V400m-{:09}", 100_000_000 + number * 7_919)
}

fn table(rules: usize) -> Table {
    let mut text = "default_queue = \"other\"\n[[queue]]\nname = \"other\"\n[[queue]]\nname = \"fits\"\n".to_owned();
    for number in 0..rules {
        let poi_id = terminal(number);
        write!(text, "[[rule]]\nqueue = \"fits\"\npoiid = \"{poi_id}\"\nkind = \"event\"\n")
            .expect("a string takes all");
    }
    Table::compile(&Configuration::parse(&text, &NoResolver).expect("the rules are right"))
}

/// The terminals of messages, one behind the other, and for how many of them there is a rule.
struct Traffic {
    letters: Vec<u8>,
    lens: Vec<u8>,
    fit: usize,
}

impl Traffic {
    fn new(terminals: impl Iterator<Item = Option<usize>>) -> Self {
        let mut traffic = Self { letters: Vec::new(), lens: Vec::new(), fit: 0 };
        for (at, of_rule) in terminals.enumerate() {
            let name = of_rule.map_or_else(|| format!("S1F2-{at:09}"), terminal);
            traffic.letters.extend_from_slice(name.as_bytes());
            traffic.lens.push(name.len() as u8);
            traffic.fit += usize::from(of_rule.is_some());
        }
        traffic
    }

    fn few(rules: usize) -> Self {
        Self::new((0..64).map(|at| (at % 2 == 0).then(|| at * 104_729 % rules)))
    }

    fn all(rules: usize) -> Self {
        Self::new((0..65_536).map(|at| {
            let random = mixed(at);
            (random >> 63 == 0).then_some(random as usize % rules)
        }))
    }

    /// How many messages go to the queue of the rules.
    fn route(&self, table: &Table) -> usize {
        let mut rest = &self.letters[..];
        let fits = |&len: &u8| {
            let (name, after) = rest.split_at(usize::from(len));
            rest = after;
            table.route(&subject(name)).iter().eq([1])
        };
        self.lens.iter().map(fits).filter(|&fits| fits).count()
    }
}

/// Spreads the bits of a number over all of it, as SplitMix64 does.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn routing(criterion: &mut Criterion) {
    for kind in ["few", "all"] {
        let mut group = criterion.benchmark_group(format!("route/{kind}"));
        for rules in [10, 100, 1_000, 10_000] {
            let traffic = if kind == "few" { Traffic::few(rules) } else { Traffic::all(rules) };
            let table = table(rules);
            group.throughput(Throughput::Elements(traffic.lens.len() as u64));
            group.bench_function(BenchmarkId::from_parameter(rules), |bencher| {
                bencher.iter(|| assert_eq!(traffic.route(&table), traffic.fit));
            });
        }
        group.finish();
    }
}

fn subject(poi_id: &[u8]) -> Subject<'_> {
    Subject {
        envelope: Envelope::Request,
        event: Some(Word::of::<EventToNotify>(b"Shutdown")),
        poiid: Some(poi_id),
        ..Subject::new(Kind::Event)
    }
}

criterion_group!(benches, routing);
criterion_main!(benches);
