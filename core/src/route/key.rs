//! Keys of the table's index: what a message says in some members, as one number.
//!
//! A [`Shape`] is a choice of members. The rules of one shape ask for exact values in these members, and so for exact
//! keys; one look-up per shape finds them, however many there are. Two values of one key cost time, never a wrong
//! answer: what is found is compared to the letter.

use super::hash::{append, hash_text, spread};
use super::matcher::{Matcher, RuleWord, TextMember, WordMember};
use super::subject::{Subject, Word};

/// The members that a key can be made of, by number.
pub(super) mod member {
    pub(in crate::route) const KIND: u8 = 0;
    pub(in crate::route) const ENDPOINT: u8 = 1;
    pub(in crate::route) const ENVELOPE: u8 = 2;
    pub(in crate::route) const SUCCESS: u8 = 3;
    pub(in crate::route) const LIVE: u8 = 4;
    /// The first of the eight that hold words.
    pub(in crate::route) const WORDS: u8 = 5;
    /// The first of the three that hold texts.
    pub(in crate::route) const TEXTS: u8 = 13;
}

const WORD_MEMBERS: [WordMember; 8] = [
    WordMember::Class,
    WordMember::Category,
    WordMember::Type,
    WordMember::Event,
    WordMember::DisplayEvent,
    WordMember::Result,
    WordMember::ErrorCondition,
    WordMember::EventCode,
];

/// Members that hold texts.
pub(super) const TEXT_MEMBERS: [TextMember; 3] = [TextMember::MerchantAccount, TextMember::Poiid, TextMember::SaleId];

/// The members that a key is made of, and of each text how many of its first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Shape {
    /// A bit for each member.
    members: u16,
    /// For each of [`TEXT_MEMBERS`] the length of the prefix; 0: the whole text.
    prefix_lens: [u16; 3],
}

impl Shape {
    /// This shape with one member more.
    pub(super) fn with(mut self, member: u8, prefix_len: u16) -> Self {
        self.members |= 1 << member;
        if member >= member::TEXTS {
            self.prefix_lens[usize::from(member - member::TEXTS)] = prefix_len;
        }
        self
    }

    /// A number of its own, so that equal values in different members make different keys.
    const fn seed(self) -> u64 {
        let [a, b, c] = self.prefix_lens;
        self.members as u64 | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48
    }

    /// The key of a message; `None` if it lacks one of the members, or is shorter than a prefix.
    #[inline]
    pub(super) fn key(self, tokens: &mut Tokens<'_, '_>) -> Option<u64> {
        let mut key = 0;
        let mut members = self.members;
        while members != 0 {
            let member = members.trailing_zeros() as u8;
            members &= members - 1;
            key = extend(key, tokens.token(member, &self.prefix_lens)?);
        }
        Some(finish(key, self))
    }
}

/// Adds the value of the next member, in ascending order of members.
#[inline]
pub(super) const fn extend(key: u64, token: u64) -> u64 {
    append(key, token)
}

/// The key, when all members are in.
#[inline]
pub(super) const fn finish(key: u64, shape: Shape) -> u64 {
    key ^ spread(shape.seed())
}

#[inline]
const fn of_number(number: u64) -> u64 {
    spread(number)
}

#[inline]
fn of_word(word: Word<'_>) -> u64 {
    if word.id == 0 { hash_text(word.text) } else { of_number(word.id as u64) }
}

/// A message's values as tokens, each text hashed once at most.
pub(super) struct Tokens<'s, 'a> {
    subject: &'s Subject<'a>,
    /// Texts longer than all that a rule names in full fit none of them, and are not worth hashing.
    text_lens_max: &'s [usize; 3],
    texts: [Option<u64>; 3],
}

impl<'s, 'a> Tokens<'s, 'a> {
    #[inline]
    pub(super) fn new(subject: &'s Subject<'a>, text_lens_max: &'s [usize; 3]) -> Self {
        Self { subject, text_lens_max, texts: [None; 3] }
    }

    #[inline]
    fn token(&mut self, member: u8, prefix_lens: &[u16; 3]) -> Option<u64> {
        match member {
            member::KIND => Some(of_number(self.subject.kind as u64)),
            member::ENDPOINT => Some(of_number(u64::from(self.subject.endpoint))),
            member::ENVELOPE => Some(of_number(self.subject.envelope as u64)),
            member::SUCCESS => self.subject.success.map(|value| of_number(u64::from(value))),
            member::LIVE => self.subject.live.map(|value| of_number(u64::from(value))),
            member::WORDS..member::TEXTS => {
                WORD_MEMBERS[usize::from(member - member::WORDS)].of(self.subject).map(of_word)
            }
            _ => {
                let which = usize::from(member - member::TEXTS);
                self.text(which, usize::from(prefix_lens[which]))
            }
        }
    }

    #[inline]
    fn text(&mut self, which: usize, prefix_len: usize) -> Option<u64> {
        let text = TEXT_MEMBERS[which].of(self.subject)?;
        if prefix_len > 0 {
            return text.get(..prefix_len).map(hash_text);
        }
        if let Some(token) = self.texts[which] {
            return Some(token);
        }
        if text.len() > self.text_lens_max[which] {
            return None;
        }
        let token = hash_text(text);
        self.texts[which] = Some(token);
        Some(token)
    }
}

/// A value that a matcher accepts, as a token, and of how many of the text's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Value {
    pub(super) prefix_len: u16,
    pub(super) token: u64,
}

/// The member that `matcher` asks about and all values that it accepts; `None` if these cannot be counted up: a prefix
/// that is empty, or shorter than every length that is looked up.
pub(super) fn values(matcher: &Matcher, lens: &[Vec<u16>; 3]) -> Option<(u8, Vec<Value>)> {
    let numbers =
        |numbers: Vec<u64>| numbers.into_iter().map(|n| Value { prefix_len: 0, token: of_number(n) }).collect();
    let (member, mut values): (u8, Vec<Value>) = match matcher {
        Matcher::Kind(kinds) => (member::KIND, numbers(kinds.iter().map(|&kind| kind as u64).collect())),
        Matcher::Endpoint(indexes) => (member::ENDPOINT, numbers(indexes.iter().map(|&i| u64::from(i)).collect())),
        Matcher::Envelope(all) => (member::ENVELOPE, numbers(all.iter().map(|&envelope| envelope as u64).collect())),
        Matcher::Success(all) => (member::SUCCESS, numbers(all.iter().map(|&value| u64::from(value)).collect())),
        Matcher::Live(all) => (member::LIVE, numbers(all.iter().map(|&value| u64::from(value)).collect())),
        Matcher::Word(member, words) => {
            let token = |word: &RuleWord| match word {
                RuleWord::Known(id) => of_word(Word { id: *id, text: b"" }),
                RuleWord::Unknown(text) => of_word(Word { id: 0, text }),
            };
            let values = words.iter().map(|word| Value { prefix_len: 0, token: token(word) }).collect();
            (member::WORDS + *member as u8, values)
        }
        Matcher::Text(member, patterns) => {
            let exact = patterns.exact().map(|text| Value { prefix_len: 0, token: hash_text(text) });
            let mut values: Vec<Value> = exact.collect();
            for prefix in patterns.prefixes() {
                let lens = &lens[*member as usize];
                let prefix_len = *lens.iter().rev().find(|&&len| usize::from(len) <= prefix.len())?;
                values.push(Value { prefix_len, token: hash_text(&prefix[..usize::from(prefix_len)]) });
            }
            (member::TEXTS + *member as u8, values)
        }
    };
    values.sort_unstable_by_key(|value| (value.prefix_len, value.token));
    values.dedup();
    Some((member, values))
}
