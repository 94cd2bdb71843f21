//! What has been learned: states, and the fixed bytes that lead from one to the next.
//!
//! A state is a place in a message: the path of the value that was just read. From it an edge leads over fixed bytes
//! (punctuation, white space, names, words of the vocabulary) to the next value that varies, or to the end.
//! The bytes of an edge were accepted by the general walk in the same place, and a place knows every container that is
//! open around it, so that whatever the edges compare equal is grammatical; the values between them are checked here.

use std::ops::Range;

use super::chooser::Chooser;
use super::facts::Facts;
use crate::error::Error;
use crate::json::{escape_end, scalar_end};
use crate::nexo::{EventToNotify, Field, Fields, Vocabulary, WordField};
use crate::simd::scan::Scanner;
use crate::span::{Encoding, Span};

/// States, edges and bytes beyond which nothing more is learned. Together they bound an automaton to about a quarter of
/// a megabyte, well within the 4 MiB of design, section 5.
pub(super) const STATES_MAX: usize = 512;
pub(super) const EDGES_MAX: usize = 2_048;
pub(super) const LITERAL_BYTES_MAX: usize = 128 << 10;

/// What it costs to try an edge in vain, or to look for one, in bytes of the general walk.
const TRY_COST: usize = 32;

/// Bytes behind the last literal.
pub(super) const PADDING: usize = 32;

/// Names that a message may have once, as bits.
pub(super) type NameSet = u128;

/// Everything learned so far. It is never changed, only replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Automaton {
    pub(super) states: Vec<State>,
    /// The edges of each state, bucket by bucket.
    pub(super) edges: Vec<Edge>,
    /// Where the edges of each bucket begin, and those of the last one end.
    pub(super) buckets: Vec<u32>,
    /// All literals, with padding behind the last one, so that most can be compared by whole vectors.
    pub(super) literals: Vec<u8>,
    pub(super) texts: Vec<Fixed>,
}

/// A place between values: its edges, and how to choose among them.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) edges: Range<u32>,
    pub(super) chooser: Chooser,
    /// The first of its buckets.
    pub(super) buckets: u32,
}

/// The way from one value to the next: all that a step asks, in one line of the cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Edge {
    /// Names in the literal that nexowire looks for: a message that has one of them twice is not for us.
    pub(super) names: NameSet,
    pub(super) facts: Facts,
    pub(super) counts: Counts,
    pub(super) literal_start: u32,
    pub(super) literal_length: u32,
    /// The edge that is tried first behind this one: messages of one layout follow each other's edges.
    pub(super) likely: u32,
    /// The first field that lies in the literal, and how many do.
    pub(super) texts_start: u32,
    pub(super) texts: u8,
    pub(super) then: Then,
}

const _: () = assert!(size_of::<Edge>() == 64);

/// Members and names, counted in one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts(u64);

impl Counts {
    pub(super) fn new(members: u32, names: NameSet) -> Self {
        Self(u64::from(names.count_ones()) << 32 | u64::from(members))
    }

    #[inline(always)]
    fn add(&mut self, other: Self) {
        self.0 += other.0;
    }

    fn members(self) -> u32 {
        self.0 as u32
    }

    fn names(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// A field that lies in a literal, by its first byte and the one behind its last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    pub(super) field: Field,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What follows the literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Then {
    pub(super) value: Value,
    pub(super) field: Option<Field>,
    /// The state behind the value.
    pub(super) state: u32,
}

/// The value that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// The text of a string, whose quotes stand in this literal and the next.
    String,
    /// A number, `true`, `false` or `null` that nobody asks for.
    Scalar,
    /// A number, where another scalar would mean something else.
    Number,
    /// EventToNotify: of all words the one that varies most, so that an edge for each would be too many.
    Event,
    /// There is none: the body ends.
    End,
}

impl Automaton {
    #[inline(always)]
    fn fits<S: Scanner>(&self, scanner: S, body: &[u8], at: usize, edge: &Edge) -> bool {
        scanner.goes_on_with(body, at, &self.literals, edge.literal_start, edge.literal_length)
    }

    /// The edge from `state` whose literal stands at `at`.
    ///
    /// # Errors
    /// What was wasted on trying others, in bytes.
    #[inline(always)]
    fn search<S: Scanner>(&self, scanner: S, body: &[u8], at: usize, state: u32) -> Result<&Edge, usize> {
        let state = self.states.get(state as usize).ok_or(0_usize)?;
        let edges = match state.chooser.choose(body, at) {
            Some(bucket) => {
                let bucket = state.buckets as usize + bucket;
                self.buckets[bucket]..self.buckets[bucket + 1]
            }
            None => state.edges.clone(),
        };
        let edges = &self.edges[edges.start as usize..edges.end as usize];
        edges.iter().find(|edge| self.fits(scanner, body, at, edge)).ok_or(TRY_COST * (edges.len() + 1))
    }

    /// Reads a body along the edges into `fields`; if they do not lead through it, `fields` is spoilt.
    ///
    /// # Errors
    /// What was wasted, in bytes.
    #[inline(always)]
    pub(super) fn read<S: Scanner>(
        &self,
        scanner: S,
        body: &[u8],
        members_max: u32,
        fields: &mut Fields,
    ) -> Result<Facts, usize> {
        let (mut at, mut facts, mut non_ascii) = (0, Facts::default(), false);
        // What is wrong with names and members is found at the end, which costs less than asking at every step.
        let (mut names, mut counts) = (0, Counts::default());
        let mut edge = self.search(scanner, body, at, 0)?;
        loop {
            names |= edge.names;
            facts.add(edge.facts);
            counts.add(edge.counts);
            if edge.texts > 0 {
                self.note_texts(edge, at, fields);
            }
            let start = at + edge.literal_length as usize;
            let (end, encoding) = match edge.then.value {
                Value::String => {
                    let (end, byte, more) = scanner.string_stop(body, start).ok_or(start)?;
                    non_ascii |= more;
                    if byte == b'"' {
                        (end, Encoding::Plain)
                    } else {
                        (escaped_string_end(scanner, body, end, &mut non_ascii).ok_or(start)?, Encoding::Json)
                    }
                }
                Value::Scalar => (flag_or_number_end(body, start).ok_or(start)?, Encoding::Plain),
                Value::Number => (number_end(body, start).ok_or(start)?, Encoding::Plain),
                Value::Event => {
                    let (end, byte, _) = scanner.string_stop(body, start).ok_or(start)?;
                    let event = EventToNotify::from_word(&body[start..end]).filter(|_| byte == b'"').ok_or(start)?;
                    facts.add(Facts::word(WordField::Event, event.id()));
                    (end, Encoding::Plain)
                }
                Value::End => {
                    let is_sound = counts.names() == names.count_ones() && counts.members() <= members_max;
                    let is_whole = start == body.len() && (!non_ascii || simdutf8::basic::from_utf8(body).is_ok());
                    return if is_sound && is_whole { Ok(facts) } else { Err(start) };
                }
            };
            if let Some(field) = edge.then.field {
                fields.set(field, Some(Span::within(start, end, encoding)));
            }
            at = end;
            edge = match self.edges.get(edge.likely as usize) {
                Some(likely) if self.fits(scanner, body, at, likely) => likely,
                _ => self.search(scanner, body, at, edge.then.state).map_err(|wasted| at + wasted)?,
            };
        }
    }

    /// Notes the fields that lie in the literal at `at`.
    #[inline(always)]
    fn note_texts(&self, edge: &Edge, at: usize, fields: &mut Fields) {
        let start = edge.texts_start as usize;
        for text in &self.texts[start..start + usize::from(edge.texts)] {
            fields
                .set(text.field, Some(Span::within(at + text.start as usize, at + text.end as usize, Encoding::Plain)));
        }
    }
}

/// The end of a string whose first byte that is not plain is at `at`; `None` if it is not one. Notes whether a byte of
/// the text may not be ASCII.
#[inline(never)]
fn escaped_string_end<S: Scanner>(scanner: S, body: &[u8], mut at: usize, non_ascii: &mut bool) -> Option<usize> {
    let mut byte = body[at];
    while byte == b'\\' {
        let behind: Result<usize, Error> = escape_end(body, at);
        let more;
        (at, byte, more) = scanner.string_stop(body, behind.ok()?)?;
        *non_ascii |= more;
    }
    (byte == b'"').then_some(at)
}

/// The end of a number, `true`, `false` or `null`.
///
/// What stands behind it is the next literal's concern, which begins as only something behind a scalar does.
#[inline(always)]
fn flag_or_number_end(body: &[u8], start: usize) -> Option<usize> {
    match body.get(start..)?.first_chunk()? {
        b"true" | b"null" => Some(start + 4),
        b"fals" => (body.get(start + 4) == Some(&b'e')).then_some(start + 5),
        _ => number_end(body, start),
    }
}

#[inline(always)]
fn number_end(body: &[u8], start: usize) -> Option<usize> {
    let is_number = matches!(body.get(start), Some(b'-' | b'0'..=b'9'));
    if is_number { scalar_end(body, start).ok() } else { None }
}
