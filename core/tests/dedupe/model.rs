//! Random steps against a model that is obviously right: lists, a map, and the rules in the words of `delivery.md`.

use std::collections::HashMap;

use proptest::prelude::*;

use crate::dedupe::{Dedupe, DedupeOptions, Key, Seen};
use crate::key_row::{KeyRow, Window};

/// A row, and the number of the first row of its key.
type Entry = (KeyRow, u64);

struct Model {
    options: DedupeOptions,
    rows: [Vec<Entry>; 2],
    /// The number of the first row of each key that was accepted last under its hash.
    keys: HashMap<(usize, u128), u64>,
    left: u64,
}

impl Model {
    fn new(options: DedupeOptions) -> Self {
        Self { options, rows: [vec![], vec![]], keys: HashMap::new(), left: 0 }
    }

    fn window_ms(&self, window: usize) -> u64 {
        [self.options.terminal_ms, self.options.webhook_ms][window]
    }

    /// The first row of the key, if it is live.
    fn live(&self, window: usize, hash: u128, now: u64) -> Option<KeyRow> {
        let first = *self.keys.get(&(window, hash))?;
        let row = self.rows[window].iter().map(|(row, _)| *row).find(|row| row.seq == first)?;
        (now - row.first_at < self.window_ms(window)).then_some(row)
    }

    fn look(&self, key: &Key, digest: u64, now: u64) -> Seen {
        let window = key.window as usize;
        let Some(live) = self.live(window, key.hash, now) else { return Seen::New };
        let mut of_key = self.rows[window].iter().filter(|(_, first)| *first == live.seq);
        of_key.find(|(row, _)| row.digest == digest).map_or(Seen::Variant, |(row, _)| Seen::Duplicate { seq: row.seq })
    }

    fn free_dead(&mut self, now: u64) {
        for window in 0..2 {
            let window_ms = self.window_ms(window);
            let is_dead = |(row, first): &Entry| *first != row.seq || now - row.first_at >= window_ms;
            let dead = self.rows[window].iter().take_while(|entry| is_dead(entry)).count();
            self.rows[window].drain(..dead);
        }
    }

    fn total(&self) -> u64 {
        (self.rows[0].len() + self.rows[1].len()) as u64
    }

    fn make_room(&mut self, now: u64, total: u64) {
        self.free_dead(now);
        while self.total() > total {
            let seq = |window: usize| self.rows[window].first().map_or(u64::MAX, |(row, _)| row.seq);
            let oldest = usize::from(seq(1) < seq(0));
            let (row, _) = self.rows[oldest].remove(0);
            self.left += u64::from(self.keys.get(&(oldest, row.hash)) == Some(&row.seq));
            self.free_dead(now);
        }
    }

    fn learn(&mut self, key: &Key, digest: u64, seq: u64, now: u64) -> KeyRow {
        let window = key.window as usize;
        let on = self.window_ms(window) > 0;
        if on {
            self.make_room(now, u64::from(self.options.keys_max) - 1);
        }
        let live = self.live(window, key.hash, now);
        let row = KeyRow { hash: key.hash, digest, first_at: live.map_or(now, |live| live.first_at), seq };
        if on {
            self.keys
                .entry((window, key.hash))
                .and_modify(|first| *first = live.map_or(seq, |_| *first))
                .or_insert(seq);
            self.rows[window].push((row, live.map_or(seq, |live| live.seq)));
        }
        row
    }

    fn restore(&mut self, window: Window, row: KeyRow, now: u64) {
        let key = Key { window, hash: row.hash };
        let window = window as usize;
        if now - row.first_at.min(now) >= self.window_ms(window) {
            return;
        }
        self.make_room(now, u64::from(self.options.keys_max) - 1);
        let live = self.live(window, row.hash, now);
        let variant = live.filter(|live| row.first_at.min(now).saturating_sub(live.first_at) < self.window_ms(window));
        let first_at = variant.map_or(row.first_at.min(now), |live| live.first_at);
        let first = variant.map_or(row.seq, |live| live.seq);
        self.keys.insert((window, key.hash), first);
        self.rows[window].push((KeyRow { first_at, ..row }, first));
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A message comes: it is looked up, and learned unless it is a duplicate.
    Come {
        key: u8,
        digest: u64,
    },
    /// One that is only looked up.
    Look {
        key: u8,
        digest: u64,
    },
    Later {
        ms: u64,
    },
    Advance,
    Options {
        options: DedupeOptions,
    },
    /// What the store has of what has not left, into a new index; the clock may have gone back.
    Reopen {
        back: u64,
    },
}

fn options() -> impl Strategy<Value = DedupeOptions> {
    let window = || prop_oneof![1 => Just(0_u64), 6 => 1..80_u64, 1 => Just(u64::MAX)];
    let keys_max = prop_oneof![3 => 1..20_u32, 1 => Just(1_000)];
    (window(), window(), keys_max).prop_map(|(terminal_ms, webhook_ms, keys_max)| DedupeOptions {
        terminal_ms,
        webhook_ms,
        keys_max,
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..24_u8, 0..4_u64).prop_map(|(key, digest)| Step::Come { key, digest }),
        4 => (0..24_u8, 0..4_u64).prop_map(|(key, digest)| Step::Look { key, digest }),
        6 => (0..12_u64).prop_map(|ms| Step::Later { ms }),
        1 => Just(Step::Advance),
        1 => options().prop_map(|options| Step::Options { options }),
        1 => prop_oneof![3 => Just(0), 1 => 0..40_u64].prop_map(|back| Step::Reopen { back }),
    ];
    prop::collection::vec(step, 0..200)
}

struct Both {
    dedupe: Dedupe,
    model: Model,
    /// All rows that the store was given.
    stored: Vec<(Window, KeyRow)>,
    now: u64,
    seq: u64,
}

impl Both {
    fn come(&mut self, key: &Key, digest: u64, learns: bool) -> Result<(), TestCaseError> {
        let seen = self.dedupe.look(key, digest, self.now);
        prop_assert_eq!(seen, self.model.look(key, digest, self.now));
        if !learns || matches!(seen, Seen::Duplicate { .. }) {
            return Ok(());
        }
        self.seq += 1;
        let row = self.dedupe.learn(key, digest, self.seq, self.now);
        prop_assert_eq!(row, self.model.learn(key, digest, self.seq, self.now));
        self.stored.push((key.window, row));
        let window_ms = self.model.window_ms(key.window as usize);
        let known = self.dedupe.look(key, digest, self.now);
        prop_assert_eq!(known, if window_ms == 0 { Seen::New } else { Seen::Duplicate { seq: self.seq } });
        Ok(())
    }

    fn advance(&mut self) {
        while self.dedupe.advance(self.now) {}
        self.model.make_room(self.now, self.model.options.keys_max.into());
    }

    fn reopen(&mut self, back: u64) {
        self.now = self.now.saturating_sub(back);
        self.stored.retain(|(window, row)| row.seq >= self.dedupe.oldest_seq(*window));
        (self.dedupe, self.model) = (Dedupe::new(self.model.options), Model::new(self.model.options));
        for (window, row) in &self.stored {
            self.dedupe.restore(*window, *row, self.now);
            self.model.restore(*window, *row, self.now);
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.dedupe.left(), self.model.left);
        prop_assert!(self.dedupe.len() >= self.model.total());
        for window in [Window::Terminal, Window::Webhook] {
            let oldest = self.dedupe.oldest_seq(window);
            prop_assert!(self.model.rows[window as usize].iter().all(|(row, _)| row.seq >= oldest));
            // Whatever is younger than the horizon and was not told to be forgotten is known.
            prop_assert!(self.dedupe.horizon(window, self.now) <= self.model.window_ms(window as usize));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000_u32.max(ProptestConfig::default().cases)))]

    #[test]
    fn it_answers_as_the_model(options in options(), steps in steps()) {
        let mut both =
            Both { dedupe: Dedupe::new(options), model: Model::new(options), stored: vec![], now: 50, seq: 0 };
        for step in steps {
            match step {
                Step::Come { key, digest } => both.come(&crate::key(key.into()), digest, true)?,
                Step::Look { key, digest } => both.come(&crate::key(key.into()), digest, false)?,
                Step::Later { ms } => both.now += ms,
                Step::Advance => both.advance(),
                Step::Options { options } => {
                    // What is over goes at once here, so that the model need not know how much goes at a time.
                    both.advance();
                    both.dedupe.set_options(options);
                    both.model.options = options;
                    both.advance();
                }
                Step::Reopen { back } => both.reopen(back),
            }
            both.check()?;
        }
    }
}

#[test]
fn a_key_of_one_window_means_nothing_in_the_other() {
    let mut dedupe = Dedupe::new(crate::ENDLESS);
    let terminal = Key { window: Window::Terminal, hash: 7 };
    let webhook = Key { window: Window::Webhook, ..terminal };
    dedupe.learn(&terminal, 1, 1, 0);
    assert_eq!(dedupe.look(&webhook, 1, 0), Seen::New);
    assert_eq!(dedupe.look(&terminal, 1, 0), Seen::Duplicate { seq: 1 });
}

#[test]
fn the_horizon_is_the_window_until_keys_make_room() {
    let mut dedupe = Dedupe::new(DedupeOptions { terminal_ms: 100, webhook_ms: 1_000, keys_max: 2 });
    let key = |hash| Key { window: Window::Webhook, hash };
    dedupe.learn(&key(1), 0, 1, 10);
    dedupe.learn(&key(2), 0, 2, 20);
    assert_eq!((dedupe.horizon(Window::Webhook, 25), dedupe.left()), (1_000, 0));
    dedupe.learn(&key(3), 0, 3, 30);
    assert_eq!((dedupe.horizon(Window::Webhook, 35), dedupe.left()), (25, 1));
    assert_eq!(dedupe.horizon(Window::Terminal, 35), 100);
    assert_eq!(dedupe.oldest_seq(Window::Webhook), 2);
    assert_eq!(dedupe.horizon(Window::Webhook, 5_000), 1_000);
}

#[test]
fn variants_come_and_go_with_their_key() {
    let mut dedupe = Dedupe::new(DedupeOptions { terminal_ms: 100, webhook_ms: 0, keys_max: 10 });
    let key = Key { window: Window::Terminal, hash: 1 };
    dedupe.learn(&key, 1, 1, 0);
    assert_eq!(dedupe.learn(&key, 2, 2, 90).first_at, 0);
    for (digest, seq) in [(1, 1), (2, 2)] {
        assert_eq!(dedupe.look(&key, digest, 99), Seen::Duplicate { seq });
        assert_eq!(dedupe.look(&key, digest, 100), Seen::New);
    }
    assert_eq!(dedupe.look(&key, 3, 99), Seen::Variant);
    // The same messages once more are another key, whose variant is not the one of before.
    assert_eq!(dedupe.learn(&key, 2, 3, 100), KeyRow { hash: 1, digest: 2, first_at: 100, seq: 3 });
    assert_eq!(dedupe.look(&key, 1, 100), Seen::Variant);
    assert_eq!(dedupe.look(&key, 2, 100), Seen::Duplicate { seq: 3 });
}
