//! A host as the benches of the whole path play it: it gives bodies in and polls what comes out.
//! Each bench uses a part of it, which the compiler cannot know.
#![allow(dead_code)]

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nexowire_bench::Corpus;
use nexowire_core::classify::Classified;
use nexowire_core::engine::{Consumer, Delivered, Engine, Inbound};
use nexowire_core::nexo::Kind;
use nexowire_core::route::{Configuration, NoResolver};
use nexowire_core::shape::Shapes;

pub(crate) const BATCH: usize = 64;

/// How bodies are given in. In each way so many as [`BATCH`] are polled at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Copied, so many at a time.
    Batches,
    /// Copied, one by one.
    Copied,
    /// Shared, one by one.
    Shared,
}

/// One thread of a host.
pub(crate) struct Host<'a> {
    engine: Engine,
    consumers: Vec<Consumer>,
    batch: Vec<Delivered>,
    pub(crate) corpus: &'a Corpus,
    /// The same messages, to be shared.
    shared: &'a [Bytes],
}

impl<'a> Host<'a> {
    pub(crate) fn new(engine: Engine, corpus: &'a Corpus, shared: &'a [Bytes]) -> Self {
        let consumer = |name: &str| engine.queue(name).expect("the configuration has it").consumer();
        let consumers = ["tender", "terminals", "payments"].map(consumer).into();
        Self { engine, consumers, batch: vec![], corpus, shared }
    }

    /// All messages through the engine; answers how many were polled.
    pub(crate) fn pass(&mut self, way: Way) -> usize {
        let (corpus, shared, mut polled) = (self.corpus, self.shared, 0);
        let mut bodies = corpus.messages().zip(shared).peekable();
        while bodies.peek().is_some() {
            let bodies = bodies.by_ref().take(BATCH);
            match way {
                Way::Batches => {
                    let batch = bodies.map(|(body, _)| Inbound::new(body)).collect();
                    let verdicts = self.engine.accept_batch(batch).expect("the endpoint is there");
                    assert!(verdicts.iter().all(|verdict| verdict.is_kept()), "{verdicts:?}");
                }
                Way::Copied => bodies.for_each(|(body, _)| self.accept(Inbound::new(body))),
                Way::Shared => bodies.for_each(|(_, body)| self.accept(Inbound::shared(body.clone()))),
            }
            polled += self.poll();
        }
        polled
    }

    fn accept(&self, inbound: Inbound<'_>) {
        let verdict = self.engine.accept(inbound).expect("the endpoint is there");
        assert!(verdict.is_kept(), "{verdict:?}");
    }

    /// Takes what is there; answers how many messages that was. The next poll acks them.
    fn poll(&mut self) -> usize {
        let mut count = 0;
        for consumer in &mut self.consumers {
            while consumer.poll(BATCH, &mut self.batch).expect("the engine is open") > 0 {
                count += self.batch.iter().filter(|delivered| delivered.message.kind() != Kind::Malformed).count();
                self.batch.clear();
            }
        }
        count
    }
}

/// How long two hosts take for so many passes each, at the same time.
pub(crate) fn two_threads(passes: u64, way: Way, hosts: [&mut Host<'_>; 2]) -> Duration {
    let (barrier, polled) = (Barrier::new(2), AtomicUsize::new(0));
    let expected = hosts.iter().map(|host| host.corpus.len()).sum::<usize>() * passes as usize;
    let work = |host: &mut Host<'_>| {
        barrier.wait();
        let begin = Instant::now();
        for _ in 0..passes {
            polled.fetch_add(host.pass(way), Ordering::Relaxed);
        }
        let time = begin.elapsed();
        // What the other one has left behind; with one engine between them that can be much.
        while polled.load(Ordering::Relaxed) < expected {
            polled.fetch_add(host.poll(), Ordering::Relaxed);
        }
        // The last ones are acked.
        host.poll();
        time
    };
    let times = thread::scope(|scope| {
        hosts.map(|host| scope.spawn(|| work(host))).map(|thread| thread.join().expect("no assertion fails"))
    });
    assert_eq!(polled.into_inner(), expected);
    times.into_iter().max().unwrap_or_default()
}

/// Reads all messages as an engine does that knows their layouts; answers how many were right.
pub(crate) fn read(corpus: &Corpus, shapes: &Shapes, classified: &mut Classified) -> usize {
    let right = |body: &&[u8]| {
        shapes.classify_into(body, classified);
        classified.fields.kind != Kind::Malformed
    };
    corpus.messages().filter(right).count()
}

/// The embedded configuration, but no duplicate is looked for: every round sends the same messages.
pub(crate) fn configuration() -> Configuration {
    let text = concat!(
        include_str!("../../core/src/route/embedded.toml"),
        "\n[dedupe]\nterminal = \"0s\"\nwebhook = \"0s\"\n"
    );
    Configuration::parse(text, &NoResolver).expect("the configuration loads")
}
