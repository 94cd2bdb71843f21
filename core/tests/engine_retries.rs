//! Many retries of many messages, with restarts: within its window each message is accepted once and its repeats are
//! duplicates of that number; after it the message is new. Source: `delivery.md`, 1.3 and 6.

mod support;

use nexowire_core::delivery::{MemoryStore, Verdict};
use nexowire_core::engine::{Consumer, Engine, Inbound, Submitted};
use nexowire_core::route::{Configuration, NoResolver, StoreSource};
use std::collections::HashMap;
use std::sync::Arc;
use support::{consumer, tag};

/// Terminals' messages are remembered for 48 hours, items of webhooks for 30 days; both windows are left as they are.
const WINDOWS_MS: [u64; 2] = [172_800_000, 2_592_000_000];

/// How long the simulated time is in all.
const SPAN_MS: u64 = 120 * 86_400_000;

struct Random(u64);

impl Random {
    /// A number below `end` (SplitMix64).
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn open(store: &MemoryStore) -> (Engine, Consumer) {
    let text = "default_queue = \"all\"\nclock = \"manual\"\n[store]\nretention = \"1m\"\n[[queue]]\nname = \"all\"\n";
    let configuration = Configuration::parse_with(text, &NoResolver, StoreSource::Host).unwrap();
    let engine = Engine::open_with(configuration, Arc::new(store.clone())).unwrap();
    let consumer = consumer(&engine, "all");
    (engine, consumer)
}

/// Every other message is an item of a webhook. Those of a number that say another thing share its key.
fn text(number: u64, variant: u64) -> String {
    let poiid = number % 97;
    if number.is_multiple_of(2) {
        let result = ["Success", "Failure"][variant as usize];
        let header =
            format!(r#"{{"SaleID":"Till1","ServiceID":"{number}","MessageCategory":"Payment","POIID":"{poiid}"}}"#);
        let body = format!(r#"{{"PaymentResponse":{{"Response":{{"Result":"{result}"}}}},"MessageHeader":{header}}}"#);
        format!(r#"{{"SaleToPOIResponse":{body}}}"#)
    } else {
        let members = r#""eventCode":"AUTHORISATION","success":"true","merchantAccountCode":"Mine""#;
        let item = format!(r#"{{{members},"pspReference":"{number}","reason":"{variant}"}}"#);
        format!(r#"{{"live":"false","notificationItems":[{{"NotificationRequestItem":{item}}}]}}"#)
    }
}

/// What is known of the messages of a number: the first acceptance of the key, and the number of each variant.
type Known = (u64, [Option<u64>; 2]);

/// What was given to an engine and not answered yet: number, variant, and what must be answered.
struct Asked {
    number: u64,
    variant: u64,
    now: u64,
}

#[derive(Default)]
struct World {
    known: HashMap<u64, Known>,
    accepted: u64,
    duplicates: u64,
    expired: u64,
    /// What was accepted and has not come: by its number, its mark.
    owed: HashMap<u64, u64>,
}

impl World {
    /// The live number of a variant, and whether its key is live, at a time.
    fn forget_old(&mut self, number: u64, now: u64) {
        let window = WINDOWS_MS[usize::from(!number.is_multiple_of(2))];
        if self.known.get(&number).is_some_and(|(first_at, _)| now - first_at >= window) {
            self.known.remove(&number);
            self.expired += 1;
        }
    }

    fn answered(&mut self, asked: &Asked, verdict: Verdict) {
        let &Asked { number, variant, now } = asked;
        self.forget_old(number, now);
        let known = self.known.entry(number).or_insert((now, [None; 2]));
        match (verdict, known.1[variant as usize]) {
            (Verdict::Accepted { first_seq, count: 1, stored: true }, None) => {
                known.1[variant as usize] = Some(first_seq);
                self.accepted += 1;
                assert!(self.owed.insert(first_seq, number * 2 + variant).is_none(), "{first_seq} is given twice");
            }
            (Verdict::Duplicate { seq }, Some(known)) if seq == known => self.duplicates += 1,
            other => panic!("{number}, variant {variant}, at {now}: {other:?}"),
        }
    }

    /// Takes all that has come, each once, and nothing that was not accepted.
    fn take(&mut self, consumer: &mut Consumer) {
        let mut batch = vec![];
        while consumer.poll(256, &mut batch).unwrap() > 0 {
            let seqs: Vec<_> = batch.iter().map(|delivered| delivered.message.origin().seq).collect();
            for (delivered, seq) in batch.drain(..).zip(&seqs) {
                assert_eq!(self.owed.remove(seq), Some(tag(&delivered)), "{seq} was not accepted, or came before");
            }
            assert_eq!(consumer.ack(&seqs), seqs.len());
        }
        assert!(self.owed.is_empty(), "{} were accepted and have not come", self.owed.len());
    }
}

#[test]
fn no_duplicate_is_delivered_and_nothing_new_is_dropped() {
    let retries: u64 =
        std::env::var("NEXOWIRE_CASES").map_or(30_000, |cases| cases.parse().expect("NEXOWIRE_CASES is a number"));
    let store = MemoryStore::default();
    let (mut engine, mut consumer) = open(&store);
    let (mut world, mut random) = (World::default(), Random(11));
    let (mut now, mut messages, mut restarts, mut given) = (1_700_000_000_000, 1, 0, 0);
    while given < retries {
        now += random.below(2 * 40 * SPAN_MS / retries + 2);
        engine.set_time(now);
        let mut asked = vec![];
        for _ in 0..1 + random.below(79) {
            messages += u64::from(random.below(10) == 0);
            let age = if random.below(4) > 0 { random.below(100.min(messages)) } else { random.below(messages) };
            let (number, variant) = (messages - age, random.below(20) / 18);
            let body = text(number, variant);
            let inbound = Inbound { tag: Some(number * 2 + variant), ..Inbound::new(body.as_bytes()) };
            given += 1;
            asked.push(Asked { number, variant, now });
            match engine.submit(inbound, asked.len() as u64 - 1).unwrap() {
                Submitted::Pending => {}
                // A duplicate of what is live is answered at once: nothing that waits can come before it.
                Submitted::Verdict(verdict) => world.answered(&asked.pop().expect("it was pushed"), verdict),
            }
        }
        engine.commit();
        let mut read = vec![];
        engine.completions(usize::MAX, &mut read);
        assert_eq!(read.len(), asked.len());
        for (completion, asked) in read.iter().zip(&asked) {
            world.answered(asked, completion.verdict);
        }
        world.take(&mut consumer);
        if random.below(20) == 0 {
            engine.advance(Some(now));
        }
        if random.below(60.max(retries / 8_000)) == 0 {
            // Without a farewell in one case of two, like a process that is killed when the last acks are written.
            if random.below(2) == 0 {
                engine.close()
            } else {
                engine.commit()
            }
            drop((engine, consumer));
            (engine, consumer) = open(&store);
            restarts += 1;
        }
    }
    let World { accepted, duplicates, expired, .. } = world;
    println!(
        "{given} given, {accepted} accepted, {duplicates} duplicates, {expired} over their window, {restarts} restarts"
    );
    assert!(duplicates > accepted && accepted > given / 20 && expired > 0 && restarts > 3);
    assert_eq!(engine.counters().dedupe_left, 0);
}
