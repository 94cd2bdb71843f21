//! Instructions, counted by callgrind, which counts the same in every run: so a change that costs 2 % can be seen where
//! no clock would show it. Valgrind does not know AVX-512, so that the AVX2 kernel is what is counted.
//!
//! `.ci/instructions` runs this and compares with the record in `benches/instructions.txt`. Each bench reads 64
//! messages, or what its name says, after a first pass that is not counted. `parse` is the general walk, `known` is by
//! learned layouts.

#![allow(missing_docs, reason = "the macros make public items")]

use std::hint::black_box;

use gungraun::prelude::*;
use nexowire_bench::Corpus;
use nexowire_core::classify::{Classified, classify};
use nexowire_core::engine::{Consumer, Delivered, Engine, Inbound};
use nexowire_core::form;
use nexowire_core::limits::Limits;
use nexowire_core::nexo::{Field, Kind, View};
use nexowire_core::route::{Configuration, NoResolver};
use nexowire_core::shape::Shapes;

/// Messages of the mixes that are read, which are too many for valgrind.
const FEW: usize = 640;

fn made(name: &str) -> Vec<Vec<u8>> {
    let messages: Vec<_> = Corpus::made(name).messages().take(FEW).map(<[u8]>::to_vec).collect();
    assert_eq!(parse_all(&messages), messages.len());
    messages
}

fn parse_all(messages: &[Vec<u8>]) -> usize {
    let kinds = messages.iter().map(|body| classify(black_box(body), &Limits::MAX).fields.kind);
    kinds.filter(|kind| *kind != Kind::Malformed).count()
}

#[library_benchmark]
#[bench::event(args = ("event"), setup = made)]
#[bench::display(args = ("display"), setup = made)]
#[bench::payment(args = ("payment"), setup = made)]
#[bench::mix(args = ("mix"), setup = made)]
#[bench::varied(args = ("varied"), setup = made)]
#[bench::reshaped(args = ("reshaped"), setup = made)]
fn parse(messages: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    assert_eq!(parse_all(&messages), messages.len());
    messages
}

type Known = (Shapes, Vec<Vec<u8>>);

/// Messages whose layouts have been learned, as far as they can be.
fn learned(name: &str) -> Known {
    let known = (Shapes::new(Limits::MAX), made(name));
    read_all(read_all(known))
}

/// Reads all by learned layouts; answers what it was given, so that dropping it is not counted.
fn read_all((shapes, messages): Known) -> Known {
    let mut classified = Classified::default();
    for body in &messages {
        shapes.classify_into(black_box(body), &mut classified);
        assert_ne!(black_box(&classified).fields.kind, Kind::Malformed);
    }
    (shapes, messages)
}

#[library_benchmark]
#[bench::event(args = ("event"), setup = learned)]
#[bench::display(args = ("display"), setup = learned)]
#[bench::payment(args = ("payment"), setup = learned)]
#[bench::mix(args = ("mix"), setup = learned)]
#[bench::varied(args = ("varied"), setup = learned)]
fn known(known: Known) -> Known {
    read_all(known)
}

/// The embedded configuration, but no duplicate is looked for: every round sends the same messages.
fn configuration() -> Configuration {
    let text =
        concat!(include_str!("../core/src/route/embedded.toml"), "\n[dedupe]\nterminal = \"0s\"\nwebhook = \"0s\"\n");
    Configuration::parse(text, &NoResolver).expect("the configuration loads")
}

type Path = (Engine, Vec<Consumer>, Vec<Vec<u8>>);

fn path(name: &str) -> Path {
    let engine = Engine::open(configuration()).unwrap();
    let consumers = ["tender", "terminals", "payments"]
        .map(|name| engine.queue(name).expect("the configuration has it").consumer())
        .into();
    through((engine, consumers, made(name)), one_by_one)
}

/// Takes 64 bodies in, polls them, and so on; answers what it was given, so that dropping it is not counted.
fn through((engine, mut consumers, messages): Path, accept: impl Fn(&Engine, &[Vec<u8>])) -> Path {
    let (mut polled, mut delivered) = (0, Vec::<Delivered>::with_capacity(64));
    for bodies in messages.chunks(64) {
        accept(&engine, bodies);
        for consumer in &mut consumers {
            while consumer.poll(64, &mut delivered).is_ok_and(|count| count > 0) {
                polled += delivered.len();
                delivered.clear();
            }
        }
    }
    assert_eq!(polled, messages.len());
    (engine, consumers, messages)
}

fn one_by_one(engine: &Engine, bodies: &[Vec<u8>]) {
    for body in bodies {
        assert!(engine.accept(Inbound::new(black_box(body))).is_ok_and(|verdict| verdict.is_kept()));
    }
}

fn together(engine: &Engine, bodies: &[Vec<u8>]) {
    let batch = bodies.iter().map(|body| Inbound::new(black_box(body))).collect();
    assert!(engine.accept_batch(batch).is_ok_and(|verdicts| verdicts.iter().all(|verdict| verdict.is_kept())));
}

#[library_benchmark]
#[bench::mix(args = ("mix"), setup = path)]
fn whole_path(path: Path) -> Path {
    through(path, one_by_one)
}

#[library_benchmark]
#[bench::mix(args = ("mix"), setup = path)]
fn whole_path_in_batches(path: Path) -> Path {
    through(path, together)
}

fn texts() -> Vec<Vec<u8>> {
    let text = |body: &Vec<u8>| {
        let fields = classify(body, &Limits::MAX).fields;
        View::new(body, &fields).text(Field::AdditionalResponse).map(|text| text.to_bytes().into_owned())
    };
    made("payment").iter().filter_map(text).collect()
}

#[library_benchmark]
#[bench::pairs(setup = texts)]
fn decode(texts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let pairs = texts.iter().flat_map(|text| form::pairs(black_box(text)));
    assert!(pairs.map(|pair| pair.key().len() + pair.value().len()).sum::<usize>() > 64 * 500);
    texts
}

#[library_benchmark]
#[bench::single_key(setup = texts)]
fn find(texts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let found = texts.iter().filter_map(|text| form::find(black_box(text), b"pspReference"));
    assert!(found.map(|pair| pair.value().len()).sum::<usize>() > 50 * 16);
    texts
}

library_benchmark_group!(name = counts, benchmarks = [parse, known, whole_path, whole_path_in_batches, decode, find]);
gungraun::main!(library_benchmark_groups = counts);
