//! The body of a message: which of its members lead to a field.

use super::Field;
use super::display::display_output;
use super::draft::{Draft, text, text_or_boolean};
use super::names::{BodyName, Seen, canonical};
use super::response::{Answer, repeated_message_response};
use super::transaction::{Amount, poi_data, sale_data};
use crate::json::Walk;

/// Passes the value of the body member, and notes its fields if it is an object.
pub(crate) fn body<'a, W: Walk<'a>>(
    cursor: &mut W,
    draft: &mut Draft,
    body_name: Option<BodyName>,
) -> Result<(), W::Error> {
    draft.body_name = body_name;
    let [is_event, is_display, is_status] =
        [BodyName::EVENT, BodyName::DISPLAY, BodyName::STATUS].map(|name| body_name == Some(name));
    let (mut seen, mut answer, mut amount) = (Seen::default(), Answer::default(), Amount::default());
    cursor.object(|cursor, name| {
        let name = canonical(name);
        if is_event && let Some(field) = event_field(name) {
            return event_text(cursor, draft, &mut seen, field);
        }
        // The answer's places have the bits 0 to 2, the event's fields those from 10 on.
        if answer.member(cursor, name, &mut seen, draft.flags())? {
            return Ok(());
        }
        match name {
            b"POIData" if seen.first(3, draft.flags()) => poi_data(cursor, draft),
            b"SaleData" if seen.first(4, draft.flags()) => sale_data(cursor, draft),
            b"PaymentResult" if seen.first(5, draft.flags()) => amount.payment_result(cursor, draft),
            b"PaymentTransaction" if seen.first(6, draft.flags()) => amount.payment_transaction(cursor, draft),
            b"ReversedAmount" if seen.first(7, draft.flags()) => amount.reversed_amount(cursor),
            b"DisplayOutput" if is_display && seen.first(8, draft.flags()) => display_output(cursor, draft),
            b"RepeatedMessageResponse" if is_status && seen.first(9, draft.flags()) => {
                repeated_message_response(cursor, draft)
            }
            _ => cursor.skip(),
        }
    })?;
    for (field, span) in [
        (Field::Result, answer.result),
        (Field::ErrorCondition, answer.error_condition),
        (Field::AdditionalResponse, answer.additional_response),
        (Field::Input, answer.input),
        (Field::Amount, amount.amount),
        (Field::Currency, amount.currency),
    ] {
        draft.fields.set(field, span);
    }
    Ok(())
}

fn event_field(name: &[u8]) -> Option<Field> {
    Some(match name {
        b"TimeStamp" => Field::EventTimeStamp,
        b"EventToNotify" => Field::EventToNotify,
        b"EventDetails" => Field::EventDetails,
        b"RejectedMessage" => Field::RejectedMessage,
        b"MaintenanceRequiredFlag" => Field::MaintenanceRequiredFlag,
        _ => return None,
    })
}

fn event_text<'a, W: Walk<'a>>(
    cursor: &mut W,
    draft: &mut Draft,
    seen: &mut Seen,
    field: Field,
) -> Result<(), W::Error> {
    let text = if field == Field::MaintenanceRequiredFlag { text_or_boolean(cursor)? } else { text(cursor)? };
    if seen.first(field as u32, draft.flags()) {
        draft.fields.set(field, text);
    }
    Ok(())
}

// The fields of an event are remembered by their slots, which must not be the bits of other members.
const _: () = assert!(Field::EventToNotify as u32 == 10 && Field::MaintenanceRequiredFlag as u32 == 14);
