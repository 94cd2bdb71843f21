//! What a body is, by its structure; and which of its words are known. Never fails: what is not JSON is a kind too.

use crate::error::Error;
use crate::limits::Limits;
use crate::nexo::{
    BodyName, Draft, Ending, Envelope, ErrorCondition, EventToNotify, Field, Fields, Flags, Kind, MessageCategory,
    MessageClass, MessageType, ResultWord, Vocabulary, display_event, webhook,
};
use crate::parse::parse_with;
use crate::simd::Kernel;
use crate::span::Span;
use crate::text::Text;

/// Longer than any word of a vocabulary.
const WORD_LENGTH_MAX: usize = 64;

/// A classified body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified {
    /// What was found.
    pub fields: Fields,
    /// Why it is not JSON, if it is not.
    pub error: Option<Error>,
}

/// Validates and classifies `body`, without allocating.
///
/// ```
/// use nexowire_core::classify::classify;
/// use nexowire_core::limits::Limits;
/// use nexowire_core::nexo::{EventToNotify, Kind, Vocabulary};
///
/// let body = br#"{"SaleToPOIRequest":{"EventNotification":{"EventToNotify":"Shutdown"},"MessageHeader":{}}}"#;
/// let fields = classify(body, &Limits::default()).fields;
/// assert_eq!(fields.kind, Kind::Event);
/// assert_eq!(EventToNotify::from_id(fields.words.event), Some(EventToNotify::Shutdown));
/// assert_eq!(classify(b" ok\n", &Limits::default()).fields.kind, Kind::Acknowledgement);
/// ```
#[inline]
pub fn classify(body: &[u8], limits: &Limits) -> Classified {
    classify_with(Kernel::fastest(), body, limits)
}

/// The same by one kernel; every kernel gives the same.
pub fn classify_with(kernel: Kernel, body: &[u8], limits: &Limits) -> Classified {
    match parse_with(kernel, body, limits) {
        Ok(draft) => Classified { fields: finish(draft, body), error: None },
        Err(error) => Classified { fields: not_json(body), error: Some(error) },
    }
}

/// What a body that is not valid is, also one that is too long: its sender can still be told what it was.
#[cold]
fn not_json(body: &[u8]) -> Fields {
    let blank = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = body.iter().position(blank).unwrap_or(body.len());
    let end = body.iter().rposition(blank).map_or(start, |last| last + 1);
    if matches!(&body[start..end], b"" | b"ok" | b"[accepted]") {
        return Fields::of_kind(Kind::Acknowledgement);
    }
    webhook::form_post(body).unwrap_or(Fields::of_kind(Kind::Malformed))
}

/// Whether a malformed body is SOAP, which the vendor can be configured to send: told apart so that people see why.
pub fn is_soap(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<") && memchr::memmem::find(body, b"Envelope").is_some()
}

/// The kind, the words and the remaining flags of a valid body.
#[inline]
pub(crate) fn finish(draft: Draft, body: &[u8]) -> Fields {
    let Draft { mut fields, has_header, body_name, is_notification } = draft;
    if fields.envelope == Envelope::Other {
        return fields;
    }
    fields.kind = kind(&fields, body_name, is_notification);
    if !has_header {
        fields.flags.insert(Flags::HEADER_MISSING);
    }
    fields.words.class = word::<MessageClass>(&mut fields, Field::MessageClass, body);
    fields.words.category = word::<MessageCategory>(&mut fields, Field::MessageCategory, body);
    fields.words.message_type = word::<MessageType>(&mut fields, Field::MessageType, body);
    fields.words.event = word::<EventToNotify>(&mut fields, Field::EventToNotify, body);
    fields.words.result = word::<ResultWord>(&mut fields, Field::Result, body);
    fields.words.error_condition = word::<ErrorCondition>(&mut fields, Field::ErrorCondition, body);
    if let Some(reference) = fields.get(Field::ReferenceId) {
        let event = display_event(Text::at(body, reference));
        fields.words.display_event = known(&mut fields, event);
    }
    if let Some(body_name) = body_name {
        mismatches(&mut fields, body_name);
    }
    fields
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
    V::from_word(Text::at(body, span).decode_into(&mut [0; WORD_LENGTH_MAX]))
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
