//! Claims: a message is validated and its fields are found in a small multiple of the time that copying it takes, and
//! the kernel for this machine beats the portable one; `copy` is the floor.
//!
//! One iteration reads all messages of a corpus, and counts the fields that were found.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nexowire_bench::{Corpus, NAMES};
use nexowire_core::classify::classify_with;
use nexowire_core::limits::Limits;
use nexowire_core::nexo::{Field, Fields};
use nexowire_core::parse::parse;
use nexowire_core::simd::Kernel;

fn fields(fields: &Fields) -> usize {
    [Field::PoiId, Field::EventToNotify, Field::ReferenceId, Field::Result]
        .into_iter()
        .filter(|field| fields.get(*field).is_some())
        .count()
}

fn parsing(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("parse");
    for name in NAMES {
        let corpus = Corpus::made(name);
        // Each has a terminal, and one field of its kind.
        let expected = 2 * corpus.len();
        group.throughput(Throughput::Elements(corpus.len() as u64));
        group.bench_function(BenchmarkId::new("fastest", name), |bencher| {
            bencher.iter(|| {
                let found: usize =
                    corpus.messages().map(|body| parse(body, &limits).map_or(0, |found| fields(&found))).sum();
                assert_eq!(found, expected);
            });
        });
        for kernel in Kernel::available() {
            group.bench_function(BenchmarkId::new(kernel.name(), name), |bencher| {
                bencher.iter(|| {
                    let classified = corpus.messages().map(|body| classify_with(kernel, body, &limits));
                    let found: usize = classified.map(|classified| fields(&classified.fields)).sum();
                    assert_eq!(found, expected);
                });
            });
        }
        let mut copy = vec![];
        group.bench_function(BenchmarkId::new("copy", name), |bencher| {
            bencher.iter(|| {
                let mut total = 0;
                for body in corpus.messages() {
                    copy.clear();
                    copy.extend_from_slice(body);
                    total += black_box(&copy).len();
                }
                assert_eq!(total, corpus.total_bytes());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parsing);
criterion_main!(benches);
