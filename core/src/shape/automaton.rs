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
use crate::nexo::{Field, Fields, Kind};
use crate::simd::scan::{Block, Gathered, Scanner};
use crate::simd::windows::{Tail, Windows};
use crate::span::{Encoding, RawSpan};

const BLOCK: usize = size_of::<Block>();

/// States, edges and bytes beyond which nothing more is learned. Together they bound an automaton to less than a
/// megabyte, within the 4 MiB of design, section 5.
pub(super) const STATES_MAX: usize = 512;
pub(super) const EDGES_MAX: usize = 2_048;
pub(super) const LITERAL_BYTES_MAX: usize = 128 << 10;

/// What it costs to try an edge in vain, or to look for one, in bytes of the general walk.
const TRY_COST: usize = 32;

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
    /// What of the literals is behind their heads.
    pub(super) pieces: Vec<Piece>,
    /// Bytes of all literals.
    pub(super) literal_bytes: usize,
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

/// The way from one value to the next: all that a step asks, in two lines of the cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Edge {
    /// The first bytes of the literal.
    pub(super) head: Block,
    /// Which of them there are.
    pub(super) mask: u64,
    pub(super) notes: Notes,
    /// The length of the literal.
    pub(super) length: u16,
    /// How many more pieces it has, and the first of them.
    pub(super) pieces: u16,
    pub(super) pieces_start: u32,
    /// The edge that is tried first behind this one: messages of one layout follow each other's edges.
    pub(super) likely: u32,
    /// The state behind the value.
    pub(super) state: u32,
    /// The first field that lies in the literal, and whether there is one.
    pub(super) texts_start: u32,
    pub(super) has_texts: bool,
    pub(super) value: Value,
    /// Whose text the value is.
    pub(super) field: Option<Field>,
}

const _: () = assert!(size_of::<Edge>() == 128);

/// A part of a literal: its bytes, and which of them there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) bytes: Block,
    pub(super) mask: u64,
}

impl Piece {
    /// Nothing, which stands everywhere.
    pub(super) const NOTHING: Self = Self { bytes: [0; BLOCK], mask: 0 };

    /// A literal in pieces, of which all but the last are whole.
    pub(super) fn of(literal: &[u8]) -> impl Iterator<Item = Self> {
        literal.chunks(BLOCK).map(|part| {
            let mut bytes = [0; BLOCK];
            bytes[..part.len()].copy_from_slice(part);
            Self { bytes, mask: u64::MAX >> (BLOCK - part.len()) }
        })
    }
}

/// What a literal says, as numbers that are gathered on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Notes([u64; 4]);

impl Notes {
    /// `names`: in the literal, of those that nexowire looks for: a message that has one of them twice is not for us.
    pub(super) fn new(names: NameSet, members: u32, facts: Facts) -> Self {
        let counts = u64::from(names.count_ones()) << 32 | u64::from(members);
        Self([names as u64, (names >> 64) as u64, facts.number(), counts])
    }

    /// What all literals of a message say together, if no name came twice and there were not too many members.
    #[inline(always)]
    fn conclude(gathered: &Gathered, members_max: u32) -> Option<Facts> {
        let [low, high, facts, _] = gathered.unions;
        let [.., counts] = gathered.sums;
        let names = u64::from(low.count_ones() + high.count_ones());
        let is_sound = counts >> 32 == names && counts as u32 <= members_max;
        is_sound.then_some(Facts::from_number(facts))
    }
}

/// A field that lies in a literal: its span, were the literal the beginning of the body, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    pub(super) span: RawSpan,
    pub(super) field: Option<Field>,
    /// It is the last of its literal.
    pub(super) is_last: bool,
}

/// The value that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Value {
    /// The text of a string, whose quotes stand in this literal and the next.
    String,
    /// A number, `true`, `false` or `null` that nobody asks for.
    Scalar,
    /// A number, where another scalar would mean something else.
    Number,
    /// There is none: the body ends.
    End,
}

/// What one reading knows.
struct Reading<'a, S: Scanner> {
    scanner: S,
    body: &'a [u8],
    windows: Windows<'a>,
    gathering: S::Gathering,
}

impl<S: Scanner> Reading<'_, S> {
    /// Whether the literal of `edge` stands at `at`.
    #[inline(always)]
    fn fits(&mut self, automaton: &Automaton, edge: &Edge, at: usize) -> bool {
        let Some(window) = self.windows.at(at) else { return false };
        let is_same = !self.scanner.equal(window, &edge.head) & edge.mask == 0;
        is_same && (edge.pieces == 0 || self.goes_on(automaton.pieces_of(edge), at))
    }

    /// The same of what is behind the literal's head.
    #[inline(always)]
    fn goes_on(&mut self, pieces: &[Piece], mut at: usize) -> bool {
        for piece in pieces {
            at += BLOCK;
            let Some(window) = self.windows.at(at) else { return false };
            if !self.scanner.equal(window, &piece.bytes) & piece.mask != 0 {
                return false;
            }
        }
        true
    }

    /// The edge from `state` whose literal stands at `at`.
    ///
    /// # Errors
    /// What was wasted, in bytes.
    #[inline(always)]
    fn search<'b>(&mut self, automaton: &'b Automaton, state: u32, at: usize) -> Result<&'b Edge, usize> {
        let candidates = automaton.candidates(state, self.body, at);
        let edges = &automaton.edges[candidates.start as usize..candidates.end as usize];
        for edge in edges {
            if self.fits(automaton, edge, at) {
                return Ok(edge);
            }
        }
        Err(at + TRY_COST * (edges.len() + 1))
    }

    /// The first place from `at` on where something stands in a string that is not plain, and what.
    #[inline(always)]
    fn stop(&mut self, mut at: usize) -> Option<(usize, u8)> {
        loop {
            let window = self.windows.at(at)?;
            let stops = self.scanner.stops(window, &mut self.gathering);
            if stops != 0 {
                let passed = stops.trailing_zeros() as usize % BLOCK;
                return Some((at + passed, window[passed]));
            }
            at += BLOCK;
        }
    }

    /// The end of the string whose text begins at `start`, and how it is written.
    #[inline(always)]
    fn string(&mut self, start: usize) -> Option<(usize, Encoding)> {
        let (at, byte) = self.stop(start)?;
        if byte == b'"' { Some((at, Encoding::Plain)) } else { Some((self.escaped_string(at, byte)?, Encoding::Json)) }
    }

    /// The same of one in which `byte` stands at `at`.
    #[inline(always)]
    fn escaped_string(&mut self, mut at: usize, mut byte: u8) -> Option<usize> {
        while byte == b'\\' {
            let behind: Result<usize, Error> = escape_end(self.body, at);
            (at, byte) = self.stop(behind.ok()?)?;
        }
        (byte == b'"').then_some(at)
    }
}

impl Automaton {
    /// The edges from `state` that may lead over what stands at `at`.
    #[inline(never)]
    fn candidates(&self, state: u32, body: &[u8], at: usize) -> Range<u32> {
        let Some(state) = self.states.get(state as usize) else { return 0..0 };
        match state.chooser.choose(body, at) {
            Some(bucket) => {
                let bucket = state.buckets as usize + bucket;
                self.buckets[bucket]..self.buckets[bucket + 1]
            }
            None => state.edges.clone(),
        }
    }

    /// The number of the edge that is tried first, or one that no edge has: where there is no candidate, the next number
    /// is that of an edge from somewhere else.
    #[inline(always)]
    fn first_edge(&self, body: &[u8]) -> u32 {
        let candidates = self.candidates(0, body, 0);
        if candidates.is_empty() { u32::MAX } else { candidates.start }
    }

    /// What of its literal is behind its head.
    #[inline(always)]
    pub(super) fn pieces_of(&self, edge: &Edge) -> &[Piece] {
        let start = edge.pieces_start as usize;
        &self.pieces[start..start + usize::from(edge.pieces)]
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
        *fields = Fields::of_json(Kind::Foreign);
        let mut tail = Tail::empty();
        tail.fill(body);
        let windows = Windows::new(body, &tail);
        let mut reading = Reading { scanner, body, windows, gathering: scanner.nothing() };
        let (mut at, mut state, mut likely) = (0, 0, self.first_edge(body));
        let end = loop {
            let edge = match self.edges.get(likely as usize) {
                Some(edge) if reading.fits(self, edge, at) => edge,
                _ => reading.search(self, state, at)?,
            };
            scanner.gather(&mut reading.gathering, &edge.notes.0);
            if edge.has_texts {
                self.note_texts(edge, at, fields);
            }
            let start = at + usize::from(edge.length);
            let (end, encoding) = match edge.value {
                Value::String => reading.string(start).ok_or(start)?,
                Value::End => break start,
                other => (other.scalar_end(body, start).ok_or(start)?, Encoding::Plain),
            };
            fields.set_any(edge.field, RawSpan::within(start, end, encoding));
            (at, likely, state) = (end, edge.likely, edge.state);
        };
        fields.forget_others();
        let gathered = scanner.gathered(reading.gathering);
        let facts = Notes::conclude(&gathered, members_max).ok_or(end)?;
        let is_text = !gathered.non_ascii || simdutf8::basic::from_utf8(body).is_ok();
        if end == body.len() && is_text { Ok(facts) } else { Err(end) }
    }

    /// Notes the fields that lie in the literal at `at`, of which there are some.
    #[inline(always)]
    fn note_texts(&self, edge: &Edge, at: usize, fields: &mut Fields) {
        for text in self.texts.get(edge.texts_start as usize..).unwrap_or_default() {
            fields.set_any(text.field, text.span.moved(at));
            if text.is_last {
                break;
            }
        }
    }
}

impl Value {
    /// The end of a value that is no string.
    #[inline(never)]
    #[cold]
    fn scalar_end(self, body: &[u8], start: usize) -> Option<usize> {
        if self == Self::Number { number_end(body, start) } else { flag_or_number_end(body, start) }
    }
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
