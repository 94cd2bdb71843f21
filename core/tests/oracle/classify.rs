//! The line of `expected.jsonl` for a body, rule by rule in the words of reference, section 13.

use super::json::{self, LIMITS, Limits, Value};
use super::text::{additional, pair_list, text, word_or_boolean};
use super::{flags, pairs};
use nexowire_core::nexo::{Kind, MessageCategory, Vocabulary};
use serde_json::{Map, Value as Json, json};

/// Every member of a line. All start as null.
const MEMBERS: &str = "
    valid_json kind envelope body_member message_class message_category message_type protocol_version poiid
    sale_id service_id device_id event_to_notify event_details_raw event_details display_event
    reference_id_raw result error_condition additional_response_raw additional_response_format
    additional_response poi_transaction_id tender_reference psp_reference sale_transaction_id time_stamp
    amount currency repeated_category repeated_result repeated_error_condition
    repeated_additional_response_raw encrypted rejected_message_len live items flags bytes
";

/// The eight header fields: the member of the line, the name on the wire.
pub const HEADER: [(&str, &str); 8] = [
    ("message_class", "MessageClass"),
    ("message_category", "MessageCategory"),
    ("message_type", "MessageType"),
    ("protocol_version", "ProtocolVersion"),
    ("poiid", "POIID"),
    ("sale_id", "SaleID"),
    ("service_id", "ServiceID"),
    ("device_id", "DeviceID"),
];

/// A webhook item: the member of the line, where it is in a NotificationRequestItem, its name in a form post.
pub const ITEM: [(&str, &[&str], &str); 13] = [
    ("eventCode", &["eventCode"], "eventCode"),
    ("success", &["success"], "success"),
    ("pspReference", &["pspReference"], "pspReference"),
    ("originalReference", &["originalReference"], "originalReference"),
    ("merchantAccountCode", &["merchantAccountCode"], "merchantAccountCode"),
    ("merchantReference", &["merchantReference"], "merchantReference"),
    ("value", &["amount", "value"], "value"),
    ("currency", &["amount", "currency"], "currency"),
    ("eventDate", &["eventDate"], "eventDate"),
    ("reason", &["reason"], "reason"),
    ("hmacSignature", &["additionalData", "hmacSignature"], "additionalData.hmacSignature"),
    ("tenderReference", &["additionalData", "tenderReference"], "additionalData.tenderReference"),
    ("terminalId", &["additionalData", "terminalId"], "additionalData.terminalId"),
];

/// The line of a body, within the limits of the design.
pub fn line(body: &[u8]) -> Json {
    line_within(body, &LIMITS)
}

/// The line of a body, within any limits.
pub fn line_within(body: &[u8], limits: &Limits) -> Json {
    let mut line: Map<String, Json> = MEMBERS.split_whitespace().map(|name| (name.to_owned(), Json::Null)).collect();
    let parsed = json::parse(body, limits);
    set(&mut line, "valid_json", parsed.is_ok());
    set(&mut line, "envelope", "other");
    set(&mut line, "encrypted", false);
    set(&mut line, "bytes", body.len());
    let kind = match &parsed {
        Err(_) => not_valid(&mut line, body),
        Ok(root) => match envelope(root) {
            Some((name, envelope)) => message(&mut line, name, envelope, limits),
            None => no_envelope(&mut line, root),
        },
    };
    set(&mut line, "kind", kind.word());
    let flags = parsed.map_or_else(|_| Vec::new(), |root| flags::flags(&root, kind, &line));
    set(&mut line, "flags", flags);
    Json::Object(line)
}

fn set(line: &mut Map<String, Json>, name: &str, value: impl Into<Json>) {
    let before = line.insert(name.to_owned(), value.into());
    assert!(before.is_some(), "no line has a member {name}");
}

/// The first root member named SaleToPOIRequest or SaleToPOIResponse whose value is an object.
pub fn envelope(root: &Value) -> Option<(&str, &Value)> {
    let named = |name: &str| ["SaleToPOIRequest", "SaleToPOIResponse"].contains(&name);
    root.firsts().into_iter().find(|(name, value)| named(name) && value.is_object())
}

fn not_valid(line: &mut Map<String, Json>, body: &[u8]) -> Kind {
    let blank = |byte: &u8| b" \t\r\n".contains(byte);
    let start = body.iter().position(|byte| !blank(byte)).unwrap_or(body.len());
    let end = body.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    if [&b""[..], b"ok", b"[accepted]"].contains(&&body[start..end]) {
        return Kind::Acknowledgement;
    }
    let form = pairs::pairs(body);
    let has = |name: &str| pairs::first(&form, name).is_some();
    // OK because an empty body is an acknowledgement.
    if !(body[0].is_ascii_alphabetic() && has("eventCode") && has("pspReference")) {
        return Kind::Malformed;
    }
    let item = ITEM.iter().map(|(name, _, key)| ((*name).to_owned(), json!(pairs::first(&form, key))));
    set(line, "items", vec![Json::Object(item.collect())]);
    set(line, "live", pairs::first(&form, "live"));
    Kind::StandardWebhook
}

fn no_envelope(line: &mut Map<String, Json>, root: &Value) -> Kind {
    if root.string() == Some("ok") {
        return Kind::Acknowledgement;
    }
    if matches!(root, Value::Array(items) if !items.is_empty() && items.iter().all(|item| item.string().is_some())) {
        return Kind::ErrorBody;
    }
    if let Some(Value::Array(items)) = root.first("notificationItems") {
        set(line, "items", items.iter().map(item).collect::<Vec<_>>());
        set(line, "live", word_or_boolean(root.first("live")));
        return Kind::StandardWebhook;
    }
    let string = |name| root.first(name).is_some_and(|value| value.string().is_some());
    if matches!(root.first("errors"), Some(Value::Array(_))) || string("errorCode") && root.first("message").is_some() {
        return Kind::ErrorBody;
    }
    if string("type") && root.first("data").is_some_and(Value::is_object) {
        return Kind::ManagementWebhook;
    }
    Kind::Foreign
}

/// One element of notificationItems: null without an object NotificationRequestItem.
fn item(element: &Value) -> Json {
    let Some(item) = element.first("NotificationRequestItem").filter(|item| item.is_object()) else {
        return Json::Null;
    };
    let text =
        |name: &str, path| if name == "success" { word_or_boolean(at(item, path)) } else { text(at(item, path)) };
    ITEM.iter().map(|&(name, path, _)| (name.to_owned(), json!(text(name, path)))).collect::<Map<_, _>>().into()
}

fn message(line: &mut Map<String, Json>, name: &str, envelope: &Value, limits: &Limits) -> Kind {
    let is_request = name == "SaleToPOIRequest";
    set(line, "envelope", if is_request { "request" } else { "response" });
    for (member, name) in HEADER {
        set(line, member, text(at(envelope, &["MessageHeader", name])));
    }
    let (body_name, body) = body_member(envelope).unwrap_or(("", &Value::Null));
    set(line, "body_member", Some(body_name).filter(|_| body_member(envelope).is_some()));
    let reference = if body_name == "DisplayRequest" { reference_id(body) } else { None };
    event(line, if body_name == "EventNotification" { body } else { &Value::Null });
    display(line, reference);
    response(line, body, limits);
    if body_name == "TransactionStatusResponse" {
        repeated(line, body);
    }
    transaction(line, body_name, body, reference);
    amount(line, body);

    let is_secured = envelope.first("NexoBlob").is_some_and(|blob| blob.string().is_some());
    set(line, "encrypted", is_secured);
    match body_name {
        _ if is_secured => Kind::Secured,
        _ if !is_request => Kind::Response,
        "EventNotification" => Kind::Event,
        "DisplayRequest" if speaks_to_the_cashier(body) => Kind::Display,
        _ => Kind::Request,
    }
}

/// The first member whose name is a body name, else the first that is none of the envelope's own.
pub fn body_member(envelope: &Value) -> Option<(&str, &Value)> {
    let own = |name: &str| ["MessageHeader", "NexoBlob", "SecurityTrailer"].contains(&name);
    let members = envelope.members().iter().map(|(name, value)| (name.as_str(), value));
    let known = members.clone().find(|(name, _)| body_says(name).is_some());
    known.or_else(|| members.clone().find(|(name, _)| !own(name)))
}

/// What a body name says of category and type; `None` if it is no body name. InputUpdate fits any type.
pub fn body_says(name: &str) -> Option<(&str, Option<&'static str>)> {
    match name {
        "EventNotification" => return Some(("Event", Some("Notification"))),
        "InputUpdate" => return Some(("InputUpdate", None)),
        _ => {}
    }
    ["Request", "Response"].into_iter().find_map(|ending| {
        let category = name.strip_suffix(ending)?;
        MessageCategory::ALL.iter().any(|known| known.word() == category).then_some((category, Some(ending)))
    })
}

fn event(line: &mut Map<String, Json>, event: &Value) {
    set(line, "event_to_notify", text(event.first("EventToNotify")));
    let details = text(event.first("EventDetails"));
    // An `=` before the first `&` is an `=` in what stands before that `&`.
    let has_pairs = |text: &&String| text.split('&').next().is_some_and(|part| part.contains('='));
    set(line, "event_details", details.as_ref().filter(has_pairs).map(|text| pair_list(text)));
    set(line, "event_details_raw", details);
    set(line, "rejected_message_len", text(event.first("RejectedMessage")).map(|text| text.chars().count()));
}

fn display(line: &mut Map<String, Json>, reference: Option<&str>) {
    set(line, "reference_id_raw", reference);
    set(line, "display_event", reference.and_then(|text| reference_pair(text, "event")));
}

fn speaks_to_the_cashier(body: &Value) -> bool {
    let is_cashiers = |output: &&Value| output.first("Device").and_then(Value::string) == Some("CashierDisplay");
    outputs(body, "DisplayOutput").iter().any(is_cashiers) || reference_id(body).is_some_and(|text| text.contains('='))
}

/// Of the outputs' ReferenceIDs the first that holds `=`, else the first.
fn reference_id(body: &Value) -> Option<&str> {
    const PATH: [&str; 3] = ["OutputContent", "PredefinedContent", "ReferenceID"];
    let outputs = outputs(body, "DisplayOutput");
    let texts: Vec<&str> = outputs.iter().filter_map(|output| at(output, &PATH)?.string()).collect();
    texts.iter().find(|text| text.contains('=')).or(texts.first()).copied()
}

/// Only with `=` it is pairs.
fn reference_pair(reference: &str, name: &str) -> Option<String> {
    if reference.contains('=') { pairs::first(&pairs::pairs(reference.as_bytes()), name) } else { None }
}

/// The elements of an array; an object instead of the array is accepted.
fn outputs<'a>(body: &'a Value, name: &str) -> Vec<&'a Value> {
    match body.first(name) {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(object @ Value::Object(_)) => vec![object],
        _ => Vec::new(),
    }
}

/// `body.Response`, else `body.InputResult.Response`, else the first `body.OutputResult[].Response`; an object.
pub fn own_response(body: &Value) -> Option<&Value> {
    let mut candidates = vec![at(body, &["Response"]), at(body, &["InputResult", "Response"])];
    candidates.extend(outputs(body, "OutputResult").iter().map(|output| output.first("Response")));
    candidates.into_iter().flatten().find(|response| response.is_object())
}

fn response(line: &mut Map<String, Json>, body: &Value, limits: &Limits) {
    let response = own_response(body).unwrap_or(&Value::Null);
    set(line, "result", text(response.first("Result")));
    set(line, "error_condition", text(response.first("ErrorCondition")));
    let Some(raw) = text(response.first("AdditionalResponse")) else { return };
    let (format, list) = additional(&raw, limits);
    set(line, "additional_response_raw", raw);
    set(line, "additional_response_format", format);
    set(line, "additional_response", list);
}

/// A TransactionStatusResponse's inner answer.
fn repeated(line: &mut Map<String, Json>, body: &Value) {
    let repeated = body.first("RepeatedMessageResponse").unwrap_or(&Value::Null);
    set(line, "repeated_category", text(at(repeated, &["MessageHeader", "MessageCategory"])));
    let inner = repeated.first("RepeatedResponseMessageBody").unwrap_or(&Value::Null);
    let Some((_, answer)) = repeated_answer(inner) else { return };
    let response = own_response(answer).unwrap_or(&Value::Null);
    set(line, "repeated_result", text(response.first("Result")));
    set(line, "repeated_error_condition", text(response.first("ErrorCondition")));
    set(line, "repeated_additional_response_raw", text(response.first("AdditionalResponse")));
}

/// The first member that has an own Response.
pub fn repeated_answer(inner: &Value) -> Option<(&str, &Value)> {
    inner.firsts().into_iter().find(|(_, value)| own_response(value).is_some())
}

fn transaction(line: &mut Map<String, Json>, body_name: &str, body: &Value, reference: Option<&str>) {
    let poi = at(body, &["POIData", "POITransactionID"]).unwrap_or(&Value::Null);
    let of_reference = |name| reference.and_then(|text| reference_pair(text, name));
    let id = text(poi.first("TransactionID")).or_else(|| of_reference("TransactionID"));
    let (tender, psp) = match id.as_deref().map(|id| (id, id.split_once('.'))) {
        Some((_, Some((tender, psp)))) => (Some(tender), Some(psp)),
        Some((whole, None)) => (Some(whole), None),
        None => (None, None),
    };
    set(line, "tender_reference", tender);
    set(line, "psp_reference", psp);
    set(line, "poi_transaction_id", id);
    set(line, "sale_transaction_id", text(at(body, &["SaleData", "SaleTransactionID", "TransactionID"])));
    let of_event = if body_name == "EventNotification" { text(body.first("TimeStamp")) } else { None };
    let stamp = of_event.or_else(|| of_reference("TimeStamp")).or_else(|| text(poi.first("TimeStamp")));
    set(line, "time_stamp", stamp);
}

fn amount(line: &mut Map<String, Json>, body: &Value) {
    let authorised = at(body, &["PaymentResult", "AmountsResp"]).unwrap_or(&Value::Null);
    let requested = at(body, &["PaymentTransaction", "AmountsReq"]).unwrap_or(&Value::Null);
    let candidates = [
        (text(authorised.first("AuthorizedAmount")), text(authorised.first("Currency"))),
        (text(body.first("ReversedAmount")), None),
        (text(requested.first("RequestedAmount")), text(requested.first("Currency"))),
    ];
    let first = candidates.into_iter().find(|(amount, _)| amount.is_some());
    let (amount, currency) = first.unwrap_or((None, None));
    set(line, "amount", amount);
    set(line, "currency", currency);
}

/// Follows names through objects, the first of repeated members at every depth.
fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.first(name))
}
