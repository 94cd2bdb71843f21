//! Names and values that some rule of reference, section 13, treats in its own way: the tables of the mutator.

use super::base64;
use super::json::{self, LIMITS, Value};
use super::mutate::Random;
use nexowire_core::nexo::{
    DisplayEvent, ErrorCondition, EventToNotify, MessageCategory, MessageClass, MessageType, ResultWord, Vocabulary,
};

/// Every name that section 13 looks for, and some that only look like one.
#[rustfmt::skip] // One a line would be three hundred lines.
pub const NAMES: &[&str] = &[
    // The root.
    "SaleToPOIRequest", "SaleToPOIResponse", "notificationItems", "live", "errors", "errorCode", "message", "type",
    "data",
    // The envelope.
    "MessageHeader", "NexoBlob", "SecurityTrailer", "EventNotification", "InputUpdate", "DisplayRequest",
    "DisplayResponse", "PaymentRequest", "PaymentResponse", "TransactionStatusRequest", "TransactionStatusResponse",
    "InputRequest", "InputResponse", "ReversalResponse", "AbortRequest", "AbortResponse", "EventRequest",
    "EventResponse", "InputUpdateRequest", "NoneResponse", "PINResponse", "CardReaderAPDURequest",
    // The header.
    "MessageClass", "MessageCategory", "MessageType", "ProtocolVersion", "POIID", "SaleID", "ServiceID", "DeviceID",
    // Events and displays.
    "TimeStamp", "EventToNotify", "EventDetails", "RejectedMessage", "MaintenanceRequiredFlag", "DisplayOutput",
    "Device", "OutputContent", "PredefinedContent", "ReferenceID",
    // Responses.
    "Response", "InputResult", "OutputResult", "Input", "Result", "ErrorCondition", "AdditionalResponse", "POIData",
    "POITransactionID", "TransactionID", "SaleData", "SaleTransactionID", "PaymentResult", "AmountsResp",
    "AuthorizedAmount", "Currency", "ReversedAmount", "PaymentTransaction", "AmountsReq", "RequestedAmount",
    "RepeatedMessageResponse", "RepeatedResponseMessageBody", "ConfirmedFlag", "DigitInput", "MenuEntryNumber",
    // Webhooks.
    "NotificationRequestItem", "eventCode", "success", "pspReference", "originalReference", "merchantAccountCode",
    "merchantReference", "amount", "value", "currency", "eventDate", "reason", "additionalData", "hmacSignature",
    "tenderReference", "terminalId", "operations", "additionalData.hmacSignature",
    // Nearly.
    "", "saletopoirequest", "SaleToPOIRequest ", "SaleToPOIRequestt", "SaleToPOI", "Request", "NexoBlo", "Results",
    "messageheader", "PaymentRespons", "paymentResponse", "RequestResponse", "PaymentNotification", "Extra", "\0",
    "SaleToPOIRequest\0", "M\u{e9}ssageHeader", "\u{1f600}", "a\"b", "a\\b", "a/b",
];

/// Values as JSON text: every type, and strings on both sides of every rule.
#[rustfmt::skip] // One a line would be three hundred lines.
pub const VALUES: &[&str] = &[
    "null", "true", "false", "0", "-0", "-0.0", "1e3", "1E+3", "12345678901234567890.50", "45.08", "-1e-999", "[]",
    "{}", "[[]]", "[{}]", "[null]", "{\"a\":1}", "{\"a\":1,\"a\":2}", "[\"a\",\"b\"]", "[1,\"a\"]",
    "{\"Response\":{}}", "{\"Result\":\"Success\"}", "{\"Response\":{\"Result\":\"Failure\"}}",
    "[{\"Response\":{\"Result\":\"Partial\"}}]", "{\"Device\":\"CashierDisplay\"}",
    "{\"MessageCategory\":\"Payment\",\"POIID\":7,\"SaleID\":true}",
    "{\"OutputContent\":{\"PredefinedContent\":{\"ReferenceID\":\"event=PIN_ENTERED\"}}}",
    "[{\"NotificationRequestItem\":{\"eventCode\":\"REFUND\",\"success\":true}},{}]",
    // Whole texts that are somebody's answer, or hide one.
    r#""""#, r#""ok""#, r#""[accepted]""#, r#"" ok""#, r#"" ""#, r#""null""#, r#""N/A""#,
    r#""message=DisplayRequest""#, r#""\"SaleToPOIRequest\":{\"EventNotification\":{}}""#, r#""}]\"{[,:""#,
    r#""\\\\\\\"""#, r#""\\""#,
    // Pairs.
    r#""=""#, r#""&""#, r#""&&""#, r#""&=""#, r#""=&""#, r#""a=1&a=2""#, r#""a&b=1""#, r#""a=1&b""#, r#""a==b""#,
    r#""%""#, r#""%4""#, r#""a=%""#, r#""a=%4""#, r#""a=%zz%4g%41%4""#, r#""a=%ff%c3%a9%C3""#, r#""a=+%2b%20%00""#,
    r#""%61=%3d%26""#, r#""a=\u0000\u001f\u007f""#, r#""a=Caf\u00e9 \ud83d\ude00""#, r#""a=%ed%a0%80%f0%9f%98""#,
    r#""newstate=IDLE&oldstate=START""#, r#""message=Terminal V400m-1 connected""#, r#""0123456789""#,
    r#""event=CARD_INSERTED""#, r#""event=NOT_KNOWN&TransactionID=.&TimeStamp=""#, r#""TransactionID=a.b.c""#,
    r#""TimeStamp=2026%2d11&event=TENDER_FINAL&event=INITIAL&TransactionID=A.B&TransactionID=C""#,
    r#""%65vent=ASK_DCC""#, r#""event""#, r#""event&TransactionID""#, r#""Event=READY_3RD_PARTY&transactionid=x""#,
    r#""event=+ERROR""#,
    // Transaction numbers and words.
    r#"".""#, r#""a.""#, r#"".b""#, r#""a.b.c""#, r#""CWf3001626182307000.NC6HT9CRT65ZGN82""#, r#""success""#,
    r#""Success ""#, r#""CashierDisplay""#, r#""CustomerDisplay""#, r#""\u0043ashierDisplay""#, r#""3.0""#,
    // Base64 and what only looks like it; the rest is made by `base64_text`.
    r#""e30=""#, r#""e30""#, r#""e30==""#, r#""e3=0""#, r#""e30\f""#, r#""e30\u000b""#, r#""e31""#, r#""eyJ9""#,
    r#""=e30""#, r#""e30=a""#, r#""ew0KfQ==""#, r#""eyJhIjoiXHVkODAwIn0=""#, r#""WyJhIl0=""#, r#""Ym9keQ==""#,
];

/// JSON that is hidden in Base64: objects that count, and what must not.
#[rustfmt::skip] // One a line would be three hundred lines.
const HIDDEN: &[&str] = &[
    "{}", " { } ", "{\"a\":\"b\"}", "{\"a\":\"b\",\"a\":1}", "{\"additionalData\":{\"tid\":\"1\"},\"message\":\"m\"}",
    "{\"x\":1.50,\"additionalData\":{\"n\":12,\"t\":true,\"z\":null},\"additionalData\":{\"p\":false},\"y\":[1]}",
    "{\"additionalData\":\"text\"}", "{\"additionalData\":[\"a\"]}",
    "{\"additionalData\":{\"additionalData\":{\"a\":1}}}", "[{}]", "\"a=b\"", "12", "{", "{}{}", "{\"a\":01}",
    "{\"\\u0061\\ud83d\\ude00\":\"\\n\"}", "{\"a\":\"\\udc00\"}", "\u{feff}{}",
    "{\"refusalReason\":\"210 Not enough balance\",\"store\":\"\"}",
];

/// Bytes to write into a text as they are: what breaks JSON or UTF-8, and what nearly does.
#[rustfmt::skip] // One a line would be three hundred lines.
pub const BYTES: &[&[u8]] = &[
    b"\"", b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\t", b"\r\n", b"\x0c", b"\x0b", b"\0", b"\x1f", b"\x7f",
    b"0", b"-", b"+", b".", b"e", b"01", b"-0", b"1.", b".5", b"1e", b"1e+", b"0x1", b"NaN", b"Infinity", b"'",
    b"/*a*/", b"//", b"null", b"nul", b"True", b"true", b"fals", b"\xef\xbb\xbf", b"\xc3\xa9", b"\xc3", b"\xa9",
    b"\xc0\xaf", b"\xe0\x80\xaf", b"\xe0\xa0\x80", b"\xe2\x82", b"\xed\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
    b"\xee\x80\x80", b"\xef\xbf\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x9f\x98\x80", b"\xf0\x9f\x98", b"\xf4\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xfe", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"\xc2\xa0", b"\\u0000",
    b"\\u0041", b"\\u00", b"\\u004G", b"\\U0041", b"\\x41", b"\\a", b"\\/", b"\\'", b"\\ud83d\\ude00", b"\\uD83D",
    b"\\ude00", b"\\ud83d\\u0041", b"\\ud83d\\n", b"\\ud83dx", b"\\ud83d\\ud83d", b"\\udbff\\udfff",
    b"\\ud800\\udc00", b"\\u0022", b"\\u005c", b",,", b"{\"a\":1}", b"\"a\":1,", b",\"a\":1", b"\"ok\"", b"ok",
    b"[accepted]", b"<", b"&", b"=", b"&eventCode=A", b"%", b"&pspReference=B", b"eventCode=A&pspReference=B&", b"+",
    b"%00", b"%e9",
];

/// A name, from the table or any body name.
pub fn name(random: &mut Random) -> String {
    if random.percent(90) {
        return random.pick(NAMES).to_owned();
    }
    format!("{}{}", random.pick(MessageCategory::ALL).word(), random.pick(&["Request", "Response", "", "Notification"]))
}

/// A value, from the tables or made.
pub fn value(random: &mut Random) -> Value {
    match random.below(20) {
        0..=9 => {
            let text = random.pick(VALUES);
            json::parse(text.as_bytes(), &LIMITS).unwrap_or_else(|failure| panic!("{text}: {failure:?}"))
        }
        10..=13 => Value::String(word(random).to_owned()),
        14..=16 => Value::String(base64_text(random)),
        17 => Value::String(random.pick(NAMES).to_owned()),
        18 => long(random),
        _ => nested(Value::Null, random),
    }
}

fn word(random: &mut Random) -> &'static str {
    match random.below(7) {
        0 => random.pick(MessageClass::ALL).word(),
        1 => random.pick(MessageCategory::ALL).word(),
        2 => random.pick(MessageType::ALL).word(),
        3 => random.pick(EventToNotify::ALL).word(),
        4 => random.pick(DisplayEvent::ALL).word(),
        5 => random.pick(ResultWord::ALL).word(),
        _ => random.pick(ErrorCondition::ALL).word(),
    }
}

/// Base64 of JSON: whole, without its padding, with too much of it, cut, or with white space in it.
pub fn base64_text(random: &mut Random) -> String {
    let mut text = base64::encode(random.pick(HIDDEN).as_bytes());
    match random.below(8) {
        0 | 1 => text.truncate(text.trim_end_matches('=').len()),
        2 => text.push_str(random.pick(&["=", "==", "====", "A", "-", "&a=1"])),
        3 => text.truncate(random.below(text.len() + 1)),
        4 | 5 => {
            let mut letters: Vec<char> = text.chars().collect();
            for _ in 0..=random.below(3) {
                let blank = random.pick(&[' ', '\t', '\n', '\u{c}', '\r', '\u{b}', '\u{a0}']);
                letters.insert(random.below(letters.len() + 1), blank);
            }
            text = letters.into_iter().collect();
        }
        _ => {}
    }
    text
}

/// A long string or number, around the widths that vectors and short spans have.
fn long(random: &mut Random) -> Value {
    let len = random.pick(&[15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 1_000, 5_000]);
    let unit = random.pick(&["x", "7", "\\", "\"", "\u{e9}", "\u{20ac}", "\u{1f600}", "=", "&", "%41", "\u{1}"]);
    if random.percent(30) {
        let digits = "7".repeat(len);
        return Value::Number(random.pick(&["", "-", "0.", "1e", "-3.0E-"]).to_string() + &digits);
    }
    Value::String(unit.repeat(len))
}

/// A value inside of as many containers as the depth limit allows, one more, or a few.
pub fn nested(inner: Value, random: &mut Random) -> Value {
    let depth = random.pick(&[1, 2, 3, 8, 59, 60, 61, 62, 63, 64, 65, 66]);
    (0..depth).fold(inner, |inner, _| match random.below(2) {
        0 => Value::Array(vec![inner]),
        _ => Value::Object(vec![(name(random), inner)]),
    })
}
