//! From a message to what rules ask about it, and to the lane it belongs to.

use crate::nexo::{DisplayEvent, EventCode, Field, Kind, ResultWord, View, Vocabulary, WebhookField, boolean};
use crate::route::{Subject, Word};
use crate::span::Encoding;
use crate::text::Text;

/// Bytes of an escaped text that is decoded on the stack; longer than what any terminal sends.
const TEXT_LENGTH_MAX: usize = 256;

/// What rules ask about, where it is.
const FIELDS: [Field; 8] = [
    Field::MessageClass,
    Field::MessageCategory,
    Field::MessageType,
    Field::EventToNotify,
    Field::Result,
    Field::ErrorCondition,
    Field::PoiId,
    Field::SaleId,
];

/// Calls `each` with what rules ask about the message. Copies nothing, unless a field is escaped.
#[inline]
pub(super) fn with_subject<R>(view: View<'_>, endpoint: u16, each: impl FnOnce(&Subject<'_>) -> R) -> R {
    let fields = view.fields();
    let plain = |field: &Field| fields.get(*field).is_none_or(|span| span.encoding() == Encoding::Plain);
    let unknown_display_event = fields.get(Field::ReferenceId).is_some() && fields.words.display_event == 0;
    if fields.kind == Kind::StandardWebhook || unknown_display_event || !FIELDS.iter().all(plain) {
        return with_decoded(view, endpoint, each);
    }
    each(&subject(view, endpoint, FIELDS.map(|field| view.text(field).map(Text::raw))))
}

/// Where an escaped text is decoded: an escape is the sender's choice, and costs no memory unless the text is absurd.
struct Scratch {
    short: [u8; TEXT_LENGTH_MAX],
    long: Vec<u8>,
}

impl Scratch {
    const fn new() -> Self {
        Self { short: [0; TEXT_LENGTH_MAX], long: Vec::new() }
    }

    /// All bytes of the text; those of a plain one are borrowed from the body.
    fn decode<'b>(&'b mut self, text: Text<'b>) -> &'b [u8] {
        // Decoded, no text is longer than it is written.
        if text.encoding() == Encoding::Plain || text.raw().len() <= TEXT_LENGTH_MAX {
            return text.decode_into(&mut self.short);
        }
        self.long = text.to_bytes().into_owned();
        &self.long
    }
}

/// The same for escaped fields.
#[cold]
fn with_decoded<R>(view: View<'_>, endpoint: u16, each: impl FnOnce(&Subject<'_>) -> R) -> R {
    let mut scratch = [const { Scratch::new() }; FIELDS.len()];
    if view.fields().kind == Kind::StandardWebhook {
        let [first, second, ..] = &mut scratch;
        let mut subject = Subject { endpoint, ..Subject::new(Kind::StandardWebhook) };
        let text = |field| view.webhook_text(field);
        let code = text(WebhookField::EventCode).map(|code| first.decode(code));
        subject.event_code = code.map(Word::of::<EventCode>);
        subject.merchant_account = text(WebhookField::MerchantAccountCode).map(|account| second.decode(account));
        subject.success = text(WebhookField::Success).and_then(boolean);
        subject.live = text(WebhookField::Live).and_then(boolean);
        return each(&subject);
    }
    let mut scratch = scratch.iter_mut();
    let texts = FIELDS.map(|field| {
        let scratch = scratch.next()?;
        view.text(field).map(|text| scratch.decode(text))
    });
    let display_event = view.display_event().map(|event| event.into_text());
    let mut subject = subject(view, endpoint, texts);
    if let (None, Some(event)) = (subject.display_event, &display_event) {
        subject.display_event = Some(Word { id: 0, text: event.as_bytes() });
    }
    each(&subject)
}

fn subject<'a>(view: View<'a>, endpoint: u16, texts: [Option<&'a [u8]>; FIELDS.len()]) -> Subject<'a> {
    let (fields, words) = (view.fields(), view.fields().words);
    let [class, category, message_type, event, result, error_condition, poiid, sale_id] = texts;
    let word = |id, text: Option<&'a [u8]>| text.map(|text| Word { id, text });
    let display_event = DisplayEvent::from_id(words.display_event);
    Subject {
        endpoint,
        envelope: fields.envelope,
        class: word(words.class, class),
        category: word(words.category, category),
        message_type: word(words.message_type, message_type),
        event: word(words.event, event),
        display_event: display_event.map(|event| Word { id: event.id(), text: event.word().as_bytes() }),
        result: word(words.result, result),
        error_condition: word(words.error_condition, error_condition),
        success: result.filter(|_| fields.kind == Kind::Response).map(|_| words.result == ResultWord::Success.id()),
        poiid,
        sale_id,
        ..Subject::new(fields.kind)
    }
}

/// Calls `each` with the key whose messages stay in order: the terminal, else what holds a webhook's story together,
/// else the body. Source: `delivery.md`, 1.11.
#[inline]
pub(super) fn with_order_key<R>(view: View<'_>, each: impl FnOnce(&[u8]) -> R) -> R {
    let webhook = |field| view.webhook_text(field).filter(|text| !text.raw().is_empty());
    let key = view
        .poi_id()
        .or_else(|| webhook(WebhookField::TerminalId))
        .or_else(|| webhook(WebhookField::OriginalReference))
        .or_else(|| webhook(WebhookField::PspReference));
    with_bytes(key, |key| each(key.unwrap_or(view.body())))
}

/// Calls `each` with the bytes of a text, escapes resolved.
#[inline]
pub(super) fn with_bytes<R>(text: Option<Text<'_>>, each: impl FnOnce(Option<&[u8]>) -> R) -> R {
    match text {
        Some(text) if text.encoding() != Encoding::Plain => each(Some(Scratch::new().decode(text))),
        text => each(text.map(Text::raw)),
    }
}
