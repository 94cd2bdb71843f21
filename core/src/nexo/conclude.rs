//! From what the walk has found to kind, words and the remaining flags: the rules of reference, section 13.

use super::display::{display_event, known_display_event};
use super::draft::Draft;
use super::names::{BodyName, Ending};
use super::{
    Envelope, ErrorCondition, EventToNotify, Field, Fields, Flags, Kind, MessageCategory, MessageClass, MessageType,
    ResultWord, Vocabulary,
};
use crate::form::Marks;
use crate::span::{Encoding, Span};
use crate::text::Text;

/// Longer than any word of a vocabulary.
const WORD_LENGTH_MAX: usize = 64;

/// The kind, the words and the remaining flags of a valid body.
#[inline]
pub(crate) fn conclude(draft: &mut Draft, body: &[u8]) {
    let Draft { ref mut fields, has_header, body_name, is_notification, .. } = *draft;
    if fields.envelope == Envelope::Other {
        return;
    }
    fields.kind = kind(fields, body_name, is_notification);
    if !has_header {
        fields.flags.insert(Flags::HEADER_MISSING);
    }
    fields.words.class = word::<MessageClass>(fields, Field::MessageClass, body);
    fields.words.category = word::<MessageCategory>(fields, Field::MessageCategory, body);
    fields.words.message_type = word::<MessageType>(fields, Field::MessageType, body);
    fields.words.event = word::<EventToNotify>(fields, Field::EventToNotify, body);
    fields.words.result = word::<ResultWord>(fields, Field::Result, body);
    fields.words.error_condition = word::<ErrorCondition>(fields, Field::ErrorCondition, body);
    if let Some(reference) = fields.get(Field::ReferenceId) {
        let event = display_event(Text::at(body, reference));
        fields.words.display_event = known(fields, event);
    }
    if let Some(body_name) = body_name {
        mismatches(fields, body_name);
    }
}

/// What is known of a body besides its fields, by a way that meets nothing odd.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The envelope has an object MessageHeader.
    pub(crate) has_header: bool,
    /// [`BodyName::bit`]; 0 if there is no body.
    pub(crate) body_bit: u8,
    /// An output is for the cashier's display.
    pub(crate) is_notification: bool,
    /// There are references behind the first one, which counts if it holds pairs.
    pub(crate) more_references: bool,
}

/// The same for a body whose words are known already, all that it has; false if there is something odd after all, and
/// then the general walk decides.
#[inline(always)]
pub(crate) fn conclude_known(
    fields: &mut Fields,
    known: Known,
    body: &[u8],
    marks: impl Fn(&[u8], usize) -> Marks,
) -> bool {
    let Known { has_header, body_bit, mut is_notification, more_references } = known;
    let named = OF_BITS[usize::from(body_bit) % OF_BITS.len()];
    let is_secured = fields.get(Field::NexoBlob).is_some();
    let lone_currency = fields.get(Field::Currency).is_some() && fields.get(Field::Amount).is_none();
    let has_body = body_bit != 0 || is_secured;
    if fields.envelope == Envelope::Other || !has_header || !has_body || lone_currency {
        return false;
    }
    if named.disagrees(fields.words.category, fields.words.message_type) {
        return false;
    }
    if let Some(reference) = fields.get(Field::ReferenceId) {
        let Some((is_pairs, event)) = known_display_event(Text::at(body, reference), marks) else { return false };
        if more_references && !is_pairs {
            return false;
        }
        is_notification |= is_pairs;
        fields.words.display_event = event;
    }
    fields.kind = match (fields.envelope, named.kind) {
        _ if is_secured => Kind::Secured,
        (Envelope::Response, _) => Kind::Response,
        (_, Kind::Display) if !is_notification => Kind::Request,
        (_, kind) => kind,
    };
    true
}

/// What a body's name says: the ids of the words that a header has beside it, and of which kind it is, in a request, and
/// if a display is for the cashier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OfBit {
    /// 0: any.
    category: u8,
    /// 0: any.
    message_type: u8,
    kind: Kind,
}

/// What the name with each [`BodyName::bit`] says; what there is no name for says nothing.
const OF_BITS: [OfBit; 64] = {
    let mut of_bits = [OfBit::NONE; 64];
    let mut bit = 0;
    while bit < of_bits.len() {
        of_bits[bit] = OfBit::at(bit as u8);
        bit += 1;
    }
    of_bits
};

impl OfBit {
    const NONE: Self = Self { category: 0, message_type: 0, kind: Kind::Request };

    const fn at(bit: u8) -> Self {
        let (category, message_type) = match bit {
            1..=28 => (bit, MessageType::Request as u8),
            30..=57 => (bit - 29, MessageType::Response as u8),
            62 => (MessageCategory::Event as u8, MessageType::Notification as u8),
            63 => (MessageCategory::InputUpdate as u8, 0),
            _ => return Self::NONE,
        };
        let kind = match bit {
            62 => Kind::Event,
            _ if bit == MessageCategory::Display as u8 => Kind::Display,
            _ => Kind::Request,
        };
        Self { category, message_type, kind }
    }

    /// Whether a header with the words of these ids, 0 where it has none, says something else.
    #[inline(always)]
    fn disagrees(self, category: u8, message_type: u8) -> bool {
        let differ = |one, other| one != 0 && other != 0 && one != other;
        differ(self.category, category) || differ(self.message_type, message_type)
    }
}

fn kind(fields: &Fields, body_name: Option<BodyName>, is_notification: bool) -> Kind {
    if fields.get(Field::NexoBlob).is_some() {
        return Kind::Secured;
    }
    match (fields.envelope, body_name) {
        (Envelope::Response, _) => Kind::Response,
        (_, Some(BodyName { ending: Ending::Notification, .. })) => Kind::Event,
        (_, Some(BodyName { category: MessageCategory::Display, ending: Ending::Request })) if is_notification => {
            Kind::Display
        }
        _ => Kind::Request,
    }
}

/// The id of a field's word; 0 if it is absent, or unknown, which is flagged.
#[inline]
fn word<V: Vocabulary>(fields: &mut Fields, field: Field, body: &[u8]) -> u8 {
    let found = fields.get(field).map(|span| lookup::<V>(span, body));
    known(fields, found)
}

#[inline]
fn lookup<V: Vocabulary>(span: Span, body: &[u8]) -> Option<V> {
    let text = Text::at(body, span);
    if text.encoding() == Encoding::Plain { V::from_word(text.raw()) } else { lookup_encoded(text) }
}

#[cold]
fn lookup_encoded<V: Vocabulary>(text: Text<'_>) -> Option<V> {
    V::from_word(text.decode_into(&mut [0; WORD_LENGTH_MAX]))
}

/// The id of a word that was looked up; the outer `None` if there was none to look up.
#[inline]
fn known<V: Vocabulary>(fields: &mut Fields, found: Option<Option<V>>) -> u8 {
    match found {
        Some(Some(word)) => word.id(),
        Some(None) => {
            fields.flags.insert(Flags::UNKNOWN_WORD);
            0
        }
        None => 0,
    }
}

/// Flags a header that says something else than the body's name. An unknown word disagrees with every name.
fn mismatches(fields: &mut Fields, body_name: BodyName) {
    if fields.get(Field::MessageCategory).is_some() && fields.words.category != body_name.category.id() {
        fields.flags.insert(Flags::CATEGORY_MISMATCH);
    }
    let message_type = match body_name.ending {
        Ending::Request => MessageType::Request,
        Ending::Response => MessageType::Response,
        Ending::Notification => MessageType::Notification,
        Ending::Update => return,
    };
    if fields.get(Field::MessageType).is_some() && fields.words.message_type != message_type.id() {
        fields.flags.insert(Flags::TYPE_MISMATCH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table says what the rules say.
    #[test]
    fn what_a_name_says_by_its_bit() {
        for bit in 0..64 {
            let of_bit = OF_BITS[usize::from(bit)];
            let Some(name) = BodyName::from_bit(bit) else {
                assert_eq!(of_bit, OfBit::NONE, "{bit}");
                continue;
            };
            for (category, message_type) in (0..=28).flat_map(|category| (0..=3).map(move |other| (category, other))) {
                let mut fields = Fields::of_json(Kind::Foreign);
                (fields.words.category, fields.words.message_type) = (category, message_type);
                let span = Span::new(1, 2, Encoding::Plain);
                fields.set(Field::MessageCategory, span.filter(|_| category != 0));
                fields.set(Field::MessageType, span.filter(|_| message_type != 0));
                mismatches(&mut fields, name);
                assert_eq!(of_bit.disagrees(category, message_type), !fields.flags.is_empty(), "{name:?}");
                fields.envelope = Envelope::Request;
                for is_notification in [true, false] {
                    let kind =
                        if of_bit.kind == Kind::Display && !is_notification { Kind::Request } else { of_bit.kind };
                    assert_eq!(super::kind(&fields, Some(name), is_notification), kind, "{name:?}");
                }
            }
        }
    }
}
