//! What a literal says of its message.

use crate::nexo::{BodyName, Envelope, EventToNotify, Field, Fields, Known, Vocabulary, WordField, WordIds};
use crate::span::Encoding;

/// What literals say of a message besides where its fields are, in one number: what several of them say is joined by
/// an `or`, as no two of one message say the same.
///
/// From the lowest byte: the ids of six words, the bit of the body's name, and [`REQUEST`] and its like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts(u64);

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;
const HEADER: u8 = 4;
const CASHIER: u8 = 8;
const EVENT: u8 = 16;
const MORE_REFERENCES: u8 = 32;

impl Facts {
    /// EventToNotify stands behind this literal; which one is seen at the end.
    pub(super) const ASKS_FOR_EVENT: Self = Self((EVENT as u64) << 56);

    /// A word that is known.
    #[inline]
    pub(super) fn word(word: WordField, id: u8) -> Self {
        Self(u64::from(id) << (8 * word as u32))
    }

    #[inline]
    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// All of it in one number, as literals keep it; what several say is joined by an `or`.
    pub(super) fn number(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Writes envelope and words into `fields`, which has its spans; answers the rest, or `None` if the event is unknown.
    #[inline]
    pub(super) fn tell(mut self, fields: &mut Fields, body: &[u8]) -> Option<Known> {
        if self.0 & Self::ASKS_FOR_EVENT.0 != 0 {
            let word = fields.get(Field::EventToNotify).filter(|word| word.encoding() == Encoding::Plain)?;
            self.add(Self::word(WordField::Event, EventToNotify::from_word(word.of(body))?.id()));
        }
        let [.., body_bit, rest] = self.0.to_le_bytes();
        // With a zero for the seventh, the words are the bytes of one number.
        let [class, category, message_type, event, result, error_condition, display_event, _] =
            (self.0 & 0xFFFF_FFFF_FFFF).to_le_bytes();
        fields.words = WordIds { class, category, message_type, event, result, error_condition, display_event };
        fields.envelope = match rest & (REQUEST | RESPONSE) {
            REQUEST => Envelope::Request,
            RESPONSE => Envelope::Response,
            _ => Envelope::Other,
        };
        Some(Known {
            has_header: rest & HEADER != 0,
            body_bit,
            is_notification: rest & CASHIER != 0,
            more_references: rest & MORE_REFERENCES != 0,
        })
    }

    fn of_body(name: BodyName) -> Self {
        Self(u64::from(name.bit()) << 48)
    }

    fn flag(flag: u8) -> Self {
        Self(u64::from(flag) << 56)
    }
}

/// One thing that a literal holds.
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
        name: BodyName,
        name_start: u32,
        name_length: u32,
        start: u32,
    },
    /// An output for the cashier's display.
    Cashier,
    /// A ReferenceID behind the one that counts.
    MoreReferences,
    /// `InputResult.Input` begins.
    Input {
        start: u32,
    },
}

impl Mark {
    /// What it says besides where fields are.
    pub(super) fn facts(self) -> Facts {
        match self {
            Self::Word { field, id, .. } => Facts::word(field, id),
            Self::Envelope(Envelope::Request) => Facts::flag(REQUEST),
            Self::Envelope(Envelope::Response) => Facts::flag(RESPONSE),
            Self::Header => Facts::flag(HEADER),
            Self::Body { name, .. } => Facts::of_body(name),
            Self::Cashier => Facts::flag(CASHIER),
            Self::MoreReferences => Facts::flag(MORE_REFERENCES),
            Self::Field { .. } | Self::Input { .. } | Self::Envelope(Envelope::Other) => Facts::default(),
        }
    }

    /// The fields that it shows, each with where it begins and its length.
    pub(super) fn texts(self) -> impl Iterator<Item = (Field, u32, u32)> {
        let (one, other) = match self {
            Self::Field { field, start, length } => (Some((field, start, length)), None),
            Self::Word { field, start, length, .. } => (Some((field.field(), start, length)), None),
            Self::Body { name_start, name_length, start, .. } => {
                (Some((Field::BodyMember, name_start, name_length)), Some((Field::Body, start, 1)))
            }
            Self::Input { start } => (Some((Field::Input, start, 1)), None),
            Self::Envelope(_) | Self::Header | Self::Cashier | Self::MoreReferences => (None, None),
        };
        one.into_iter().chain(other)
    }
}
