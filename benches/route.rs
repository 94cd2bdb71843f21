//! Claims: a message finds its queue among 10,000 rules in at most 1.3 times the time it takes among 10.
//!
//! Each rule names a terminal and a kind. One iteration routes 64 messages, of which every other one fits a rule.

use std::fmt::Write;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nexowire_core::nexo::{Envelope, EventToNotify, Kind};
use nexowire_core::route::{Configuration, NoResolver, Subject, Table, Word};

const MESSAGES: usize = 64;

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

fn routing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    for rules in [10, 100, 1_000, 10_000] {
        let table = table(rules);
        let terminals: Vec<String> = (0..MESSAGES)
            .map(|at| if at % 2 == 0 { terminal(at * 104_729 % rules) } else { format!("S1F2-{at:09}") })
            .collect();
        let subjects: Vec<Subject<'_>> = terminals.iter().map(|terminal| subject(terminal.as_bytes())).collect();
        group.bench_function(BenchmarkId::from_parameter(rules), |bencher| {
            bencher.iter(|| {
                let fits = |subject| table.route(subject).iter().eq([1]);
                assert_eq!(subjects.iter().filter(|subject| fits(subject)).count(), MESSAGES / 2);
            });
        });
    }
    group.finish();
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
