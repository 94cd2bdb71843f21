//! All rules in a form that is quick to run: what is a rule's own is in half a cache line, what it shares with others
//! is held once.

use std::collections::HashMap;

use super::configuration::Rule;
use super::matcher::{Matcher, RuleWord, TextMember, WordMember};
use super::pattern::Patterns;
use super::row::Row;
use super::subject::Subject;
use crate::limits::Limits;

/// The matchers and the queues of all rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    rows: Vec<Row>,
    /// What rules ask besides the text in the row, and where they lead. Thousands of rules, each for a terminal, have
    /// one form, which is then always at hand.
    forms: Vec<Form>,
    /// What a form has no room for.
    further: Vec<Check>,
    /// The letters of all single texts that are not in rows.
    letters: Vec<u8>,
    /// What is not a single value.
    sets: Vec<Matcher>,
    /// The queues of all forms; those with the same queues share them.
    queues: Vec<u16>,
}

// A form's number has room for as many as there can be rules.
const _: () = assert!(Limits::MAX.routes - 1 <= u16::MAX as u32);

/// What rules may have in common.
#[derive(Clone, Copy, Debug)]
struct Form {
    /// A bit for every kind, by number.
    kinds: u16,
    /// A bit for every envelope, by number.
    envelopes: u8,
    /// A bit for each answer of [`answer`].
    success: u8,
    live: u8,
    further_len: u8,
    queues_len: u16,
    further_start: u32,
    queues_start: u32,
}

/// One matcher that is neither in the bits of a form nor in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Check {
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

/// What a form is made of; rules for which it is equal have one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Common<'a> {
    kinds: u16,
    envelopes: u8,
    success: u8,
    live: u8,
    further: Vec<Check>,
    queues: &'a [u16],
}

impl Checks {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut checks = Self { rows: Vec::with_capacity(rules.len()), ..Self::default() };
        let mut forms: HashMap<Common<'_>, u16> = HashMap::new();
        let mut queues: HashMap<&[u16], u32> = HashMap::new();
        for rule in rules {
            let (mut row, common) = checks.row(rule);
            row.form = *forms.entry(common).or_insert_with_key(|common| {
                let queues_start = *queues.entry(common.queues).or_insert_with(|| {
                    checks.queues.extend_from_slice(common.queues);
                    (checks.queues.len() - common.queues.len()) as u32
                });
                checks.form(common, queues_start)
            });
            checks.rows.push(row);
        }
        checks
    }

    fn form(&mut self, common: &Common<'_>, queues_start: u32) -> u16 {
        let further_start = self.further.len() as u32;
        self.further.extend_from_slice(&common.further);
        self.forms.push(Form {
            kinds: common.kinds,
            envelopes: common.envelopes,
            success: common.success,
            live: common.live,
            // A rule has a matcher for each of its members at most.
            further_len: common.further.len() as u8,
            queues_len: common.queues.len() as u16,
            further_start,
            queues_start,
        });
        (self.forms.len() - 1) as u16
    }

    /// The row of a rule but for its form, and what the form is to be made of.
    fn row<'a>(&mut self, rule: &'a Rule) -> (Row, Common<'a>) {
        let bits = |values: &[bool]| values.iter().fold(0, |bits, &value| bits | 1 << answer(Some(value)));
        let mut row = Row::default();
        let mut common = Common {
            kinds: u16::MAX,
            envelopes: u8::MAX,
            success: u8::MAX,
            live: u8::MAX,
            further: Vec::new(),
            queues: &rule.queues,
        };
        for matcher in &rule.matchers {
            match matcher {
                Matcher::Kind(kinds) => common.kinds = kinds.iter().fold(0, |bits, &kind| bits | 1 << kind as u8),
                Matcher::Envelope(all) => {
                    common.envelopes = all.iter().fold(0, |bits, &envelope| bits | 1 << envelope as u8);
                }
                Matcher::Success(values) => common.success = bits(values),
                Matcher::Live(values) => common.live = bits(values),
                Matcher::Text(member, patterns) if row.take(*member, patterns) => {}
                _ => common.further.push(self.check(matcher)),
            }
        }
        (row, common)
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
            Matcher::Text(member, patterns) => self.long_text(*member, patterns),
            _ => None,
        };
        single.unwrap_or_else(|| {
            self.sets.push(matcher.clone());
            Check::Set(self.sets.len() as u32 - 1)
        })
    }

    fn long_text(&mut self, member: TextMember, patterns: &Patterns) -> Option<Check> {
        let (text, is_prefix) = patterns.single()?;
        let len = u16::try_from(text.len()).ok()?;
        let start = u32::try_from(self.letters.len()).ok()?;
        self.letters.extend_from_slice(text);
        Some(Check::Text { member, is_prefix, len, start })
    }

    /// Whether all matchers of the rule fit.
    #[inline]
    pub(super) fn fit(&self, rule: u32, subject: &Subject<'_>) -> bool {
        let row = &self.rows[rule as usize];
        let form = &self.forms[usize::from(row.form)];
        let bits = form.kinds >> subject.kind as u16
            & u16::from(form.envelopes >> subject.envelope as u8)
            & u16::from(form.success >> answer(subject.success))
            & u16::from(form.live >> answer(subject.live));
        bits & 1 == 1 && row.text_fits(subject) && (form.further_len == 0 || self.further_fit(form, subject))
    }

    /// The queues of the rule.
    #[inline]
    pub(super) fn queues(&self, rule: u32) -> &[u16] {
        let form = &self.forms[usize::from(self.rows[rule as usize].form)];
        &self.queues[form.queues_start as usize..][..usize::from(form.queues_len)]
    }

    fn further_fit(&self, form: &Form, subject: &Subject<'_>) -> bool {
        let further = &self.further[form.further_start as usize..][..usize::from(form.further_len)];
        further.iter().all(|&check| self.fits(check, subject))
    }

    #[inline]
    fn fits(&self, check: Check, subject: &Subject<'_>) -> bool {
        match check {
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
