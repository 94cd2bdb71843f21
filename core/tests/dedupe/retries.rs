//! Many retries of many messages: each is accepted once in its window. And what it costs at full size.

use std::collections::HashMap;
use std::time::Instant;

use crate::dedupe::{Dedupe, DedupeOptions, Seen};
use crate::key_row::Window;
use crate::{ENDLESS, Random, cases, key, learn};

const TERMINAL_MS: u64 = 172_800_000;
const WEBHOOK_MS: u64 = 2_592_000_000;

#[test]
fn each_message_is_accepted_once() {
    let retries = cases(300_000);
    let options = DedupeOptions { terminal_ms: TERMINAL_MS, webhook_ms: WEBHOOK_MS, keys_max: 10_000_000 };
    let (mut dedupe, mut random) = (Dedupe::new(options), Random(7));
    // By key: the first acceptance, and the number of each variant.
    let mut accepted: HashMap<u64, (u64, Vec<(u64, u64)>)> = HashMap::new();
    let (mut now, mut last_seq, mut messages, mut duplicates) = (0, 0, 1, 0);
    for _ in 0..retries {
        // About as many keys as a tenth of the retries, come back to after seconds or after months.
        now += random.below(120_000_000_000 / retries.max(1) + 2);
        messages += u64::from(random.below(10) == 0);
        let age = if random.below(4) > 0 { random.below(100.min(messages)) } else { random.below(messages) };
        let (number, digest) = (messages - age, random.below(20) / 18);
        let window_ms = if number.is_multiple_of(2) { TERMINAL_MS } else { WEBHOOK_MS };
        let live = accepted.get(&number).filter(|(first_at, _)| now - first_at < window_ms);
        let expected = match live.map(|(_, variants)| variants.iter().find(|(other, _)| *other == digest)) {
            None => Seen::New,
            Some(None) => Seen::Variant,
            Some(Some((_, seq))) => Seen::Duplicate { seq: *seq },
        };
        assert_eq!(dedupe.look(&key(number), digest, now), expected, "{number} at {now}");
        if expected == Seen::New {
            accepted.insert(number, (now, vec![]));
        }
        if let Seen::Duplicate { .. } = expected {
            duplicates += 1;
        } else if let Some((_, variants)) = accepted.get_mut(&number) {
            last_seq += 1;
            dedupe.learn(&key(number), digest, last_seq, now);
            variants.push((digest, last_seq));
        }
        if random.below(1_000) == 0 {
            dedupe.advance(now);
        }
    }
    assert!(duplicates > retries / 2 && last_seq > retries / 20, "{duplicates} {last_seq} of {retries}");
    assert_eq!(dedupe.left(), 0);
}

/// Only when many cases are asked for: what ten million keys cost, and that an opening is quick enough.
#[test]
fn ten_million_keys() {
    let keys = if cases(0) > 0 { 10_000_000_u64 } else { 200_000 };
    let begun = Instant::now();
    let first = Dedupe::new(ENDLESS);
    let rows: Vec<_> =
        (0..keys).map(|number| (key(number).window, first.row(&key(number), 0, number, number))).collect();
    drop(first);
    let made = begun.elapsed();

    let (begun, mut dedupe) = (Instant::now(), Dedupe::new(ENDLESS));
    for (window, row) in &rows {
        dedupe.restore(*window, *row, keys);
    }
    let restored = begun.elapsed();
    let a_million = restored.as_secs_f64() * 1e6 / keys as f64;
    println!("{keys} rows made in {made:?}, restored in {restored:?}: {a_million:.3} s a million");
    assert_eq!(dedupe.len(), keys);
    drop(rows);

    let (mut random, mut slowest) = (Random(1), 0);
    let begun = Instant::now();
    for _ in 0..keys {
        let number = random.below(keys);
        assert_eq!(dedupe.look(&key(number), 0, keys), Seen::Duplicate { seq: number });
    }
    println!("{} ns a duplicate", begun.elapsed().as_nanos() / u128::from(keys));

    // A window that slides at its full size: every message looks, makes room and is learned.
    dedupe.set_options(DedupeOptions { keys_max: keys as u32, ..ENDLESS });
    let begun = Instant::now();
    for number in keys..2 * keys {
        let step = Instant::now();
        assert_eq!(dedupe.look(&key(number), 0, number), Seen::New);
        dedupe.learn(&key(number), 0, number, number);
        slowest = slowest.max(step.elapsed().as_micros());
    }
    let each = begun.elapsed().as_nanos() / u128::from(keys);
    println!("{each} ns a look and learn, the clock included; the slowest {slowest} us");
    assert_eq!((dedupe.len(), dedupe.left()), (keys, keys));
    assert_eq!(dedupe.oldest_seq(Window::Terminal), keys);

    let mut grown = Dedupe::new(ENDLESS);
    let begun = Instant::now();
    learn(&mut grown, 0, keys);
    println!("{} ns a learn from nothing", begun.elapsed().as_nanos() / u128::from(keys));
    // Last, so that all figures are told first. A time means something only at the full size, and where nothing else is measured beside it.
    assert!(keys < 10_000_000 || a_million < 1.0, "{a_million} s a million keys");
}
