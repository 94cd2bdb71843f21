//! What is odd about a message: the flags of reference, section 13.

use super::classify::{HEADER, ITEM, body_member, body_says, envelope, repeated_answer};
use super::json::Value;
use nexowire_core::nexo::{
    DisplayEvent, ErrorCondition, EventToNotify, Kind, MessageCategory, MessageClass, MessageType, ResultWord,
    Vocabulary,
};
use serde_json::{Map, Value as Json};

/// The names that are looked for in an object, each with what is looked for in its value. An object in the place of
/// an array counts as its only element where the reference accepts that, and so does one element after the other.
struct Names {
    in_elements: bool,
    names: &'static [(&'static str, Names)],
}

const fn names(names: &'static [(&'static str, Names)]) -> Names {
    Names { in_elements: false, names }
}

const fn each(names: &'static [(&'static str, Names)]) -> Names {
    Names { in_elements: true, names }
}

const FIELD: Names = names(&[]);

const RESPONSE: Names = names(&[("Result", FIELD), ("ErrorCondition", FIELD), ("AdditionalResponse", FIELD)]);

/// Where an own Response may be.
const ANSWER: Names = names(&[
    ("Response", RESPONSE),
    ("InputResult", names(&[("Response", RESPONSE), ("Input", INPUT)])),
    ("OutputResult", each(&[("Response", RESPONSE)])),
]);

/// The customer's answer, a field of design, section 4, that no line shows.
const INPUT: Names = names(&[
    ("ConfirmedFlag", FIELD),
    ("DigitInput", FIELD),
    ("FunctionKey", FIELD),
    ("MenuEntryNumber", FIELD),
    ("Password", FIELD),
    ("TextInput", FIELD),
]);

/// What is looked for in any body, beside an own Response.
const BODY: Names = names(&[
    ("POIData", names(&[("POITransactionID", names(&[("TransactionID", FIELD), ("TimeStamp", FIELD)]))])),
    ("SaleData", names(&[("SaleTransactionID", names(&[("TransactionID", FIELD)]))])),
    ("PaymentResult", names(&[("AmountsResp", names(&[("AuthorizedAmount", FIELD), ("Currency", FIELD)]))])),
    ("ReversedAmount", FIELD),
    ("PaymentTransaction", names(&[("AmountsReq", names(&[("RequestedAmount", FIELD), ("Currency", FIELD)]))])),
]);

const EVENT: Names = names(&[
    ("TimeStamp", FIELD),
    ("EventToNotify", FIELD),
    ("EventDetails", FIELD),
    ("RejectedMessage", FIELD),
    ("MaintenanceRequiredFlag", FIELD),
]);

const DISPLAY: Names = names(&[(
    "DisplayOutput",
    each(&[("Device", FIELD), ("OutputContent", names(&[("PredefinedContent", names(&[("ReferenceID", FIELD)]))]))]),
)]);

const ENVELOPE: [&str; 3] = ["MessageHeader", "NexoBlob", "SecurityTrailer"];

/// All flags, sorted. Kinds that are quarantined for what they are have none; so the corpus has it.
pub fn flags(root: &Value, kind: Kind, line: &Map<String, Json>) -> Vec<&'static str> {
    let mut flags = Vec::new();
    let mut flag = |condition: bool, word| {
        if condition {
            flags.push(word);
        }
    };
    if let Some((_, envelope)) = envelope(root) {
        let text = |name: &str| line[name].as_str();
        let is_object = |name| root.first(name).is_some_and(Value::is_object);
        flag(is_object("SaleToPOIRequest") && is_object("SaleToPOIResponse"), "both_envelopes");
        let says = body_member(envelope).and_then(|(name, _)| body_says(name));
        let category = text("message_category").zip(says.map(|(category, _)| category));
        flag(category.is_some_and(|(header, body)| header != body), "category_mismatch");
        let header = envelope.first("MessageHeader").filter(|header| header.is_object());
        let fields: Vec<&Value> = HEADER.iter().filter_map(|(_, name)| header?.first(name)).collect();
        flag(header.is_none(), "header_missing");
        flag(fields.iter().any(|value| matches!(value, Value::Number(_))), "header_number");
        let is_other = |value: &&Value| matches!(value, Value::Object(_) | Value::Array(_) | Value::Bool(_));
        flag(fields.iter().any(is_other), "header_other");
        flag(repeats_in_message(root, envelope), "repeated_member");
        let mut bodies: Vec<&str> = names_of(envelope).filter(|name| body_says(name).is_some()).collect();
        bodies.sort_unstable();
        bodies.dedup();
        flag(bodies.len() > 1, "two_bodies");
        let kind = text("message_type").zip(says.and_then(|(_, kind)| kind));
        flag(kind.is_some_and(|(header, body)| header != body), "type_mismatch");
        flag(unknown_word(&text), "unknown_word");
    } else {
        flag(repeats_without_envelope(root, kind), "repeated_member");
    }
    flags.sort_unstable();
    flags
}

fn unknown_word<'a>(text: &impl Fn(&str) -> Option<&'a str>) -> bool {
    fn unknown<V: Vocabulary>(text: Option<&str>) -> bool {
        text.is_some_and(|text| V::from_word(text.as_bytes()).is_none())
    }
    unknown::<MessageClass>(text("message_class"))
        || unknown::<MessageCategory>(text("message_category"))
        || unknown::<MessageType>(text("message_type"))
        || unknown::<EventToNotify>(text("event_to_notify"))
        || unknown::<DisplayEvent>(text("display_event"))
        || unknown::<ResultWord>(text("result"))
        || unknown::<ErrorCondition>(text("error_condition"))
}

fn repeats_in_message(root: &Value, envelope: &Value) -> bool {
    let (body_name, body) = body_member(envelope).unwrap_or(("", &Value::Null));
    any_twice(root, &["SaleToPOIRequest", "SaleToPOIResponse"])
        || any_twice(envelope, &ENVELOPE)
        || body_twice(envelope, Some(body_name))
        || header_twice(envelope)
        || repeats(body, &ANSWER)
        || repeats(body, &BODY)
        || body_name == "EventNotification" && repeats(body, &EVENT)
        || body_name == "DisplayRequest" && repeats(body, &DISPLAY)
        || body_name == "TransactionStatusResponse" && repeats_in_status(body)
}

/// A TransactionStatusResponse's way to the inner answer.
fn repeats_in_status(body: &Value) -> bool {
    let repeated = body.first("RepeatedMessageResponse").unwrap_or(&Value::Null);
    let inner = repeated.first("RepeatedResponseMessageBody").unwrap_or(&Value::Null);
    let chosen = repeated_answer(inner).map(|(name, _)| name);
    // Every member is asked for an own Response until one has it; those behind it are skipped.
    let members = inner.firsts();
    let asked = members.iter().position(|(name, _)| Some(*name) == chosen).map_or(members.len(), |at| at + 1);
    any_twice(body, &["RepeatedMessageResponse"])
        || any_twice(repeated, &["MessageHeader", "RepeatedResponseMessageBody"])
        || header_twice(repeated)
        || body_twice(inner, chosen)
        || members[..asked].iter().any(|(_, value)| repeats(value, &ANSWER))
}

/// What was asked, in the order of the rules, until the kind was known.
fn repeats_without_envelope(root: &Value, kind: Kind) -> bool {
    let asked: &[&str] = &["SaleToPOIRequest", "SaleToPOIResponse", "notificationItems"];
    match kind {
        Kind::StandardWebhook => {
            let items = match root.first("notificationItems") {
                Some(Value::Array(items)) => items.as_slice(),
                _ => &[],
            };
            any_twice(root, asked) || any_twice(root, &["live"]) || items.iter().any(repeats_in_item)
        }
        Kind::ManagementWebhook => {
            any_twice(root, asked) || any_twice(root, &["errors", "errorCode", "message", "type", "data"])
        }
        _ => false,
    }
}

fn repeats_in_item(element: &Value) -> bool {
    let item = element.first("NotificationRequestItem").unwrap_or(&Value::Null);
    any_twice(element, &["NotificationRequestItem"])
        || ITEM.iter().any(|(_, path, _)| match path {
            [name] => any_twice(item, &[name]),
            [name, inner] => {
                any_twice(item, &[name]) || item.first(name).is_some_and(|value| any_twice(value, &[inner]))
            }
            _ => unreachable!("no item field is deeper"),
        })
}

fn header_twice(envelope: &Value) -> bool {
    envelope.first("MessageHeader").is_some_and(|header| any_twice(header, &HEADER.map(|(_, name)| name)))
}

/// A body name twice, or the name of the member that was taken for the body.
fn body_twice(envelope: &Value, taken: Option<&str>) -> bool {
    let looked_for = names_of(envelope).filter(|name| Some(*name) == taken || body_says(name).is_some());
    let mut names: Vec<&str> = looked_for.collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

fn repeats(value: &Value, looked_for: &Names) -> bool {
    match value {
        Value::Array(items) if looked_for.in_elements => items.iter().any(|item| repeats_here(item, looked_for)),
        _ => repeats_here(value, looked_for),
    }
}

fn repeats_here(value: &Value, looked_for: &Names) -> bool {
    looked_for
        .names
        .iter()
        .any(|(name, inner)| any_twice(value, &[name]) || value.first(name).is_some_and(|value| repeats(value, inner)))
}

fn any_twice(value: &Value, names: &[&str]) -> bool {
    names.iter().any(|name| names_of(value).filter(|found| found == name).count() > 1)
}

fn names_of(value: &Value) -> impl Iterator<Item = &str> {
    value.members().iter().map(|(name, _)| name.as_str())
}
