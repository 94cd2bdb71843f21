//! Claims: from accept to poll a message of the mix takes less than 2.5 times what reading it takes (learned layouts, as
//! the engine reads it), with its body copied, given in and taken out in batches of 64, without a store or a memory of
//! duplicates; two threads do at least 1.8 times as much with an engine each, and 1.5 times with one between them. With
//! keys that are all new and remembered it takes at most 4 times the general walk over the same messages.
//!
//! One iteration brings all 10,000 messages through, in each thread, and counts what was polled. Criterion measures one thing
//! after the other; where the machine is not quiet, `--bench ratios` takes them in turns.

mod host;

use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nexowire_bench::Corpus;
use nexowire_core::classify::{Classified, classify};
use nexowire_core::delivery::Verdict;
use nexowire_core::engine::{Engine, Inbound};
use nexowire_core::limits::Limits;
use nexowire_core::nexo::Kind;
use nexowire_core::route::Configuration;
use nexowire_core::shape::Shapes;

use host::{BATCH, Host, Way, configuration, read, two_threads};

fn whole_path(criterion: &mut Criterion) {
    let corpus = Corpus::made("mix");
    let shared: Vec<Bytes> = corpus.messages().map(Bytes::copy_from_slice).collect();
    let open = || Engine::open(configuration()).unwrap();
    let host = |engine| Host::new(engine, &corpus, &shared);
    let limits = Limits::default();

    let mut group = criterion.benchmark_group("whole path");
    group.sample_size(20).throughput(Throughput::Elements(corpus.len() as u64));
    group.bench_function("bare parse", |bencher| {
        let (shapes, mut classified) = (Shapes::new(limits), Classified::default());
        bencher.iter(|| assert_eq!(read(&corpus, &shapes, &mut classified), corpus.len()));
    });
    for (name, way) in [("in batches", Way::Batches), ("body copied", Way::Copied), ("body shared", Way::Shared)] {
        group.bench_function(name, |bencher| {
            let mut host = host(open());
            bencher.iter(|| assert_eq!(host.pass(way), corpus.len()));
        });
    }
    unique_keys(&mut group, &limits);
    group.throughput(Throughput::Elements(2 * corpus.len() as u64));
    group.bench_function("two threads, an engine each", |bencher| {
        let mut hosts = [host(open()), host(open())];
        bencher.iter_custom(|passes| two_threads(passes, Way::Batches, hosts.each_mut()));
    });
    group.bench_function("two threads, one engine", |bencher| {
        let engine = open();
        let mut hosts = [host(engine.clone()), host(engine)];
        bencher.iter_custom(|passes| two_threads(passes, Way::Batches, hosts.each_mut()));
    });
    group.finish();
}

/// Payments of one layout, as many as in the mix, each with a `ServiceID` that has never been: its eight digits are
/// written anew before each pass, outside of the time that is taken.
struct Unique {
    bodies: Vec<Vec<u8>>,
    next: u32,
}

impl Unique {
    const MARK: &'static [u8] = b"\"ServiceID\":\"";
    const DIGITS: usize = 8;

    fn new(count: usize) -> Self {
        let body = |number: usize| {
            let header = format!(
                r#"{{"ProtocolVersion":"3.0","SaleID":"Till1","POIID":"V400m-{}","MessageClass":"Service","MessageCategory":"Payment","ServiceID":"00000000"}}"#,
                number % 64
            );
            let filler = "x".repeat(400);
            let response = format!(r#"{{"Response":{{"Result":"Success","AdditionalResponse":"{filler}"}}}}"#);
            format!(r#"{{"SaleToPOIResponse":{{"MessageHeader":{header},"PaymentResponse":{response}}}}}"#).into_bytes()
        };
        Self { bodies: (0..count).map(body).collect(), next: 0 }
    }

    fn renew(&mut self) {
        for body in &mut self.bodies {
            self.next += 1;
            let at = body.windows(Self::MARK.len()).position(|bytes| bytes == Self::MARK).expect("it has a ServiceID");
            let begin = at + Self::MARK.len();
            body[begin..begin + Self::DIGITS].copy_from_slice(format!("{:08}", self.next).as_bytes());
        }
    }
}

fn unique_keys(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, limits: &Limits) {
    let mut unique = Unique::new(10_000);
    group.throughput(Throughput::Elements(unique.bodies.len() as u64));
    group.bench_function("unique keys, bare parse", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut time = Duration::ZERO;
            for _ in 0..iterations {
                unique.renew();
                let begin = Instant::now();
                let kinds = unique.bodies.iter().map(|body| classify(body, limits).fields.kind);
                assert_eq!(kinds.filter(|kind| *kind == Kind::Response).count(), unique.bodies.len());
                time += begin.elapsed();
            }
            time
        });
    });
    group.bench_function("unique keys, body copied", |bencher| {
        bencher.iter_custom(|iterations| {
            let engine = Engine::open(Configuration::embedded()).expect("it opens without a store");
            let mut consumer = engine.queue("payments").expect("the configuration has it").consumer();
            let (mut batch, mut time) = (vec![], Duration::ZERO);
            for _ in 0..iterations {
                unique.renew();
                let (begin, mut polled) = (Instant::now(), 0);
                for bodies in unique.bodies.chunks(BATCH) {
                    for body in bodies {
                        let verdict = engine.accept(Inbound::new(body)).expect("the endpoint is there");
                        assert!(matches!(verdict, Verdict::Accepted { count: 1, .. }), "{verdict:?}");
                    }
                    while consumer.poll(BATCH, &mut batch).expect("the engine is open") > 0 {
                        polled += batch.drain(..).filter(|one| one.message.kind() == Kind::Response).count();
                    }
                }
                time += begin.elapsed();
                assert_eq!(polled, unique.bodies.len());
            }
            time
        });
    });
}

criterion_group!(benches, whole_path);
criterion_main!(benches);
