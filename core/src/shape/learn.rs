//! How a layout is learned: one walk over a body that the general walk has accepted, with nothing odd about it.

use std::collections::HashMap;

use super::automaton::{Automaton, EDGES_MAX, Edge, LITERAL_BYTES_MAX, Mark, NameSet, STATES_MAX, Then};
use crate::error::Error;
use crate::json::{Cursor, Name, Value, unescape};
use crate::nexo::{
    BodyName, Device, Envelope, Field, Fields, InfoQualify, OutputFormat, Vocabulary, WordField, is_looked_for,
};
use crate::span::{Encoding, Span};

/// Edges from one state beyond which the oldest is forgotten: they are tried one after the other.
const EDGES_OF_A_STATE_MAX: usize = 8;

/// A literal longer than this is no layout of a terminal's.
const LITERAL_LENGTH_MAX: usize = 4_096;

/// A place in a message: the names and array marks that lead to it, each with what it is and how long.
type Path = Vec<u8>;

/// One edge of a lesson, with its places still spelled out.
struct Step {
    literal: Vec<u8>,
    marks: Vec<Mark>,
    names: Vec<Path>,
    members: u32,
    field: Option<Field>,
    then: Reached,
}

/// What follows a literal, and the place that it belongs to.
#[derive(Clone)]
enum Reached {
    String(Path),
    Scalar(Path),
    Number(Path),
    End,
}

/// The layout of one body.
pub(super) struct Lesson {
    steps: Vec<Step>,
}

impl Lesson {
    /// The layout of `body`, if it is one that can be told from literals alone.
    pub(super) fn of(body: &[u8], fields: &Fields) -> Option<Self> {
        if fields.envelope == Envelope::Other {
            return None;
        }
        let mut walk =
            Walk { body, fields, steps: vec![], from: 0, marks: vec![], names: vec![], members: 0, refused: false };
        let mut cursor = Cursor::over_valid(body);
        walk.value(&mut cursor, &Place::root()).ok()?;
        walk.step(body.len(), None, Reached::End);
        let mut names: Vec<_> = walk.steps.iter().flat_map(|step| &step.names).collect();
        names.sort_unstable();
        let repeats = names.windows(2).any(|pair| pair[0] == pair[1]);
        let is_long = walk.steps.iter().any(|step| step.literal.len() > LITERAL_LENGTH_MAX);
        (!walk.refused && !repeats && !is_long).then_some(Self { steps: walk.steps })
    }
}

/// Where the walk is, and which names are looked for there.
#[derive(Clone)]
struct Place {
    path: Path,
    /// The same with names that exclude each other replaced by one.
    grouped: Path,
    depth: u32,
    /// Inside of an array whose elements nexowire does not look into.
    is_free: bool,
    /// Directly inside of one of the outputs of a body.
    is_in_output: bool,
    /// The last name.
    name: Vec<u8>,
}

impl Place {
    fn root() -> Self {
        Self { path: vec![], grouped: vec![], depth: 0, is_free: false, is_in_output: false, name: vec![] }
    }

    fn member(&self, name: &[u8], group: &[u8]) -> Self {
        let extended = |path: &Path, name: &[u8]| {
            let mut path = path.clone();
            path.push(b'{');
            path.extend((name.len() as u32).to_le_bytes());
            path.extend(name);
            path
        };
        Self {
            path: extended(&self.path, name),
            grouped: extended(&self.grouped, group),
            depth: self.depth + 1,
            is_free: self.is_free,
            is_in_output: self.depth == 3 && self.name == b"DisplayOutput",
            name: name.to_vec(),
        }
    }

    fn element(&self) -> Self {
        let is_free = self.is_free || !matches!(&self.name[..], b"DisplayOutput" | b"OutputResult");
        let mut element = Self { is_free, ..self.clone() };
        element.path.push(b'[');
        element.grouped.push(b'[');
        element
    }
}

struct Walk<'a> {
    body: &'a [u8],
    fields: &'a Fields,
    steps: Vec<Step>,
    /// Where the literal begins.
    from: usize,
    marks: Vec<Mark>,
    names: Vec<Path>,
    members: u32,
    /// The body has something that a later one could have otherwise, with another meaning.
    refused: bool,
}

impl<'a> Walk<'a> {
    fn value(&mut self, cursor: &mut Cursor<'a>, place: &Place) -> Result<(), Error> {
        let start = cursor.position();
        match cursor.peek() {
            b'{' => {
                self.object_marks(start, place);
                cursor.object(|cursor, name| self.member(cursor, name, place)).map(drop)
            }
            b'[' => {
                let element = place.element();
                cursor.array(|cursor| self.value(cursor, &element)).map(drop)
            }
            b'"' => {
                if let Value::String(span) = cursor.value()? {
                    self.string(span, place);
                }
                Ok(())
            }
            _ => {
                let end = cursor.skip()?;
                self.scalar(start, end, place);
                Ok(())
            }
        }
    }

    /// What it means that an object begins here.
    fn object_marks(&mut self, start: usize, place: &Place) {
        let relative = (start - self.from) as u32;
        if place.depth == 1 && place.name == b"SaleToPOIRequest" {
            self.marks.push(Mark::Envelope(Envelope::Request));
        } else if place.depth == 1 && place.name == b"SaleToPOIResponse" {
            self.marks.push(Mark::Envelope(Envelope::Response));
        } else if place.depth == 2 && place.name == b"MessageHeader" {
            self.marks.push(Mark::Header);
        }
        if self.starts(Field::Input, start) {
            self.marks.push(Mark::Input { start: relative });
        }
    }

    fn starts(&self, field: Field, start: usize) -> bool {
        self.fields.get(field).is_some_and(|span| span.start() == start)
    }

    fn member(&mut self, cursor: &mut Cursor<'a>, name: Name<'a>, place: &Place) -> Result<(), Error> {
        self.members += 1;
        let text = unescape(name.raw);
        let in_envelope = place.depth == 1 && matches!(&place.name[..], b"SaleToPOIRequest" | b"SaleToPOIResponse");
        let body_name = BodyName::of(name).filter(|_| in_envelope);
        let group: &[u8] = match (place.depth, &*text) {
            (0, b"SaleToPOIRequest" | b"SaleToPOIResponse") => b"envelope",
            _ if body_name.is_some() => b"body",
            // A body has its answer and its amount in one of several places, of which the first that is there counts.
            (2, b"Response" | b"InputResult" | b"OutputResult") => b"answer",
            (2, b"PaymentResult" | b"PaymentTransaction" | b"ReversedAmount") => b"amount",
            (_, text) => text,
        };
        let inner = place.member(&text, group);
        let of_envelope = matches!(&*text, b"MessageHeader" | b"NexoBlob" | b"SecurityTrailer");
        self.refused |= match (place.depth, &*text) {
            // An unknown member is a body where there is no other.
            (1, _) => in_envelope && body_name.is_none() && !of_envelope,
            // The repeated answer is read in an order of its own.
            (2, b"RepeatedMessageResponse") => true,
            // A currency counts only beside an amount.
            (3, b"AmountsReq" | b"AmountsResp") => self.fields.get(Field::Amount).is_none(),
            _ => false,
        };
        if !inner.is_free && (body_name.is_some() || is_looked_for(&text)) {
            self.names.push(inner.grouped.clone());
        }
        if let Some(body_name) = body_name {
            self.marks.push(Mark::Body {
                name: body_name,
                name_start: (name.span.start() - self.from) as u32,
                name_length: name.span.length() as u32,
                start: (cursor.position() - self.from) as u32,
            });
            self.refused |= name.span.encoding() != Encoding::Plain;
        }
        self.value(cursor, &inner)
    }

    fn string(&mut self, span: Span, place: &Place) {
        let field = self.field_at(span.start());
        let text = span.of(self.body);
        let (start, length) = ((span.start() - self.from) as u32, span.length() as u32);
        let is_plain = span.encoding() == Encoding::Plain;
        if let Some(word) = field.and_then(WordField::of) {
            let id = word.get(&self.fields.words);
            self.refused |= !is_plain || id == 0;
            self.marks.push(Mark::Word { field: word, start, length, id });
        } else if field == Some(Field::SaleId) && is_plain {
            self.marks.push(Mark::Field { field: Field::SaleId, start, length });
        } else if is_plain && is_word_of_outputs(&place.name, text) {
            if place.name == b"Device" && place.is_in_output && text == Device::CashierDisplay.word().as_bytes() {
                self.marks.push(Mark::Cashier);
            }
        } else {
            // Whether an unknown device is the cashier's display is asked of the text, which varies.
            self.refused |= place.name == b"Device" && place.is_in_output;
            self.step(span.start(), field, Reached::String(place.path.clone()));
            self.from = span.start() + span.length();
        }
    }

    fn scalar(&mut self, start: usize, end: usize, place: &Place) {
        let field = self.field_at(start);
        let is_number = matches!(self.body[start], b'-' | b'0'..=b'9');
        let is_looked_for = !place.is_free && is_looked_for(&place.name);
        if is_looked_for && !is_number {
            // `null` and a boolean mean something else than a number here, and are as fixed as a name.
            let (start, length) = ((start - self.from) as u32, (end - start) as u32);
            self.marks.extend(field.map(|field| Mark::Field { field, start, length }));
            return;
        }
        let path = place.path.clone();
        self.step(start, field, if is_looked_for { Reached::Number(path) } else { Reached::Scalar(path) });
        self.from = end;
    }

    /// The field whose text begins here.
    fn field_at(&self, start: usize) -> Option<Field> {
        let is_text = |field: &Field| !matches!(field, Field::Body | Field::Input | Field::BodyMember);
        Field::ALL.iter().copied().filter(is_text).find(|field| self.starts(*field, start))
    }

    /// Ends the literal before `end`.
    fn step(&mut self, end: usize, field: Option<Field>, then: Reached) {
        self.steps.push(Step {
            literal: self.body[self.from..end].to_vec(),
            marks: std::mem::take(&mut self.marks),
            names: std::mem::take(&mut self.names),
            members: std::mem::take(&mut self.members),
            field,
            then,
        });
    }
}

/// Words of outputs, which stand in receipts and in notifications.
fn is_word_of_outputs(name: &[u8], text: &[u8]) -> bool {
    match name {
        b"Device" => Device::from_word(text).is_some(),
        b"InfoQualify" => InfoQualify::from_word(text).is_some(),
        b"OutputFormat" => OutputFormat::from_word(text).is_some(),
        _ => false,
    }
}

/// An edge as it is kept between lessons.
#[derive(Clone, PartialEq, Eq)]
struct Learned {
    literal: Vec<u8>,
    marks: Vec<Mark>,
    names: NameSet,
    members: u32,
    then: Then,
}

/// What is behind the automaton: places by name, and edges in the order in which they were learned.
#[derive(Default)]
pub(super) struct Teacher {
    places: HashMap<Vec<u8>, u32>,
    names: HashMap<Path, u32>,
    states: Vec<Vec<Learned>>,
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
        for step in &lesson.steps {
            let mut names = 0;
            for name in &step.names {
                names |= 1 << self.name(name)?;
            }
            let (then, next) = match &step.then {
                Reached::String(path) => {
                    let next = self.place(&[b"\"", &path[..]].concat())?;
                    (Then::String { field: step.field, state: next }, next)
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
            if !edges.contains(&edge) {
                // The same literal that leads elsewhere, or means something else, was learned by mistake.
                edges.retain(|other| other.literal != edge.literal);
                if edges.len() == EDGES_OF_A_STATE_MAX {
                    edges.remove(0);
                }
                edges.push(edge);
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
        let mut automaton = Automaton::default();
        for edges in &self.states {
            let mut edges: Vec<_> = edges.iter().collect();
            edges.sort_by_key(|edge| std::cmp::Reverse(edge.literal.len()));
            let first = automaton.edges.len() as u32;
            for edge in edges {
                let (literal, marks) = (automaton.literals.len() as u32, automaton.marks.len() as u32);
                automaton.literals.extend(&edge.literal);
                automaton.marks.extend(&edge.marks);
                automaton.edges.push(Edge {
                    literal: literal..automaton.literals.len() as u32,
                    marks: marks..automaton.marks.len() as u32,
                    names: edge.names,
                    members: edge.members,
                    then: edge.then,
                });
            }
            automaton.states.push(first..automaton.edges.len() as u32);
        }
        automaton
    }
}

/// There is no room for a lesson.
struct Full;
