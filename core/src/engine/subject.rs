//! From a message to what rules ask about it, and to the lane it belongs to.

use crate::nexo::{EventCode, Field, Kind, ResultWord, View, Vocabulary, WebhookField, boolean};
use crate::queue;
use crate::route::{Subject, Table, Targets, Word};
use crate::span::Encoding;
use crate::text::Text;

/// Bytes of an escaped text that is decoded on the stack; longer than what any terminal sends.
const TEXT_LENGTH_MAX: usize = 256;

/// Calls `each` with what rules ask about the message. Copies nothing, unless a field is escaped.
#[inline]
pub(super) fn with_subject<R>(view: View<'_>, endpoint: u16, each: impl FnOnce(&Subject<'_>) -> R) -> R {
    let fields = view.fields();
    let unknown_display_event = fields.words.display_event == 0 && fields.get(Field::ReferenceId).is_some();
    if fields.kind == Kind::StandardWebhook || unknown_display_event {
        return with_decoded(view, endpoint, each);
    }
    let mut is_plain = true;
    let subject = subject(view, endpoint, |text| {
        is_plain &= text.encoding() == Encoding::Plain;
        text.raw()
    });
    if is_plain { each(&subject) } else { with_decoded(view, endpoint, each) }
}

/// The queues of a message, by the rules of a table.
#[inline]
pub(super) fn route<'t>(view: View<'_>, endpoint: u16, table: &'t Table) -> Targets<'t> {
    match table.route_kind(view.fields().kind) {
        Some(targets) => targets,
        None => with_subject(view, endpoint, |subject| table.route(subject)),
    }
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
    let mut scratch = [const { Scratch::new() }; TEXTS_MAX];
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
    let display_event = view.display_event().map(|event| event.into_text());
    // OK because no more than so many texts are asked for.
    let mut subject = subject(view, endpoint, |text| scratch.next().map_or(&[][..], |scratch| scratch.decode(text)));
    if let (None, Some(event)) = (subject.display_event, &display_event) {
        subject.display_event = Some(Word { id: 0, text: event.as_bytes() });
    }
    each(&subject)
}

/// How many texts [`subject`] reads at most.
const TEXTS_MAX: usize = 8;

/// What rules ask about, each text as `read` gives it. Of a known word nobody reads the text.
#[inline(always)]
fn subject<'a>(view: View<'a>, endpoint: u16, mut read: impl FnMut(Text<'a>) -> &'a [u8]) -> Subject<'a> {
    let (fields, words) = (view.fields(), view.fields().words);
    let mut text = |field| view.text(field).map(&mut read);
    let mut word = |id, field| match id {
        0 => text(field).map(|text| Word { id, text }),
        _ => Some(Word { id, text: b"" }),
    };
    let result = word(words.result, Field::Result);
    Subject {
        endpoint,
        envelope: fields.envelope,
        class: word(words.class, Field::MessageClass),
        category: word(words.category, Field::MessageCategory),
        message_type: word(words.message_type, Field::MessageType),
        event: word(words.event, Field::EventToNotify),
        display_event: (words.display_event != 0).then_some(Word { id: words.display_event, text: b"" }),
        result,
        error_condition: word(words.error_condition, Field::ErrorCondition),
        success: result.filter(|_| fields.kind == Kind::Response).map(|_| words.result == ResultWord::Success.id()),
        poiid: text(Field::PoiId),
        sale_id: text(Field::SaleId),
        ..Subject::new(fields.kind)
    }
}

/// The hash of the key whose messages stay in order: the terminal, else what holds a webhook's story together, else the
/// body. Source: `delivery.md`, 1.11.
#[inline]
pub(super) fn order_hash(view: View<'_>) -> u64 {
    let webhook = |field| view.webhook_text(field).filter(|text| !text.raw().is_empty());
    let key = view
        .poi_id()
        .or_else(|| webhook(WebhookField::TerminalId))
        .or_else(|| webhook(WebhookField::OriginalReference))
        .or_else(|| webhook(WebhookField::PspReference));
    with_bytes(key, |key| queue::order_hash(key.unwrap_or(view.body())))
}

/// Calls `each` with the bytes of a text, escapes resolved.
#[inline]
pub(super) fn with_bytes<R>(text: Option<Text<'_>>, each: impl FnOnce(Option<&[u8]>) -> R) -> R {
    match text {
        Some(text) if text.encoding() != Encoding::Plain => each(Some(Scratch::new().decode(text))),
        text => each(text.map(Text::raw)),
    }
}
