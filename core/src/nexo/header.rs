//! `MessageHeader`.

use super::draft::Draft;
use super::names::{Seen, canonical};
use super::{Field, Flags};
use crate::error::Error;
use crate::json::{Cursor, Value};

/// The field of a header that has this name.
#[inline]
pub(super) fn header_field(name: &[u8]) -> Option<Field> {
    Some(match name {
        b"MessageClass" => Field::MessageClass,
        b"MessageCategory" => Field::MessageCategory,
        b"MessageType" => Field::MessageType,
        b"ProtocolVersion" => Field::ProtocolVersion,
        b"POIID" => Field::PoiId,
        b"SaleID" => Field::SaleId,
        b"ServiceID" => Field::ServiceId,
        b"DeviceID" => Field::DeviceId,
        _ => return None,
    })
}

/// Passes the header; answers whether it was an object.
#[inline]
pub(crate) fn header(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<bool, Error> {
    let mut seen = Seen::default();
    cursor.object(|cursor, name| {
        let Some(field) = header_field(canonical(name)) else { return cursor.skip().map(drop) };
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
