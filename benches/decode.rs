//! Claims: the pairs of an AdditionalResponse are read at least 4 times as fast as by form_urlencoded, and a single key
//! is found at least 8 times as fast.
//!
//! One iteration reads 64 texts of some 45 pairs each, and compares the lengths of what it decoded.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nexowire_bench::Corpus;
use nexowire_core::additional::AdditionalResponse;
use nexowire_core::classify::classify;
use nexowire_core::form;
use nexowire_core::limits::Limits;
use nexowire_core::nexo::{Field, View};
use nexowire_core::text::Text;

const KEY: &str = "pspReference";

/// The AdditionalResponses of the made payments.
fn texts() -> Vec<Vec<u8>> {
    let read = |body| {
        let fields = classify(body, &Limits::default()).fields;
        View::new(body, &fields).text(Field::AdditionalResponse).map(|text| text.to_bytes().into_owned())
    };
    Corpus::made("payment").messages().map(|body| read(body).expect("a payment has one")).collect()
}

fn decoding(criterion: &mut Criterion) {
    let texts = texts();
    let lengths =
        |text: &Vec<u8>| -> usize { form_urlencoded::parse(text).map(|(key, value)| key.len() + value.len()).sum() };
    let expected: usize = texts.iter().map(lengths).sum();
    let pairs: usize = texts.iter().map(|text| form::pairs(text).count()).sum();
    assert!((40..=47).contains(&(pairs / texts.len())), "some 45 pairs a text");

    let mut group = criterion.benchmark_group("decode/pairs");
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("form::pairs", |bencher| {
        bencher.iter(|| {
            let lengths =
                |text: &Vec<u8>| -> usize { form::pairs(text).map(|pair| pair.key().len() + pair.value().len()).sum() };
            assert_eq!(texts.iter().map(lengths).sum::<usize>(), expected);
        });
    });
    group.bench_function("AdditionalResponse::pairs", |bencher| {
        bencher.iter(|| {
            let lengths = |text: &Vec<u8>| -> usize {
                let additional = AdditionalResponse::decode(Text::plain(text));
                additional.pairs().iter().map(|(key, value)| key.len() + value.len()).sum()
            };
            assert_eq!(texts.iter().map(lengths).sum::<usize>(), expected);
        });
    });
    group.bench_function("form_urlencoded", |bencher| {
        bencher.iter(|| assert_eq!(texts.iter().map(lengths).sum::<usize>(), expected));
    });
    group.finish();
}

fn single_key(criterion: &mut Criterion) {
    // Nineteen of twenty have it; a text without it is read to its end.
    let texts = texts();
    let theirs =
        |text: &Vec<u8>| form_urlencoded::parse(text).find(|(key, _)| key == KEY).map_or(0, |(_, value)| value.len());
    let expected: usize = texts.iter().map(theirs).sum();
    assert!(expected > 0);

    let mut group = criterion.benchmark_group("decode/single key");
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("form::find", |bencher| {
        bencher.iter(|| {
            let ours = |text: &Vec<u8>| form::find(text, KEY.as_bytes()).map_or(0, |pair| pair.value().len());
            assert_eq!(texts.iter().map(ours).sum::<usize>(), expected);
        });
    });
    group.bench_function("form_urlencoded", |bencher| {
        bencher.iter(|| assert_eq!(texts.iter().map(theirs).sum::<usize>(), expected));
    });
    group.finish();
}

criterion_group!(benches, decoding, single_key);
criterion_main!(benches);
