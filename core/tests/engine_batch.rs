//! Bodies taken together are taken as if one by one: verdicts, numbers, order, counters. Source: `delivery.md`, 1.8.

mod support;

use nexowire_core::delivery::Verdict;
use nexowire_core::engine::{Consumer, Engine, Inbound};
use support::{consumer, engine, event, item, messages, quarantine, webhook};

/// A lane that is soon full, one that lets its oldest go, and messages for two queues of which one may be full.
const SMALL: &str = r#"
    default_queue = "other"
    clock = "manual"
    [[queue]]
    name = "other"
    lanes = 2
    capacity = 24
    [[queue]]
    name = "events"
    lanes = 3
    capacity = 8
    [[queue]]
    name = "newest"
    lanes = 1
    capacity = 5
    when_full = "drop-oldest"
    [[rule]]
    queue = ["events", "newest"]
    kind = "event"
    [[rule]]
    queue = "newest"
    kind = "display"
    [endpoint.till]
    sale_ids = ["Till*"]
    [dedupe]
    terminal = "10m"
    webhook = "10m"
"#;

const QUEUES: [&str; 3] = ["other", "events", "newest"];

/// A host: its engine, and a consumer of each queue.
struct Host {
    engine: Engine,
    consumers: [Consumer; 3],
}

/// What a consumer sees of a message, and its body.
type Seen = (u64, Option<u64>, String, Vec<&'static str>, Vec<u8>);

impl Host {
    fn new(text: &str) -> Self {
        let engine = engine(text);
        let consumers = QUEUES.map(|queue| consumer(&engine, queue));
        Self { engine, consumers }
    }

    /// Takes up to `max` messages of each queue; the next poll acks them.
    fn poll(&mut self, max: usize) -> Vec<Seen> {
        let mut all = vec![];
        for consumer in &mut self.consumers {
            let mut batch = vec![];
            consumer.poll(max, &mut batch).unwrap();
            all.extend(batch.iter().map(|delivered| {
                let message = &delivered.message;
                let (origin, flags) = (message.origin(), message.fields().flags.words().collect());
                (origin.seq, origin.tag, message.kind().word().to_owned(), flags, message.received().to_vec())
            }));
        }
        all
    }
}

/// Numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// Bodies of every kind, good and bad, and some for the small queues.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<_> = messages().into_iter().map(|(_, body)| body).filter(|body| body.len() < 4_096).collect();
    for number in 0..200 {
        bodies.push(event(&format!("V400m-{number}")).into_bytes());
        let bad = "{}".to_owned();
        let items = [item("Shop", &format!("A{number}")), bad, item("Shop", &format!("B{}", number / 2))];
        bodies.push(webhook(&items[..1 + number % 3]).into_bytes());
    }
    bodies
}

fn inbound<'a>(body: &'a [u8], random: &mut Random, tag: u64) -> Inbound<'a> {
    let inbound = match random.below(3) {
        0 => Inbound::shared(bytes::Bytes::copy_from_slice(body)),
        _ => Inbound::new(body),
    };
    let endpoint = (random.below(4) == 0).then_some("till");
    let content_encoding = (random.below(40) == 0).then_some("gzip");
    Inbound { tag: Some(tag), endpoint, content_encoding, ..inbound }
}

#[test]
fn a_batch_is_taken_as_if_one_by_one() {
    let (bodies, mut random) = (bodies(), Random(1));
    let (mut singly, mut together) = (Host::new(SMALL), Host::new(SMALL));
    let (mut refused, mut twice) = (0, 0);
    for round in 0..1_500 {
        let length = random.below(if round % 50 == 0 { 300 } else { 40 });
        let batch: Vec<_> = (0..length)
            .map(|at| inbound(&bodies[random.below(bodies.len())], &mut random, (round * 1_000 + at) as u64))
            .collect();
        let one_by_one: Vec<_> = batch.iter().map(|inbound| singly.engine.accept(inbound.clone()).unwrap()).collect();
        assert_eq!(together.engine.accept_batch(batch).unwrap(), one_by_one, "round {round}");
        refused += one_by_one.iter().filter(|verdict| matches!(verdict, Verdict::Busy { .. })).count();
        twice += one_by_one.iter().filter(|verdict| matches!(verdict, Verdict::Duplicate { .. })).count();
        let max = random.below(30);
        assert_eq!(together.poll(max), singly.poll(max), "round {round}");
        assert_eq!(together.engine.counters(), singly.engine.counters(), "round {round}");
        for host in [&singly, &together] {
            host.engine.advance(Some(round as u64 * 5_000));
        }
    }
    assert!(refused > 100 && twice > 100, "{refused} were refused, {twice} were duplicates");
    let seen = |host: &Host| quarantine(&host.engine).iter().map(|entry| (entry.seq, entry.reason)).collect::<Vec<_>>();
    assert_eq!(seen(&together), seen(&singly));
}

/// A body of a closing engine is refused, whichever way it comes.
#[test]
fn a_batch_at_the_end() {
    let host = Host::new(SMALL);
    let event = event("V400m-1");
    let batch = || vec![Inbound::new(event.as_bytes()); 70];
    host.engine.close();
    let verdicts = host.engine.accept_batch(batch()).unwrap();
    assert_eq!(verdicts.len(), 70);
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Busy { .. })), "{verdicts:?}");
    assert_eq!(host.engine.accept_batch(vec![]), Ok(vec![]));
}
