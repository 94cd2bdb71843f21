//! `MessageHeader`.

use super::draft::Draft;
use super::names::{Seen, canonical};
use super::{Field, Flags};
use crate::json::{Name, Value, Walk};
use crate::span::Encoding;

/// The fields of a header and their names.
const FIELDS: [(&[u8], Field); 8] = [
    (b"MessageClass", Field::MessageClass),
    (b"MessageCategory", Field::MessageCategory),
    (b"MessageType", Field::MessageType),
    (b"ProtocolVersion", Field::ProtocolVersion),
    (b"POIID", Field::PoiId),
    (b"SaleID", Field::SaleId),
    (b"ServiceID", Field::ServiceId),
    (b"DeviceID", Field::DeviceId),
];

/// More than the names, so that each has a slot of its own.
const SLOT_COUNT: usize = 32;

/// Bytes of the longest name.
const LENGTH_MAX: usize = 15;

/// The fields where [`slot`] finds them, each with its name as a number.
static SLOTS: [(u128, Option<Field>); SLOT_COUNT] = {
    let (mut slots, mut at) = ([(0, None); SLOT_COUNT], 0);
    while at < FIELDS.len() {
        let (name, field) = FIELDS[at];
        let (mut number, mut byte) = (0, name.len());
        assert!(name.len() <= LENGTH_MAX);
        while byte > 0 {
            byte -= 1;
            number = number << 8 | name[byte] as u128;
        }
        let slot = slot(number, name.len());
        assert!(slots[slot].1.is_none(), "two names in one slot");
        slots[slot] = (number, Some(field));
        at += 1;
    }
    slots
};

/// Length and first byte tell the names apart.
const fn slot(name: u128, length: usize) -> usize {
    (length + (name as usize & 1)) % SLOT_COUNT
}

/// The field of a header that has this name, which stands in `text`.
///
/// Members come in any order, so that a branch for each name is guessed wrong about once a member. Here is none.
#[inline(always)]
pub(super) fn header_field(text: &[u8], name: Name<'_>) -> Option<Field> {
    let length = name.span.length();
    match text.get(name.span.start()..).and_then(|rest| rest.first_chunk()) {
        Some(chunk) if length <= LENGTH_MAX && name.span.encoding() == Encoding::Plain => {
            let number = u128::from_le_bytes(*chunk) & ((1 << (8 * length)) - 1);
            let (known, field) = SLOTS[slot(number, length)];
            if known == number { field } else { None }
        }
        _ => other_header_field(name),
    }
}

/// The same for a long name, one with escapes, or one at the end of a text.
#[cold]
fn other_header_field(name: Name<'_>) -> Option<Field> {
    let name = canonical(name);
    FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
}

/// Passes the header; answers whether it was an object.
#[inline]
pub(crate) fn header<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<bool, W::Error> {
    let mut seen = Seen::default();
    cursor.object(|cursor, name| {
        let Some(field) = header_field(cursor.text(), name) else { return cursor.skip() };
        let value = cursor.value()?;
        if !seen.first(field as u32, &mut draft.fields.flags) {
            return Ok(());
        }
        match value {
            Value::String(span) => draft.fields.set(field, Some(span)),
            Value::Number(span) => {
                draft.fields.set(field, Some(span));
                draft.fields.flags.insert(Flags::HEADER_NUMBER);
            }
            Value::Boolean(_) | Value::Object | Value::Array => draft.fields.flags.insert(Flags::HEADER_OTHER),
            Value::Null => {}
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Span;

    #[test]
    fn names_are_found_wherever_they_stand_and_nothing_else_is() {
        let others: [&[u8]; 6] = [b"", b"M", b"poiid", b"POIIDs", b"MessageCategoryX", b"ProtocolVersioM"];
        let known = FIELDS.map(|(name, field)| (name, Some(field)));
        for (name, field) in known.into_iter().chain(others.map(|name| (name, None))) {
            for behind in 0..20 {
                let text = [b"{", name, &vec![b'"'; behind]].concat();
                let span = Span::new(1, 1 + name.len(), Encoding::Plain).unwrap();
                assert_eq!(header_field(&text, Name { raw: span.of(&text), span }), field, "{}", name.escape_ascii());
            }
        }
    }
}
