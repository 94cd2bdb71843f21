//! What has been learned: states, and the fixed bytes that lead from one to the next.
//!
//! A state is a place in a message: the path of the value that was just read. From it an edge leads over fixed bytes
//! (punctuation, white space, names, words of the vocabulary) to the next value that varies, or to the end.
//! The bytes of an edge were accepted by the general walk in the same place, and a place knows every container that is
//! open around it, so that whatever the edges compare equal is grammatical; the values between them are checked here.

use std::ops::Range;

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

/// What it costs to try an edge in vain, in bytes of the general walk.
const TRY_COST: usize = 32;

/// Bytes behind the last literal.
pub(super) const PADDING: usize = 32;

/// Names that a message may have once, as bits.
pub(super) type NameSet = u128;

/// Everything learned so far. It is never changed, only replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Automaton {
    /// The edges of each state, the longest literal first: one that another begins with is tried after that.
    pub(super) states: Vec<Range<u32>>,
    pub(super) edges: Vec<Edge>,
    /// All literals, with padding behind the last one, so that most can be compared by whole vectors.
    pub(super) literals: Vec<u8>,
    pub(super) texts: Vec<Fixed>,
}

/// The way from one value to the next: all that a step asks, in one line of the cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Edge {
    /// Names in the literal that nexowire looks for: a message that has one of them twice is not for us.
    pub(super) names: NameSet,
    pub(super) facts: Facts,
    pub(super) literal_start: u32,
    pub(super) literal_length: u32,
    /// Fields that lie in the literal.
    pub(super) texts: Range<u32>,
    /// Members in the literal.
    pub(super) members: u32,
    /// The edge that is tried first behind this one: messages of one layout follow each other's edges.
    pub(super) likely: u32,
    pub(super) then: Then,
}

const _: () = assert!(size_of::<Edge>() == 64);

/// A field that lies in a literal, by its first byte and the one behind its last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    pub(super) field: Field,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What follows the literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The text of a string, whose quotes stand in this literal and the next.
    String { field: Option<Field>, state: u32 },
    /// EventToNotify: of all words the one that varies most, so that an edge for each would be too many.
    Event { state: u32 },
    /// A number, `true`, `false` or `null` that nobody asks for.
    Scalar { field: Option<Field>, state: u32 },
    /// A number, where another scalar would mean something else.
    Number { field: Option<Field>, state: u32 },
    /// The end of the body.
    End,
}

impl Then {
    /// The state behind the value.
    pub(super) fn state(self) -> Option<u32> {
        match self {
            Self::String { state, .. }
            | Self::Event { state }
            | Self::Scalar { state, .. }
            | Self::Number { state, .. } => Some(state),
            Self::End => None,
        }
    }
}

impl Automaton {
    /// The edge from `state` whose literal stands at `at`.
    #[inline(always)]
    fn follow<S: Scanner>(&self, scanner: S, body: &[u8], at: usize, state: u32, likely: u32) -> Option<&Edge> {
        let fits = |edge: &&Edge| {
            let known = self.literals.get(edge.literal_start as usize..).unwrap_or_default();
            scanner.goes_on_with(body, at, known, edge.literal_length as usize)
        };
        if let Some(edge) = self.edges.get(likely as usize).filter(fits) {
            return Some(edge);
        }
        let edges = self.states.get(state as usize)?;
        self.edges[edges.start as usize..edges.end as usize].iter().find(fits)
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
        let (mut at, mut state, mut likely) = (0, 0, u32::MAX);
        // What is wrong with names and members is found at the end, which costs less than asking at every step.
        let (mut names, mut repeated, mut members, mut non_ascii) = (0, 0, 0, false);
        let mut facts = Facts::default();
        loop {
            let Some(edge) = self.follow(scanner, body, at, state, likely) else {
                let tried = self.states.get(state as usize).map_or(0, |edges| edges.end - edges.start);
                return Err(at + TRY_COST * tried as usize);
            };
            likely = edge.likely;
            members += edge.members;
            repeated |= names & edge.names;
            names |= edge.names;
            facts.add(edge.facts);
            for text in &self.texts[edge.texts.start as usize..edge.texts.end as usize] {
                fields.set(text.field, Some(Span::plain(at + text.start as usize, at + text.end as usize)));
            }
            at += edge.literal_length as usize;
            let start = at;
            let (field, span) = match edge.then {
                Then::String { field, state: next } => {
                    let (span, more) = string(scanner, body, start).ok_or(start)?;
                    (at, state) = (start + span.length(), next);
                    non_ascii |= more;
                    (field, span)
                }
                Then::Scalar { field, state: next } => {
                    (at, state) = (flag_or_number_end(body, start).ok_or(start)?, next);
                    (field, Span::plain(start, at))
                }
                Then::Number { field, state: next } => {
                    (at, state) = (number_end(body, start).ok_or(start)?, next);
                    (field, Span::plain(start, at))
                }
                Then::Event { state: next } => {
                    let (event, end) = event(scanner, body, start).ok_or(start)?;
                    facts.add(Facts::word(WordField::Event, event.id()));
                    (at, state) = (end, next);
                    (Some(Field::EventToNotify), Span::plain(start, end))
                }
                Then::End => {
                    let is_clean = at == body.len() && repeated == 0 && members <= members_max;
                    let is_whole = is_clean && (!non_ascii || simdutf8::basic::from_utf8(body).is_ok());
                    return if is_whole { Ok(facts) } else { Err(at) };
                }
            };
            if let Some(field) = field {
                fields.set(field, Some(span));
            }
        }
    }
}

/// A string's text, and whether a byte of it is not ASCII; `None` if it is not one.
#[inline(always)]
fn string<S: Scanner>(scanner: S, body: &[u8], start: usize) -> Option<(Span, bool)> {
    let (end, non_ascii) = scanner.string_stop(body, start)?;
    if body[end] == b'"' {
        Some((Span::plain(start, end), non_ascii))
    } else {
        escaped_string(scanner, body, start, end, non_ascii)
    }
}

/// The same for a string whose first byte that is not plain is at `at`.
#[inline(never)]
fn escaped_string<S: Scanner>(
    scanner: S,
    body: &[u8],
    start: usize,
    mut at: usize,
    mut non_ascii: bool,
) -> Option<(Span, bool)> {
    while body[at] == b'\\' {
        let behind: Result<usize, Error> = escape_end(body, at);
        let (stop, more) = scanner.string_stop(body, behind.ok()?)?;
        (at, non_ascii) = (stop, non_ascii | more);
    }
    let span = Span::new(start, at, Encoding::Json).filter(|_| body[at] == b'"')?;
    Some((span, non_ascii))
}

/// The word of an EventToNotify, and where it ends.
#[inline(always)]
fn event<S: Scanner>(scanner: S, body: &[u8], start: usize) -> Option<(EventToNotify, usize)> {
    let (end, _) = scanner.string_stop(body, start)?;
    let event = EventToNotify::from_word(&body[start..end])?;
    (body[end] == b'"').then_some((event, end))
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
