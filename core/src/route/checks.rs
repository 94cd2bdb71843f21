//! All rules in a form that is quick to run: what most of them ask, and where they lead, is in one cache line.

use std::collections::HashMap;
use std::sync::Arc;

use super::configuration::Rule;
use super::matcher::{Matcher, RuleWord, TextMember, WordMember};
use super::pattern::Patterns;
use super::subject::Subject;

/// The matchers and the queues of all rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    rows: Vec<Row>,
    /// What a row has no room for.
    further: Vec<Check>,
    /// The letters of all single texts.
    letters: Vec<u8>,
    /// What is not a single value.
    sets: Vec<Matcher>,
    /// The queues of all rules; rules with the same queues share them.
    queues: Vec<u16>,
}

/// One rule: 32 bytes, two to a cache line.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// A bit for every kind, by number.
    kinds: u16,
    /// A bit for every envelope, by number.
    envelopes: u8,
    /// A bit for each answer of [`answer`].
    success: u8,
    live: u8,
    further_len: u8,
    queues_len: u16,
    first: Check,
    further_start: u32,
    queues_start: u32,
}

const _: () = assert!(size_of::<Row>() <= 32);

/// One matcher that is not in the bits of a row.
#[derive(Clone, Copy, Debug)]
enum Check {
    /// Fits.
    Nothing,
    Endpoint(u16),
    Word {
        member: WordMember,
        id: u8,
    },
    /// A single text; its letters are in [`Checks::letters`].
    Text {
        member: TextMember,
        is_prefix: bool,
        len: u16,
        start: u32,
    },
    /// An index into [`Checks::sets`].
    Set(u32),
}

/// The number of an answer: 0 if there is none, 1 `false`, 2 `true`.
#[inline]
const fn answer(value: Option<bool>) -> u8 {
    match value {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    }
}

impl Checks {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut checks = Self { rows: Vec::with_capacity(rules.len()), ..Self::default() };
        let mut starts: HashMap<&[u16], u32> = HashMap::new();
        for rule in rules {
            let mut row = checks.row(&rule.matchers);
            row.queues_start = *starts.entry(&rule.queues).or_insert_with(|| {
                checks.queues.extend_from_slice(&rule.queues);
                (checks.queues.len() - rule.queues.len()) as u32
            });
            row.queues_len = rule.queues.len() as u16;
            checks.rows.push(row);
        }
        checks
    }

    fn row(&mut self, matchers: &[Matcher]) -> Row {
        let bits = |values: &[bool]| values.iter().fold(0, |bits, &value| bits | 1 << answer(Some(value)));
        let mut row = Row {
            kinds: u16::MAX,
            envelopes: u8::MAX,
            success: u8::MAX,
            live: u8::MAX,
            further_len: 0,
            queues_len: 0,
            first: Check::Nothing,
            further_start: self.further.len() as u32,
            queues_start: 0,
        };
        for matcher in matchers {
            match matcher {
                Matcher::Kind(kinds) => row.kinds = kinds.iter().fold(0, |bits, &kind| bits | 1 << kind as u8),
                Matcher::Envelope(all) => {
                    row.envelopes = all.iter().fold(0, |bits, &envelope| bits | 1 << envelope as u8);
                }
                Matcher::Success(values) => row.success = bits(values),
                Matcher::Live(values) => row.live = bits(values),
                _ => {
                    let check = self.check(matcher);
                    match row.first {
                        Check::Nothing => row.first = check,
                        _ => self.further.push(check),
                    }
                }
            }
        }
        // A rule has a matcher for each of its members at most.
        row.further_len = (self.further.len() - row.further_start as usize) as u8;
        row
    }

    fn check(&mut self, matcher: &Matcher) -> Check {
        let single = match matcher {
            Matcher::Endpoint(indexes) => match indexes[..] {
                [index] => Some(Check::Endpoint(index)),
                _ => None,
            },
            Matcher::Word(member, words) => match words[..] {
                [RuleWord::Known(id)] => Some(Check::Word { member: *member, id }),
                _ => None,
            },
            Matcher::Text(member, patterns) => self.single_text(*member, patterns),
            _ => None,
        };
        single.unwrap_or_else(|| {
            self.sets.push(matcher.clone());
            Check::Set(self.sets.len() as u32 - 1)
        })
    }

    fn single_text(&mut self, member: TextMember, patterns: &Arc<Patterns>) -> Option<Check> {
        let (text, is_prefix) = match (patterns.exact().next(), patterns.prefixes()) {
            (Some(text), []) => (text, false),
            (None, [prefix]) => (&**prefix, true),
            _ => return None,
        };
        if !is_prefix && patterns.exact().nth(1).is_some() {
            return None;
        }
        let len = u16::try_from(text.len()).ok()?;
        let start = u32::try_from(self.letters.len()).ok()?;
        self.letters.extend_from_slice(text);
        Some(Check::Text { member, is_prefix, len, start })
    }

    /// Whether all matchers of the rule fit.
    #[inline]
    pub(super) fn fit(&self, rule: u32, subject: &Subject<'_>) -> bool {
        let row = &self.rows[rule as usize];
        let bits = row.kinds >> subject.kind as u16
            & u16::from(row.envelopes >> subject.envelope as u8)
            & u16::from(row.success >> answer(subject.success))
            & u16::from(row.live >> answer(subject.live));
        bits & 1 == 1 && self.fits(row.first, subject) && (row.further_len == 0 || self.further_fit(row, subject))
    }

    /// The queues of the rule.
    #[inline]
    pub(super) fn queues(&self, rule: u32) -> &[u16] {
        let row = &self.rows[rule as usize];
        &self.queues[row.queues_start as usize..][..usize::from(row.queues_len)]
    }

    fn further_fit(&self, row: &Row, subject: &Subject<'_>) -> bool {
        let further = &self.further[row.further_start as usize..][..usize::from(row.further_len)];
        further.iter().all(|&check| self.fits(check, subject))
    }

    #[inline]
    fn fits(&self, check: Check, subject: &Subject<'_>) -> bool {
        match check {
            Check::Nothing => true,
            Check::Endpoint(index) => subject.endpoint == index,
            Check::Word { member, id } => member.of(subject).is_some_and(|word| word.id == id),
            Check::Text { member, is_prefix, len, start } => member.of(subject).is_some_and(|text| {
                let letters = &self.letters[start as usize..][..usize::from(len)];
                if is_prefix { text.starts_with(letters) } else { text == letters }
            }),
            Check::Set(index) => self.sets[index as usize].fits(subject),
        }
    }
}
