//! What is known of layouts between two lessons, and the automaton that is made of it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use super::automaton::{
    Automaton, EDGES_MAX, Edge, Fixed, LITERAL_BYTES_MAX, NameSet, Notes, Piece, STATES_MAX, State, Value,
};
use super::chooser::Chooser;
use super::facts::{Facts, Mark};
use super::learn::{Lesson, Path, Reached};
use crate::nexo::Field;
use crate::span::{Encoding, RawSpan};

/// Edges from one state beyond which the oldest is forgotten: a shop with a dozen layouts of receipts needs a hundred.
const EDGES_OF_A_STATE_MAX: usize = 160;

/// Edges of a state beyond which one more must be seen twice: what never comes again shall not drive out what does.
const EDGES_AT_ONCE: usize = 64;

/// An edge as it is kept between lessons.
#[derive(Clone, PartialEq, Eq)]
struct Learned {
    literal: Vec<u8>,
    marks: Vec<Mark>,
    names: NameSet,
    members: u32,
    then: Then,
}

/// What follows the literal.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Then {
    value: Value,
    field: Option<Field>,
    /// The state behind the value.
    state: u32,
    /// It is EventToNotify, whose word must be known.
    asks_for_event: bool,
}

/// An edge, and the numbers of two literals.
struct Kept {
    edge: Learned,
    /// That of its own literal.
    number: u64,
    followed_by: Follower,
}

/// The number of the literal that mostly follows, by a vote in which each one that differs takes a voice away.
#[derive(Clone, Copy)]
struct Follower {
    number: u64,
    voices: u32,
}

impl Follower {
    /// So many voices are counted: enough to outlast the odd line, few enough to learn a new habit.
    const VOICES_MAX: u32 = 16;

    fn vote(&mut self, number: u64) {
        if self.number == number {
            self.voices = (self.voices + 1).min(Self::VOICES_MAX);
        } else if self.voices > 0 {
            self.voices -= 1;
        } else {
            (self.number, self.voices) = (number, 1);
        }
    }
}

/// A number for a literal. Two literals of one number are no harm: the edge is only tried first.
fn number_of(literal: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    literal.hash(&mut hasher);
    hasher.finish()
}

/// What is behind the automaton: places by name, and edges in the order in which they were learned.
#[derive(Default)]
pub(super) struct Teacher {
    places: HashMap<Vec<u8>, u32>,
    names: HashMap<Path, u32>,
    states: Vec<Place>,
    seen: Seen,
}

/// Edges that were seen once: a number of each, where no later one has taken its slot.
struct Seen(Box<[u32]>);

impl Default for Seen {
    fn default() -> Self {
        Self(vec![0; 1 << 12].into())
    }
}

impl Seen {
    /// Whether this one was seen before, as far as is known.
    fn again(&mut self, state: u32, literal: u64) -> bool {
        let hash = literal.wrapping_add(u64::from(state)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (slot, number) = (&mut self.0[hash as usize & 0xFFF], (hash >> 32) as u32 | 1);
        std::mem::replace(slot, number) == number
    }
}

/// A state between lessons.
#[derive(Default)]
struct Place {
    /// In the order in which they were learned.
    edges: Vec<Kept>,
    /// How to choose among them, until there is another one.
    chooser: Option<Chooser>,
}

impl Teacher {
    /// Adds a lesson; the new automaton, or `None` if there was nothing new in it. When it is full, everything is
    /// forgotten and the lesson is the first of a new age: what comes often is soon learned again.
    pub(super) fn take(&mut self, lesson: &Lesson) -> Option<Automaton> {
        let before: usize = self.states.iter().map(|place| place.edges.len()).sum();
        let added = match self.add(lesson) {
            Ok(added) => added,
            Err(Full) => {
                *self = Self::default();
                self.add(lesson).ok()?
            }
        };
        let automaton = (added || before == 0).then(|| self.automaton())?;
        if automaton.edges.len() <= EDGES_MAX && automaton.literal_bytes <= LITERAL_BYTES_MAX {
            return Some(automaton);
        }
        *self = Self::default();
        self.add(lesson).ok()?;
        Some(self.automaton())
    }

    fn add(&mut self, lesson: &Lesson) -> Result<bool, Full> {
        let (mut state, mut added) = (self.place(b"^")?, false);
        for (at, step) in lesson.steps.iter().enumerate() {
            let followed_by = lesson.steps.get(at + 1).map_or(0, |step| number_of(&step.literal));
            let mut names = 0;
            for name in &step.names {
                names |= 1 << self.name(name)?;
            }
            let (value, next) = match &step.then {
                Reached::String(path) => (Value::String, self.place(&[b"\"", &path[..]].concat())?),
                Reached::Event(path) => (Value::String, self.place(&[b"\"", &path[..]].concat())?),
                Reached::Scalar(path) => (Value::Scalar, self.place(&[b"1", &path[..]].concat())?),
                Reached::Number(path) => (Value::Number, self.place(&[b"1", &path[..]].concat())?),
                Reached::End => (Value::End, state),
            };
            let asks_for_event = matches!(step.then, Reached::Event(_));
            let then = Then { value, field: step.field, state: next, asks_for_event };
            let edge = Learned {
                literal: step.literal.clone(),
                marks: step.marks.clone(),
                names,
                members: step.members,
                then,
            };
            let Place { edges, chooser } = &mut self.states[state as usize];
            if let Some(kept) = edges.iter_mut().find(|kept| kept.edge == edge) {
                kept.followed_by.vote(followed_by);
            } else if edges.len() < EDGES_AT_ONCE
                || edges.iter().any(|kept| kept.edge.literal == edge.literal)
                || self.seen.again(state, number_of(&edge.literal))
            {
                // The same literal that leads elsewhere, or means something else, was learned by mistake.
                edges.retain(|kept| kept.edge.literal != edge.literal);
                if edges.len() == EDGES_OF_A_STATE_MAX {
                    edges.remove(0);
                }
                let followed_by = Follower { number: followed_by, voices: 1 };
                edges.push(Kept { number: number_of(&edge.literal), edge, followed_by });
                *chooser = None;
                added = true;
            }
            state = next;
        }
        Ok(added)
    }

    fn place(&mut self, path: &[u8]) -> Result<u32, Full> {
        if let Some(&state) = self.places.get(path) {
            return Ok(state);
        }
        if self.states.len() == STATES_MAX {
            return Err(Full);
        }
        let state = self.states.len() as u32;
        self.places.insert(path.to_vec(), state);
        self.states.push(Place::default());
        Ok(state)
    }

    fn name(&mut self, path: &Path) -> Result<u32, Full> {
        let next = self.names.len() as u32;
        let bit = *self.names.entry(path.clone()).or_insert(next);
        if bit < NameSet::BITS { Ok(bit) } else { Err(Full) }
    }

    fn automaton(&mut self) -> Automaton {
        let (mut automaton, mut all) = (Automaton::default(), vec![]);
        for Place { edges, chooser } in &mut self.states {
            let literals = || edges.iter().map(|kept| &kept.edge.literal[..]).collect::<Vec<_>>();
            let chooser = *chooser.get_or_insert_with(|| Chooser::of(&literals()));
            all.extend(automaton.push_state(edges, chooser));
        }
        for (at, kept) in all.iter().enumerate().filter(|(_, kept)| kept.edge.then.value != Value::End) {
            let Range { start, end } = automaton.states[kept.edge.then.state as usize].edges;
            let next = (start..end).find(|next| all[*next as usize].number == kept.followed_by.number);
            automaton.edges[at].likely = next.unwrap_or(u32::MAX);
        }
        automaton
    }
}

impl Automaton {
    /// Adds a state; answers its edges in their new order: by buckets, in which the longest literal comes first.
    fn push_state<'a>(&mut self, edges: &'a [Kept], chooser: Chooser) -> Vec<&'a Kept> {
        let bucket = |kept: &Kept| chooser.bucket_of(&kept.edge.literal);
        let mut sorted: Vec<_> = edges.iter().map(|kept| (bucket(kept), kept)).collect();
        sorted.sort_by_key(|(bucket, kept)| (*bucket, std::cmp::Reverse(kept.edge.literal.len())));
        let (first, buckets) = (self.edges.len(), self.buckets.len() as u32);
        let before = |bucket| sorted.partition_point(|(other, _)| *other < bucket);
        self.buckets.extend((0..=chooser.buckets()).map(|bucket| (first + before(bucket)) as u32));
        for (_, kept) in &sorted {
            self.push_edge(&kept.edge);
        }
        self.states.push(State { edges: first as u32..self.edges.len() as u32, chooser, buckets });
        sorted.into_iter().map(|(_, kept)| kept).collect()
    }

    fn push_edge(&mut self, edge: &Learned) {
        let Learned { literal, marks, names, members, then } = edge;
        let (pieces_start, texts_start) = (self.pieces.len(), self.texts.len());
        self.literal_bytes += literal.len();
        let mut pieces = Piece::of(literal);
        let head = pieces.next().unwrap_or(Piece::NOTHING);
        self.pieces.extend(pieces);
        let mut facts = Facts::default();
        for mark in marks {
            facts.add(mark.facts());
            self.texts.extend(mark.texts().map(|(field, start, length)| {
                let (start, end) = (start as usize, (start + length) as usize);
                Fixed { span: RawSpan::within(start, end, Encoding::Plain), field: Some(field), is_last: false }
            }));
        }
        if let Some(last) = self.texts[texts_start..].last_mut() {
            last.is_last = true;
        }
        if then.asks_for_event {
            facts.add(Facts::ASKS_FOR_EVENT);
        }
        self.edges.push(Edge {
            head: head.bytes,
            mask: head.mask,
            notes: Notes::new(*names, *members, facts),
            length: literal.len() as u16,
            pieces: (self.pieces.len() - pieces_start) as u16,
            pieces_start: pieces_start as u32,
            likely: u32::MAX,
            state: then.state,
            texts_start: texts_start as u32,
            has_texts: self.texts.len() > texts_start,
            value: then.value,
            field: then.field,
        });
    }
}

/// There is no room for a lesson.
struct Full;
