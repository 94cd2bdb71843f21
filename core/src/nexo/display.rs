//! `DisplayRequest.DisplayOutput`: what is shown, and whether it is a notification.

use super::draft::{Draft, string};
use super::names::{Seen, canonical};
use super::{Device, DisplayEvent, Field, Vocabulary};
use crate::form;
use crate::json::Walk;
use crate::span::Encoding;
use crate::text::Text;

/// Passes DisplayOutput: an array of outputs, or one output.
pub(crate) fn display_output<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    if cursor.peek() == b'{' {
        return output(cursor, draft);
    }
    cursor.array(|cursor| output(cursor, draft)).map(drop)
}

fn output<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    let mut seen = Seen::default();
    cursor
        .object(|cursor, name| match canonical(name) {
            b"Device" if seen.first(0, draft.flags()) => {
                let device = string(cursor)?.map(|span| Text::at(cursor.text(), span));
                draft.is_notification |=
                    device.is_some_and(|device| device.equals(Device::CashierDisplay.word().as_bytes()));
                Ok(())
            }
            b"OutputContent" if seen.first(1, draft.flags()) => output_content(cursor, draft),
            _ => cursor.skip(),
        })
        .map(drop)
}

fn output_content<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    let (mut contents, mut references) = (Seen::default(), Seen::default());
    cursor
        .object(|cursor, name| match canonical(name) {
            b"PredefinedContent" if contents.first(0, draft.flags()) => cursor
                .object(|cursor, name| match canonical(name) {
                    b"ReferenceID" if references.first(0, draft.flags()) => reference_id(cursor, draft),
                    _ => cursor.skip(),
                })
                .map(drop),
            _ => cursor.skip(),
        })
        .map(drop)
}

/// Of several outputs the first reference that holds pairs counts, else the first.
fn reference_id<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    let Some(span) = string(cursor)? else { return Ok(()) };
    let holds_pairs = is_pairs(Text::at(cursor.text(), span));
    // That the one before holds pairs is remembered, as reading it again for every output would cost the square.
    if draft.fields.get(Field::ReferenceId).is_none() || holds_pairs && !draft.reference_holds_pairs {
        draft.fields.set(Field::ReferenceId, Some(span));
    }
    draft.reference_holds_pairs |= holds_pairs;
    draft.is_notification |= holds_pairs;
    Ok(())
}

/// Whether a ReferenceID is pairs: only then it belongs to a notification.
pub(crate) fn is_pairs(reference_id: Text<'_>) -> bool {
    match reference_id.encoding() {
        Encoding::Plain => memchr::memchr(b'=', reference_id.raw()).is_some(),
        _ => reference_id.bytes().any(|byte| byte == b'='),
    }
}

/// The first `event` of a ReferenceID: the outer `None` if it has none, the inner one if the word is unknown.
pub(crate) fn display_event(reference_id: Text<'_>) -> Option<Option<DisplayEvent>> {
    if is_pairs(reference_id) { display_event_of_pairs(reference_id) } else { None }
}

/// The same of a ReferenceID that is pairs.
pub(crate) fn display_event_of_pairs(reference_id: Text<'_>) -> Option<Option<DisplayEvent>> {
    /// Longer than any word of the vocabulary.
    const WORD_LENGTH_MAX: usize = 32;
    const KEY: &[u8] = b"event";
    let mut scratch = [0; WORD_LENGTH_MAX];
    let mut length = 0;
    let mut collect = |bytes: &mut dyn Iterator<Item = u8>| {
        for (place, byte) in scratch.iter_mut().zip(bytes) {
            *place = byte;
            length += 1;
        }
    };
    match reference_id.encoding() {
        Encoding::Plain => {
            let value = form::find(reference_id.raw(), KEY)?.raw_value();
            // What has a value has an equals sign.
            if value.is_empty() && !is_pairs(reference_id) {
                return None;
            }
            if let Some(event) = DisplayEvent::from_word(value) {
                return Some(Some(event));
            }
            collect(&mut form::Decoded::new(value.iter().copied()));
        }
        _ if !is_pairs(reference_id) => return None,
        _ => collect(&mut form::find_in(reference_id.bytes(), KEY)?),
    }
    Some(DisplayEvent::from_word(&scratch[..length]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Span;

    #[test]
    fn the_event_of_a_reference() {
        for (reference, expected) in [
            ("event=PIN_ENTERED", Some(Some(DisplayEvent::PinEntered))),
            ("TransactionID=x&event=PIN%5fENTERED&event=TENDER_FINAL", Some(Some(DisplayEvent::PinEntered))),
            ("event=NEW_WORD", Some(None)),
            ("event=", Some(None)),
            ("event=PIN_ENTEREDPIN_ENTEREDPIN_ENTEREDPIN_ENTERED", Some(None)),
            ("a=1&event", Some(None)),
            ("event", None),
            ("events=PIN_ENTERED", None),
        ] {
            assert_eq!(display_event(Text::plain(reference.as_bytes())), expected, "{reference}");
            let escaped: String = reference.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
            let body = format!("\"{escaped}\"");
            let span = Span::new(1, body.len() - 1, Encoding::Json).unwrap();
            assert_eq!(display_event(Text::at(body.as_bytes(), span)), expected, "{escaped}");
        }
    }
}
