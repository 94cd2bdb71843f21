//! How a layout is learned: one walk over a body that the general walk has accepted, with nothing odd about it.

use super::facts::Mark;
use crate::error::Error;
use crate::json::{Cursor, Name, Value, unescape};
use crate::nexo::{
    BodyName, Device, Envelope, Field, Fields, InfoQualify, OutputFormat, Vocabulary, WordField, is_looked_for,
};
use crate::span::{Encoding, Span};

/// A literal longer than this is no layout of a terminal's.
const LITERAL_LENGTH_MAX: usize = 4_096;

/// Flags that a literal may hold: each doubles how many literals there can be.
const FLAGS_MAX: u32 = 2;

/// Outputs of one display that are learned.
const OUTPUTS_MAX: u8 = 4;

/// A place in a message: the names and array marks that lead to it, each with what it is and how long.
pub(super) type Path = Vec<u8>;

/// One edge of a lesson, with its places still spelled out.
pub(super) struct Step {
    pub(super) literal: Vec<u8>,
    pub(super) marks: Vec<Mark>,
    pub(super) names: Vec<Path>,
    pub(super) members: u32,
    pub(super) field: Option<Field>,
    pub(super) then: Reached,
}

/// What follows a literal, and the place that it belongs to.
pub(super) enum Reached {
    String(Path),
    Event(Path),
    Scalar(Path),
    Number(Path),
    End,
}

/// The layout of one body.
pub(super) struct Lesson {
    pub(super) steps: Vec<Step>,
}

impl Lesson {
    /// The layout of `body`, if it is one that can be told from literals alone.
    pub(super) fn of(body: &[u8], fields: &Fields) -> Option<Self> {
        if fields.envelope == Envelope::Other {
            return None;
        }
        let mut walk = Walk {
            body,
            fields,
            steps: vec![],
            from: 0,
            marks: vec![],
            names: vec![],
            members: 0,
            flags: 0,
            refused: false,
        };
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
    role: Role,
    path: Path,
    /// The same with names that exclude each other replaced by one.
    grouped: Path,
    /// Inside of an array whose elements nexowire does not look into.
    is_free: bool,
    /// Inside of DisplayOutput.
    is_of_output: bool,
    /// The last name.
    name: Vec<u8>,
}

/// What a value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Root,
    Envelope(Envelope),
    Header,
    Body(BodyName),
    /// DisplayOutput of a DisplayRequest, or one of its elements.
    Output,
    /// `Device` of an output.
    Device,
    Other,
}

impl Place {
    fn root() -> Self {
        Self { role: Role::Root, path: vec![], grouped: vec![], is_free: false, is_of_output: false, name: vec![] }
    }

    fn member(&self, name: &[u8], role: Role) -> Self {
        let group: &[u8] = match (self.role, role, name) {
            (_, Role::Envelope(_), _) => b"envelope",
            (_, Role::Body(_), _) => b"body",
            // A body has its answer and its amount in one of several places, of which the first that is there counts.
            (Role::Body(_), _, b"Response" | b"InputResult" | b"OutputResult") => b"answer",
            (Role::Body(_), _, b"PaymentResult" | b"PaymentTransaction" | b"ReversedAmount") => b"amount",
            _ => name,
        };
        let extended = |path: &Path, name: &[u8]| {
            let mut path = path.clone();
            path.push(b'{');
            path.extend((name.len() as u32).to_le_bytes());
            path.extend(name);
            path
        };
        Self {
            role,
            path: extended(&self.path, name),
            grouped: extended(&self.grouped, group),
            is_free: self.is_free,
            is_of_output: self.is_of_output || role == Role::Output,
            name: name.to_vec(),
        }
    }

    /// An element of this array. Those that nexowire looks into have a place each.
    fn element(&self, number: u8) -> Self {
        let looked_into = matches!(&self.name[..], b"DisplayOutput" | b"OutputResult");
        let role = if self.role == Role::Output { Role::Output } else { Role::Other };
        let mut element = Self { is_free: self.is_free || !looked_into, role, ..self.clone() };
        let number = if role == Role::Output { number } else { 0 };
        element.path.extend([b'[', number]);
        element.grouped.extend([b'[', number]);
        element
    }

    /// What a member of this name is for.
    fn role_of(&self, name: &[u8], body_name: Option<BodyName>) -> Role {
        match (self.role, name, body_name) {
            (Role::Root, b"SaleToPOIRequest", _) => Role::Envelope(Envelope::Request),
            (Role::Root, b"SaleToPOIResponse", _) => Role::Envelope(Envelope::Response),
            (Role::Envelope(_), b"MessageHeader", _) => Role::Header,
            (Role::Envelope(_), _, Some(body_name)) => Role::Body(body_name),
            (Role::Body(BodyName::DISPLAY), b"DisplayOutput", _) => Role::Output,
            (Role::Output, b"Device", _) => Role::Device,
            _ => Role::Other,
        }
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
    /// Flags in the literal.
    flags: u32,
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
                let mut number = 0_u8;
                cursor
                    .array(|cursor| {
                        let element = place.element(number);
                        number = number.saturating_add(1);
                        self.refused |= element.role == Role::Output && number > OUTPUTS_MAX;
                        self.value(cursor, &element)
                    })
                    .map(drop)
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
        match place.role {
            Role::Envelope(envelope) => self.marks.push(Mark::Envelope(envelope)),
            Role::Header => self.marks.push(Mark::Header),
            _ => {}
        }
        if self.starts(Field::Input, start) {
            self.marks.push(Mark::Input { start: (start - self.from) as u32 });
        }
    }

    fn starts(&self, field: Field, start: usize) -> bool {
        self.fields.get(field).is_some_and(|span| span.start() == start)
    }

    fn member(&mut self, cursor: &mut Cursor<'a>, name: Name<'a>, place: &Place) -> Result<(), Error> {
        self.members += 1;
        let text = unescape(name.raw);
        let role = place.role_of(&text, BodyName::of(name));
        let inner = place.member(&text, role);
        let of_envelope = matches!(&*text, b"MessageHeader" | b"NexoBlob" | b"SecurityTrailer");
        self.refused |= match (place.role, &*text) {
            // An unknown member is a body where there is no other.
            (Role::Envelope(_), _) => matches!(role, Role::Other) && !of_envelope,
            // The repeated answer is read in an order of its own.
            (Role::Body(_), b"RepeatedMessageResponse") => true,
            // A currency counts only beside an amount.
            (_, b"AmountsReq" | b"AmountsResp") => self.fields.get(Field::Amount).is_none(),
            _ => false,
        };
        if !inner.is_free && (matches!(role, Role::Body(_)) || is_looked_for(&text)) {
            self.names.push(inner.grouped.clone());
        }
        if let Role::Body(body_name) = role {
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
        if field == Some(Field::EventToNotify) && is_plain && self.fields.words.event != 0 {
            self.step(span.start(), field, Reached::Event(place.path.clone()));
            self.from = span.start() + span.length();
        } else if let Some(word) = field.and_then(WordField::of) {
            let id = word.get(&self.fields.words);
            self.refused |= !is_plain || id == 0;
            self.marks.push(Mark::Word { field: word, start, length, id });
        } else if is_plain && field == Some(Field::ProtocolVersion) && VERSIONS.contains(&text) {
            self.marks.push(Mark::Field { field: Field::ProtocolVersion, start, length });
        } else if is_plain && is_word_of_outputs(&place.name, text) {
            if place.role == Role::Device && text == Device::CashierDisplay.word().as_bytes() {
                self.marks.push(Mark::Cashier);
            }
        } else {
            // Whether an unknown device is the cashier's display is asked of the text, which varies.
            self.refused |= place.role == Role::Device;
            if place.name == b"ReferenceID" && field.is_none() && place.is_of_output {
                // The first reference that holds pairs counts. If that one came first, a later message has to be asked
                // whether its first does too.
                let counts = self.fields.get(Field::ReferenceId).is_some_and(|first| first.start() < span.start());
                self.refused |= !counts;
                self.marks.push(Mark::MoreReferences);
            }
            self.step(span.start(), field, Reached::String(place.path.clone()));
            self.from = span.start() + span.length();
        }
    }

    fn scalar(&mut self, start: usize, end: usize, place: &Place) {
        let field = self.field_at(start);
        let is_number = matches!(self.body[start], b'-' | b'0'..=b'9');
        let is_looked_for = !place.is_free && is_looked_for(&place.name);
        if !is_number && (is_looked_for || self.flags < FLAGS_MAX) {
            // `null`, `true` and `false` are words of the grammar, and where something is looked for they mean something
            // else than a number.
            self.flags += 1;
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
        self.flags = 0;
    }
}

/// What the standard's versions are called.
const VERSIONS: [&[u8]; 2] = [b"3.0", b"3.1"];

/// Words of outputs, which stand in receipts and in notifications.
fn is_word_of_outputs(name: &[u8], text: &[u8]) -> bool {
    match name {
        b"Device" => Device::from_word(text).is_some(),
        b"InfoQualify" => InfoQualify::from_word(text).is_some(),
        b"OutputFormat" => OutputFormat::from_word(text).is_some(),
        b"CharacterStyle" => matches!(text, b"Normal" | b"Bold" | b"Italic" | b"Underlined"),
        b"DocumentQualifier" => matches!(text, b"CashierReceipt" | b"CustomerReceipt"),
        _ => false,
    }
}
