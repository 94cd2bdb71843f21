//! Claims: with acks and retention running, `submit` from one thread takes at least 12 times as many messages a second as
//! `accept` one by one, where each has a sync of its own, and 64 threads that call `accept` take at least 8 times as many;
//! without acks and retention `submit` takes at least 20 times as many.
//!
//! A round brings unique messages of 700 bytes through an engine with a store, in every manner in turn, so that whatever
//! else the machine does falls on all of them; each manner has an engine and a file of its own, which go on from round to
//! round. `bare` appends as many bytes to a file and syncs it: no store can be faster. Every verdict is looked at, and
//! where consumers ack every message is counted. Time is moved by a millisecond a message, so that what was acked is
//! deleted after 4,000 messages, and its key after 8,000.
//!
//! It says the median of the rounds, beside it how many messages shared a transaction and, on Linux, how much processor
//! time a message took in all threads, which bounds what a faster disk could bring. It exits with 1 if a claim does not
//! hold and `NEXOWIRE_CLAIMS` is set.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nexowire_core::delivery::Verdict;
use nexowire_core::engine::{Consumer, Engine, Inbound, Submitted};
use nexowire_core::route::{Configuration, NoResolver, StoreSource};

const BODY_BYTES: usize = 700;
const ROUNDS: usize = 7;

/// How messages come in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From so many threads, each of which waits for its verdict.
    Accept(u64),
    /// From one thread, with a commit after so many.
    Submit(u64),
    /// Appended to a file, with a sync after so many.
    Bare(u64),
}

/// What is measured: a way, with consumers that ack and retention or without, so many messages a round.
struct Manner {
    way: Way,
    consumed: bool,
    messages: u64,
    engine: Option<Engine>,
    file: File,
    next: u64,
    rates: Vec<f64>,
    commits: u64,
    /// Processor time of all rounds, in hundredths of a second.
    ticks: u64,
}

/// What this process has used of processors so far, in hundredths of a second; 0 where nobody says.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold blanks; the times in and for the process are the 12th and 13th after it.
    let rest = stat.rsplit(')').next().unwrap_or_default();
    rest.split_whitespace().skip(11).take(2).filter_map(|number| number.parse::<u64>().ok()).sum()
}

fn body(number: u64) -> Vec<u8> {
    let poiid = number % 64;
    let header =
        format!(r#"{{"SaleID":"Till1","ServiceID":"{number}","MessageCategory":"Payment","POIID":"V400m-{poiid}"}}"#);
    let head = format!(
        r#"{{"SaleToPOIResponse":{{"MessageHeader":{header},"PaymentResponse":{{"Response":{{"Result":"Success","AdditionalResponse":""#
    );
    let tail = r#""}}}}"#;
    let mut body = head.into_bytes();
    body.resize(BODY_BYTES - tail.len(), b'x');
    body.extend(tail.as_bytes());
    body
}

fn configuration(consumed: bool) -> Configuration {
    let times = if consumed { "[store]\nretention = \"4s\"\n[dedupe]\nterminal = \"8s\"\n" } else { "" };
    let text = format!("default_queue = \"all\"\nclock = \"manual\"\n{times}[[queue]]\nname = \"all\"\nlanes = 8\n");
    Configuration::parse_with(&text, &NoResolver, StoreSource::Host).expect("it is written well")
}

fn accepted(verdict: Verdict) {
    assert!(matches!(verdict, Verdict::Accepted { count: 1, stored: true, .. }), "{verdict:?}");
}

/// Takes and acks what is there; answers how many.
fn take(consumer: &mut Consumer) -> u64 {
    let (mut batch, mut taken) = (vec![], 0);
    while consumer.poll(256, &mut batch).expect("the store can be read") > 0 {
        let seqs: Vec<_> = batch.drain(..).map(|delivered| delivered.message.origin().seq).collect();
        assert_eq!(consumer.ack(&seqs), seqs.len());
        taken += seqs.len() as u64;
    }
    taken
}

impl Manner {
    fn new(directory: &Path, way: Way, consumed: bool, messages: u64) -> Self {
        let engine = (!matches!(way, Way::Bare(_))).then(|| {
            let engine = Engine::open_in(configuration(consumed), directory).expect("a new store opens");
            engine.set_time(1);
            engine
        });
        let file = File::create(directory.with_extension("bare")).expect("a new file opens");
        Self { way, consumed, messages, engine, file, next: 0, rates: vec![], commits: 0, ticks: 0 }
    }

    fn name(&self) -> String {
        let consumed = if self.consumed { ", acks and retention" } else { "" };
        match self.way {
            Way::Accept(1) => format!("accept one by one{consumed}"),
            Way::Accept(threads) => format!("accept from {threads} threads{consumed}"),
            Way::Submit(batch) => format!("submit, a commit for {batch}{consumed}"),
            Way::Bare(batch) => format!("bare file, a sync for {batch}"),
        }
    }

    fn round(&mut self) {
        let numbers = self.next..self.next + self.messages;
        self.next = numbers.end;
        let bodies: Vec<_> = numbers.clone().map(body).collect();
        let commits = || self.engine.as_ref().map_or(0, |engine| engine.counters().commits);
        let (before, ticks_before) = (commits(), ticks());
        let begun = Instant::now();
        match (self.way, &self.engine) {
            (Way::Accept(threads), Some(engine)) => from_threads(engine, threads, self.consumed, &numbers, &bodies),
            (Way::Submit(batch), Some(engine)) => from_one(engine, batch, self.consumed, &numbers, &bodies),
            (Way::Bare(batch), _) | (Way::Accept(batch) | Way::Submit(batch), None) => {
                for bodies in bodies.chunks(batch as usize) {
                    self.file.write_all(&bodies.concat()).expect("the disk has room");
                    self.file.sync_data().expect("the disk syncs");
                }
            }
        }
        let rate = self.messages as f64 / begun.elapsed().as_secs_f64();
        self.commits += commits() - before;
        self.ticks += ticks() - ticks_before;
        self.rates.push(rate);
    }

    /// Messages a second.
    fn rate(&self) -> f64 {
        let mut rates = self.rates[1..].to_vec();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    }

    fn batch(&self) -> f64 {
        match self.way {
            Way::Bare(batch) => batch as f64,
            _ => self.next as f64 / self.commits.max(1) as f64,
        }
    }
}

fn from_one(engine: &Engine, batch: u64, consumed: bool, numbers: &Range<u64>, bodies: &[Vec<u8>]) {
    let mut consumer = engine.queue("all").expect("it is configured").consumer();
    let (mut read, mut taken) = (vec![], 0);
    let numbers: Vec<_> = numbers.clone().collect();
    for (numbers, bodies) in numbers.chunks(batch as usize).zip(bodies.chunks(batch as usize)) {
        for (number, body) in numbers.iter().zip(bodies) {
            engine.set_time(number + 1);
            let submitted = engine.submit(Inbound::new(body), *number).expect("the endpoint is there");
            assert_eq!(submitted, Submitted::Pending);
        }
        engine.commit();
        assert_eq!(engine.completions(usize::MAX, &mut read), bodies.len());
        read.drain(..).zip(numbers).for_each(|(completion, number)| {
            assert_eq!(completion.id, *number);
            accepted(completion.verdict);
        });
        if consumed {
            taken += take(&mut consumer);
        }
    }
    assert!(!consumed || taken == bodies.len() as u64, "{taken}");
}

fn from_threads(engine: &Engine, threads: u64, consumed: bool, numbers: &Range<u64>, bodies: &[Vec<u8>]) {
    let (next, ended) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut consumer = engine.queue("all").expect("it is configured").consumer();
    let bring = |mut after: Option<&mut dyn FnMut()>| loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(body) = bodies.get(at as usize) else { return };
        engine.set_time(numbers.start + at + 1);
        accepted(engine.accept(Inbound::new(body)).expect("the endpoint is there"));
        if let Some(after) = &mut after {
            after();
        }
    };
    let mut taken = 0;
    if threads == 1 {
        let mut after = || taken += take(&mut consumer);
        bring(consumed.then_some(&mut after as &mut dyn FnMut()));
    } else {
        thread::scope(|scope| {
            let callers: Vec<_> = (0..threads).map(|_| scope.spawn(|| bring(None))).collect();
            let worker = consumed.then(|| {
                let (ended, consumer) = (&ended, &mut consumer);
                scope.spawn(move || {
                    let (mut taken, mut batch) = (0, vec![]);
                    while !ended.load(Ordering::Acquire) {
                        let wait = Duration::from_millis(20);
                        consumer.poll_timeout(256, wait, &mut batch).expect("the store can be read");
                        let seqs: Vec<_> = batch.drain(..).map(|delivered| delivered.message.origin().seq).collect();
                        assert_eq!(consumer.ack(&seqs), seqs.len());
                        taken += seqs.len() as u64 + take(consumer);
                    }
                    taken + take(consumer)
                })
            });
            callers.into_iter().for_each(|caller| caller.join().expect("every verdict is as it should be"));
            ended.store(true, Ordering::Release);
            taken = worker.map_or(0, |worker| worker.join().expect("what is taken can be acked"));
        });
    }
    assert!(!consumed || taken == bodies.len() as u64, "{taken}");
}

fn main() -> ExitCode {
    // As a test it only looks at every manner: `cargo bench` says `--bench`.
    let (rounds, share) = if std::env::args().any(|argument| argument == "--bench") { (ROUNDS, 1) } else { (2, 16) };
    let kept = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("there is a place for temporary files");
    let mut manners = vec![];
    for consumed in [true, false] {
        for (way, messages) in [
            (Way::Accept(1), 1_024),
            (Way::Accept(8), 8_192),
            (Way::Accept(64), 16_384),
            (Way::Submit(64), 16_384),
            (Way::Submit(256), 16_384),
            (Way::Submit(1_024), 16_384),
        ] {
            let directory = kept.path().join(manners.len().to_string());
            manners.push(Manner::new(&directory, way, consumed, messages / share));
        }
    }
    for (way, messages) in [(Way::Bare(1), 1_024), (Way::Bare(64), 16_384), (Way::Bare(256), 16_384)] {
        let directory = kept.path().join(manners.len().to_string());
        manners.push(Manner::new(&directory, way, false, messages / share));
    }
    for _ in 0..rounds {
        manners.iter_mut().for_each(Manner::round);
    }
    println!("{:<55} {:>12} {:>12} {:>12} {:>12}", "", "messages/s", "times", "a commit", "us of CPU");
    for manner in &manners {
        let single = single(&manners, manner.consumed);
        let (rate, batch) = (manner.rate(), manner.batch());
        let cpu = manner.ticks as f64 * 10_000.0 / manner.next as f64;
        println!("{:<55} {rate:>12.0} {:>12.1} {batch:>12.1} {cpu:>12.1}", manner.name(), rate / single);
    }
    let mut holds = true;
    for (way, consumed, wanted) in
        [(Way::Submit(256), true, 12.0), (Way::Accept(64), true, 8.0), (Way::Submit(256), false, 20.0)]
    {
        let manner = manners.iter().find(|manner| manner.way == way && manner.consumed == consumed);
        let times = manner.map_or(0.0, Manner::rate) / single(&manners, consumed);
        println!("claim: at least {wanted} times; measured: {times:.1}");
        holds &= times >= wanted;
    }
    if holds || std::env::var_os("NEXOWIRE_CLAIMS").is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What one by one comes to.
fn single(manners: &[Manner], consumed: bool) -> f64 {
    let single = manners.iter().find(|manner| manner.way == Way::Accept(1) && manner.consumed == consumed);
    single.map_or(f64::NAN, Manner::rate)
}
