//! What is known of layouts between two lessons, and the automaton that is made of it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::automaton::{Automaton, EDGES_MAX, Edge, Fixed, LITERAL_BYTES_MAX, NameSet, PADDING, STATES_MAX, Then};
use super::facts::{Facts, Mark};
use super::learn::{Lesson, Path, Reached};

/// Edges from one state beyond which the oldest is forgotten: they are tried one after the other.
const EDGES_OF_A_STATE_MAX: usize = 40;

/// An edge as it is kept between lessons.
#[derive(Clone, PartialEq, Eq)]
struct Learned {
    literal: Vec<u8>,
    marks: Vec<Mark>,
    names: NameSet,
    members: u32,
    then: Then,
}

/// An edge, and the literal that followed it in the lesson that came last.
struct Kept {
    edge: Learned,
    followed_by: u64,
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
    states: Vec<Vec<Kept>>,
}

impl Teacher {
    /// Adds a lesson; the new automaton, or `None` if there was nothing new in it. When it is full, everything is
    /// forgotten and the lesson is the first of a new age: what comes often is soon learned again.
    pub(super) fn take(&mut self, lesson: &Lesson) -> Option<Automaton> {
        let before: usize = self.states.iter().map(Vec::len).sum();
        let added = match self.add(lesson) {
            Ok(added) => added,
            Err(Full) => {
                *self = Self::default();
                self.add(lesson).ok()?
            }
        };
        let automaton = (added || before == 0).then(|| self.automaton())?;
        if automaton.edges.len() <= EDGES_MAX && automaton.literals.len() <= LITERAL_BYTES_MAX {
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
            let (then, next) = match &step.then {
                Reached::String(path) => {
                    let next = self.place(&[b"\"", &path[..]].concat())?;
                    (Then::String { field: step.field, state: next }, next)
                }
                Reached::Event(path) => {
                    let next = self.place(&[b"\"", &path[..]].concat())?;
                    (Then::Event { state: next }, next)
                }
                Reached::Scalar(path) => {
                    let next = self.place(&[b"1", &path[..]].concat())?;
                    (Then::Scalar { field: step.field, state: next }, next)
                }
                Reached::Number(path) => {
                    let next = self.place(&[b"1", &path[..]].concat())?;
                    (Then::Number { field: step.field, state: next }, next)
                }
                Reached::End => (Then::End, state),
            };
            let edge = Learned {
                literal: step.literal.clone(),
                marks: step.marks.clone(),
                names,
                members: step.members,
                then,
            };
            let edges = &mut self.states[state as usize];
            if let Some(kept) = edges.iter_mut().find(|kept| kept.edge == edge) {
                kept.followed_by = followed_by;
            } else {
                // The same literal that leads elsewhere, or means something else, was learned by mistake.
                edges.retain(|kept| kept.edge.literal != edge.literal);
                if edges.len() == EDGES_OF_A_STATE_MAX {
                    edges.remove(0);
                }
                edges.push(Kept { edge, followed_by });
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
        self.states.push(vec![]);
        Ok(state)
    }

    fn name(&mut self, path: &Path) -> Result<u32, Full> {
        let next = self.names.len() as u32;
        let bit = *self.names.entry(path.clone()).or_insert(next);
        if bit < NameSet::BITS { Ok(bit) } else { Err(Full) }
    }

    fn automaton(&self) -> Automaton {
        let (mut automaton, mut numbers, mut follow) = (Automaton::default(), HashMap::new(), vec![]);
        for edges in &self.states {
            let mut edges: Vec<_> = edges.iter().collect();
            edges.sort_by_key(|kept| std::cmp::Reverse(kept.edge.literal.len()));
            let first = automaton.edges.len() as u32;
            for Kept { edge, followed_by } in edges {
                follow.push(*followed_by);
                numbers.insert((automaton.states.len() as u32, number_of(&edge.literal)), automaton.edges.len() as u32);
                automaton.push(edge);
            }
            automaton.states.push(first..automaton.edges.len() as u32);
        }
        for (edge, followed_by) in automaton.edges.iter_mut().zip(follow) {
            let next = edge.then.state().and_then(|state| numbers.get(&(state, followed_by)));
            edge.likely = next.copied().unwrap_or(u32::MAX);
        }
        automaton.literals.extend([0; PADDING]);
        automaton
    }
}

impl Automaton {
    fn push(&mut self, edge: &Learned) {
        let (literal_start, texts) = (self.literals.len() as u32, self.texts.len() as u32);
        self.literals.extend(&edge.literal);
        let mut facts = Facts::default();
        for mark in &edge.marks {
            facts.add(mark.facts());
            self.texts.extend(mark.texts().map(|(field, start, length)| Fixed { field, start, end: start + length }));
        }
        self.edges.push(Edge {
            names: edge.names,
            facts,
            literal_start,
            literal_length: edge.literal.len() as u32,
            texts: texts..self.texts.len() as u32,
            members: edge.members,
            likely: u32::MAX,
            then: edge.then,
        });
    }
}

/// There is no room for a lesson.
struct Full;
