//! What has been learned: states, and the fixed bytes that lead from one to the next.
//!
//! A state is a place in a message: the path of the value that was just read. From it an edge leads over fixed bytes
//! (punctuation, white space, names, words of the vocabulary) to the next value that varies, or to the end.
//! The bytes of an edge were accepted by the general walk in the same place, and a place knows every container that is
//! open around it, so that whatever the edges compare equal is grammatical; the values between them are checked here.

use std::ops::Range;

use crate::error::Error;
use crate::json::{escape_end, scalar_end};
use crate::nexo::{Draft, Envelope, EventToNotify, Field, Vocabulary, WordField};
use crate::simd::scan::Scanner;
use crate::span::{Encoding, Span};

/// States, edges and bytes beyond which nothing more is learned. Together they bound an automaton to about a quarter of
/// a megabyte, well within the 4 MiB of design, section 5.
pub(super) const STATES_MAX: usize = 512;
pub(super) const EDGES_MAX: usize = 2_048;
pub(super) const LITERAL_BYTES_MAX: usize = 128 << 10;

/// What it costs to try an edge in vain, in bytes of the general walk.
const TRY_COST: usize = 32;

/// Names that a message may have once, as bits.
pub(super) type NameSet = u128;

/// Everything learned so far. It is never changed, only replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Automaton {
    /// The edges of each state, the longest literal first: one that another begins with is tried after that.
    pub(super) states: Vec<Range<u32>>,
    pub(super) edges: Vec<Edge>,
    pub(super) literals: Vec<u8>,
    pub(super) marks: Vec<Mark>,
}

/// The way from one value to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) literal: Range<u32>,
    pub(super) marks: Range<u32>,
    /// Names in the literal that nexowire looks for: a message that has one of them twice is not for us.
    pub(super) names: NameSet,
    /// Members in the literal.
    pub(super) members: u32,
    pub(super) then: Then,
    /// The edge that is tried first behind this one: messages of one layout follow each other's edges.
    pub(super) likely: u32,
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

/// What a literal holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A field, from the literal's first byte on.
    Field {
        field: Field,
        start: u32,
        length: u32,
    },
    /// A word of the vocabulary, with its id.
    Word {
        field: WordField,
        start: u32,
        length: u32,
        id: u8,
    },
    Envelope(Envelope),
    /// The object MessageHeader.
    Header,
    Body {
        name: crate::nexo::BodyName,
        name_start: u32,
        name_length: u32,
        start: u32,
    },
    /// An output for the cashier's display.
    Cashier,
    /// `InputResult.Input` begins.
    Input {
        start: u32,
    },
}

impl Automaton {
    /// The edge from `state` whose literal stands at `at`.
    #[inline(always)]
    fn follow<S: Scanner>(&self, scanner: S, body: &[u8], at: usize, state: u32, likely: u32) -> Option<&Edge> {
        let literal = |edge: &Edge| &self.literals[edge.literal.start as usize..edge.literal.end as usize];
        let fits = |edge: &&Edge| scanner.goes_on_with(body, at, literal(edge));
        if let Some(edge) = self.edges.get(likely as usize).filter(fits) {
            return Some(edge);
        }
        let edges = self.states.get(state as usize)?;
        self.edges[edges.start as usize..edges.end as usize].iter().find(fits)
    }

    /// Reads a body along the edges into `draft`; if they do not lead through it, `draft` is spoilt.
    ///
    /// # Errors
    /// What was wasted, in bytes.
    #[inline(always)]
    pub(super) fn read<S: Scanner>(
        &self,
        scanner: S,
        body: &[u8],
        members_max: u32,
        draft: &mut Draft,
    ) -> Result<(), usize> {
        let (mut at, mut state, mut names, mut members, mut non_ascii) = (0, 0, 0, 0, false);
        let mut likely = u32::MAX;
        loop {
            let Some(edge) = self.follow(scanner, body, at, state, likely) else {
                let tried = self.states.get(state as usize).map_or(0, |edges| edges.end - edges.start);
                return Err(at + TRY_COST * tried as usize);
            };
            likely = edge.likely;
            members += edge.members;
            if names & edge.names != 0 || members > members_max {
                return Err(at);
            }
            names |= edge.names;
            for mark in &self.marks[edge.marks.start as usize..edge.marks.end as usize] {
                mark.apply(at, draft);
            }
            at += (edge.literal.end - edge.literal.start) as usize;
            let (field, span) = match edge.then {
                Then::End => {
                    let is_whole = at == body.len() && (!non_ascii || simdutf8::basic::from_utf8(body).is_ok());
                    return if is_whole { Ok(()) } else { Err(at) };
                }
                Then::String { field, state: next } => {
                    let start = at;
                    let Some((end, encoding, more)) = string(scanner, body, at) else { return Err(at) };
                    (at, state) = (end, next);
                    non_ascii |= more;
                    (field, Span::new(start, end, encoding))
                }
                Then::Event { state: next } => {
                    let Some((end, _)) = scanner.string_stop(body, at) else { return Err(at) };
                    let Some(event) = EventToNotify::from_word(&body[at..end]).filter(|_| body[end] == b'"') else {
                        return Err(at);
                    };
                    draft.fields.words.event = event.id();
                    let span = Span::new(at, end, Encoding::Plain);
                    (at, state) = (end, next);
                    (Some(Field::EventToNotify), span)
                }
                Then::Scalar { field, state: next } | Then::Number { field, state: next } => {
                    let is_number = matches!(body.get(at), Some(b'-' | b'0'..=b'9'));
                    if !is_number && matches!(edge.then, Then::Number { .. }) {
                        return Err(at);
                    }
                    let Ok(end) = scalar_end(body, at) else { return Err(at) };
                    let start = at;
                    (at, state) = (end, next);
                    (field, Span::new(start, end, Encoding::Plain))
                }
            };
            if let Some(field) = field {
                draft.fields.set(field, span);
            }
        }
    }
}

/// The end of a string's text; `None` if it is not one.
#[inline(always)]
fn string<S: Scanner>(scanner: S, body: &[u8], start: usize) -> Option<(usize, Encoding, bool)> {
    let (end, non_ascii) = scanner.string_stop(body, start)?;
    if body[end] == b'"' {
        Some((end, Encoding::Plain, non_ascii))
    } else {
        escaped_string(scanner, body, end, non_ascii)
    }
}

/// The same behind the first byte of it that is not plain.
#[inline(never)]
fn escaped_string<S: Scanner>(
    scanner: S,
    body: &[u8],
    mut at: usize,
    mut non_ascii: bool,
) -> Option<(usize, Encoding, bool)> {
    while body[at] == b'\\' {
        let behind: Result<usize, Error> = escape_end(body, at);
        let (stop, more) = scanner.string_stop(body, behind.ok()?)?;
        (at, non_ascii) = (stop, non_ascii | more);
    }
    (body[at] == b'"').then_some((at, Encoding::Json, non_ascii))
}

impl Mark {
    #[inline(always)]
    fn apply(&self, at: usize, draft: &mut Draft) {
        let span =
            |start: u32, length: u32| Span::new(at + start as usize, at + (start + length) as usize, Encoding::Plain);
        match *self {
            Self::Field { field, start, length } => draft.fields.set(field, span(start, length)),
            Self::Word { field, start, length, id } => {
                draft.fields.set(field.field(), span(start, length));
                field.set(&mut draft.fields.words, id);
            }
            Self::Envelope(envelope) => draft.fields.envelope = envelope,
            Self::Header => draft.has_header = true,
            Self::Body { name, name_start, name_length, start } => {
                draft.body_name = Some(name);
                draft.fields.set(Field::BodyMember, span(name_start, name_length));
                draft.fields.set(Field::Body, span(start, 1));
            }
            Self::Cashier => draft.is_notification = true,
            Self::Input { start } => draft.fields.set(Field::Input, span(start, 1)),
        }
    }
}
