//! Standard webhooks: the items of a JSON body, and the one item of a form.

use super::draft::{text, text_or_boolean};
use super::fields::ItemSpans;
use super::names::{Seen, canonical};
use super::{Fields, Flags, Kind, WebhookField};
use crate::form;
use crate::json::{Cursor, Walk};
use crate::span::{Encoding, Span};

/// What the walk finds at `notificationItems`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Items {
    /// The first byte of the array.
    pub(crate) span: Option<Span>,
    pub(crate) count: u32,
    /// The first item, if it has an object NotificationRequestItem.
    pub(crate) first: Option<ItemSpans>,
    pub(crate) flags: Flags,
}

/// Passes `notificationItems`; `None` if it is no array.
pub(crate) fn notification_items<'a, W: Walk<'a>>(cursor: &mut W) -> Result<Option<Items>, W::Error> {
    let start = cursor.position();
    let mut items = Items::default();
    let is_array = cursor.array(|cursor| {
        let found = item(cursor, &mut items.flags)?;
        if items.count == 0 {
            items.first = found;
        }
        items.count += 1;
        Ok(())
    })?;
    items.span = Span::new(start, start + 1, Encoding::Plain);
    Ok(is_array.then_some(items))
}

/// Calls `each` with every item in the array at `span` of `body`, which has been checked: where all of it is, and its
/// fields; `None` for an item that has no object NotificationRequestItem.
pub(crate) fn for_each_item(body: &[u8], span: Span, mut each: impl FnMut(Option<Span>, Option<&ItemSpans>)) {
    let mut cursor = Cursor::over_valid_from(body, span.start());
    let walked = cursor.array(|cursor| {
        let start = cursor.position();
        let found = item(cursor, &mut Flags::default())?;
        // The cursor is at the comma or bracket behind the item; what blanks are between are not of the item.
        let whole = body.get(start..cursor.position()).unwrap_or_default().trim_ascii_end();
        each(Span::new(start, start + whole.len(), Encoding::Plain), found.as_ref());
        Ok(())
    });
    debug_assert!(walked.is_ok());
}

fn item<'a, W: Walk<'a>>(cursor: &mut W, flags: &mut Flags) -> Result<Option<ItemSpans>, W::Error> {
    let (mut seen, mut found) = (Seen::default(), None);
    cursor.object(|cursor, name| match canonical(name) {
        b"NotificationRequestItem" if seen.first(0, flags) => {
            found = notification_request_item(cursor, flags)?;
            Ok(())
        }
        _ => cursor.skip(),
    })?;
    Ok(found)
}

fn notification_request_item<'a, W: Walk<'a>>(
    cursor: &mut W,
    flags: &mut Flags,
) -> Result<Option<ItemSpans>, W::Error> {
    let (mut seen, mut spans) = (Seen::default(), ItemSpans::default());
    let is_object = cursor.object(|cursor, name| {
        let field = match canonical(name) {
            b"eventCode" => WebhookField::EventCode,
            b"success" => WebhookField::Success,
            b"pspReference" => WebhookField::PspReference,
            b"originalReference" => WebhookField::OriginalReference,
            b"merchantAccountCode" => WebhookField::MerchantAccountCode,
            b"merchantReference" => WebhookField::MerchantReference,
            b"eventDate" => WebhookField::EventDate,
            b"reason" => WebhookField::Reason,
            b"amount" if seen.first(30, flags) => {
                let wanted = [(&b"value"[..], WebhookField::Value), (b"currency", WebhookField::Currency)];
                return texts(cursor, &wanted, &mut spans, flags);
            }
            b"additionalData" if seen.first(31, flags) => {
                let wanted = [
                    (&b"hmacSignature"[..], WebhookField::HmacSignature),
                    (b"tenderReference", WebhookField::TenderReference),
                    (b"terminalId", WebhookField::TerminalId),
                ];
                return texts(cursor, &wanted, &mut spans, flags);
            }
            _ => return cursor.skip(),
        };
        let text = if field == WebhookField::Success { text_or_boolean(cursor)? } else { text(cursor)? };
        if seen.first(field as u32, flags) {
            spans[field as usize] = text;
        }
        Ok(())
    })?;
    Ok(is_object.then_some(spans))
}

/// Passes an object and notes the texts of some of its members.
fn texts<'a, W: Walk<'a>>(
    cursor: &mut W,
    wanted: &[(&[u8], WebhookField)],
    spans: &mut ItemSpans,
    flags: &mut Flags,
) -> Result<(), W::Error> {
    let mut seen = Seen::default();
    cursor
        .object(|cursor, name| {
            let name = canonical(name);
            match wanted.iter().find(|(wanted, _)| *wanted == name) {
                Some((_, field)) if seen.first(*field as u32, flags) => spans[*field as usize] = text(cursor)?,
                _ => cursor.skip()?,
            }
            Ok(())
        })
        .map(drop)
}

/// The members of a form that carries a webhook, by the names that a form gives them.
const FORM: [(&[u8], WebhookField); 14] = [
    (b"eventCode", WebhookField::EventCode),
    (b"success", WebhookField::Success),
    (b"pspReference", WebhookField::PspReference),
    (b"originalReference", WebhookField::OriginalReference),
    (b"merchantAccountCode", WebhookField::MerchantAccountCode),
    (b"merchantReference", WebhookField::MerchantReference),
    (b"eventDate", WebhookField::EventDate),
    (b"reason", WebhookField::Reason),
    (b"value", WebhookField::Value),
    (b"currency", WebhookField::Currency),
    (b"additionalData.hmacSignature", WebhookField::HmacSignature),
    (b"additionalData.tenderReference", WebhookField::TenderReference),
    (b"additionalData.terminalId", WebhookField::TerminalId),
    (b"live", WebhookField::Live),
];

/// The webhook that a form carries: its first byte is a letter, and its pairs hold eventCode and pspReference.
///
/// Of repeated keys the first counts; a form has no members, so that none is flagged as one.
pub(crate) fn form_post(body: &[u8]) -> Option<Fields> {
    if !body.first()?.is_ascii_alphabetic() {
        return None;
    }
    let mut fields = Fields::of_kind(Kind::StandardWebhook);
    fields.items = 1;
    let mut seen = Seen::default();
    for pair in form::pairs(body) {
        if let Some((_, field)) = FORM.iter().find(|(key, _)| pair.has_key(key))
            && !seen.again(*field as u32)
        {
            let value = pair.value_range();
            fields.set_webhook(*field, Span::new(value.start, value.end, Encoding::Form));
        }
    }
    let is_there = |field| fields.get_webhook(field).is_some();
    (is_there(WebhookField::EventCode) && is_there(WebhookField::PspReference)).then_some(fields)
}
