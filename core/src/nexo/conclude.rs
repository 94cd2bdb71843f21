//! From what the walk has found to kind, words and the remaining flags: the rules of reference, section 13.

use super::display::{display_event, display_event_of_pairs, is_pairs};
use super::draft::Draft;
use super::names::{BodyName, Ending};
use super::{
    Envelope, ErrorCondition, EventToNotify, Field, Fields, Flags, Kind, MessageCategory, MessageClass, MessageType,
    ResultWord, Vocabulary,
};
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
    pub(crate) body_name: Option<BodyName>,
    /// An output is for the cashier's display.
    pub(crate) is_notification: bool,
    /// There are references behind the first one, which counts if it holds pairs.
    pub(crate) more_references: bool,
}

/// The same for a body whose words are known already; false if there is something odd after all, and then the general
/// walk decides.
#[inline]
pub(crate) fn conclude_known(fields: &mut Fields, known: Known, body: &[u8]) -> bool {
    let Known { has_header, body_name, mut is_notification, more_references } = known;
    let has_body = body_name.is_some() || fields.get(Field::NexoBlob).is_some();
    let lone_currency = fields.get(Field::Currency).is_some() && fields.get(Field::Amount).is_none();
    if fields.envelope == Envelope::Other || !has_header || !has_body || lone_currency {
        return false;
    }
    let reference = fields.get(Field::ReferenceId).map(|span| Text::at(body, span));
    if let Some(pairs) = reference.filter(|reference| is_pairs(*reference)) {
        is_notification = true;
        fields.words.display_event = match display_event_of_pairs(pairs) {
            Some(Some(event)) => event.id(),
            Some(None) => return false,
            None => 0,
        };
    } else if more_references {
        return false;
    }
    fields.kind = kind(fields, body_name, is_notification);
    if let Some(body_name) = body_name {
        mismatches(fields, body_name);
    }
    fields.flags.is_empty()
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
