//! One pass over a whole body: the grammar of every byte, and the place of every field.

use crate::error::{Error, ErrorKind};
use crate::json::{Cursor, Name, Outlined, Outliner, Walk, WalkOutlined, first_error, walk_outlined};
use crate::limits::Limits;
use crate::nexo::{
    BodyName, Draft, Envelope, Field, Fields, Flags, Kind, Seen, WebhookField, body, canonical, conclude, header,
    namesakes, ordinary, string, text_or_boolean, webhook,
};
use crate::simd::Kernel;
use crate::span::{Encoding, Span};
use crate::text::Text;

/// The name of the body under which the walk goes on, if none of the envelope's names is that of a body.
type Fallback<'a> = (Name<'a>, usize);

/// Validates `body` as JSON and finds its fields, in the order in which they come, without allocating or copying.
///
/// What to make of a body that is not JSON is known to [`crate::classify::classify`]. Limits above [`Limits::MAX`] count
/// as that.
///
/// # Errors
/// What is wrong first, reading from the left. See [`ErrorKind`].
pub fn parse(body: &[u8], limits: &Limits) -> Result<Fields, Error> {
    let mut draft = Draft::new();
    parse_with(Kernel::fastest(), body, limits, &mut draft)?;
    Ok(draft.fields)
}

/// The walk by one kernel, over whatever the new `draft` is part of: what it fills is too large to be moved around.
pub(crate) fn parse_with(kernel: Kernel, body: &[u8], limits: &Limits, draft: &mut Draft) -> Result<(), Error> {
    let length_max = limits.body.min(Limits::MAX.body) as usize;
    if body.len() > length_max {
        return Err(Error::new(ErrorKind::BodyTooLarge, length_max));
    }
    if body.starts_with(b"\xEF\xBB\xBF") {
        return Err(Error::new(ErrorKind::ByteOrderMark, 0));
    }
    // What is wrong, and where, is known to the cursor alone.
    let walked = walk_outlined(body, limits, kernel, Checked(draft));
    if walked != Some(true) {
        if walked.is_some() {
            *draft = Draft::new();
        }
        Cursor::walk(body, limits, kernel, |cursor| root(cursor, draft).and_then(|()| cursor.finish()))
            .map_err(|error| first_error(body, error))?;
    }
    conclude(draft, body);
    Ok(())
}

/// The draft of a text that is walked by its outline.
struct Checked<'d>(&'d mut Draft);

impl<'a> WalkOutlined<'a> for Checked<'_> {
    #[inline(always)]
    fn walk<O: Outliner>(self, walker: Outlined<'a, '_, O>) -> bool {
        ordinary(walker, self.0).is_some() || odd(walker, self.0)
    }
}

/// Passes the root of a message that is not ordinary.
#[cold]
#[inline(never)]
fn odd<O: Outliner>(mut walker: Outlined<'_, '_, O>, draft: &mut Draft) -> bool {
    *draft = Draft::new();
    root(&mut walker, draft).is_ok() && walker.is_at_end()
}

/// Passes the root value, whatever it is.
fn root<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    match cursor.peek() {
        b'{' => root_object(cursor, draft),
        b'[' => {
            let (mut strings, mut others) = (0_u32, 0_u32);
            cursor.array(|cursor| {
                let counter = if cursor.peek() == b'"' { &mut strings } else { &mut others };
                *counter += 1;
                cursor.skip()
            })?;
            if strings > 0 && others == 0 {
                draft.fields.kind = Kind::ErrorBody;
            }
            Ok(())
        }
        b'"' => {
            if string(cursor)?.is_some_and(|span| Text::at(cursor.text(), span).equals(b"ok")) {
                draft.fields.kind = Kind::Acknowledgement;
            }
            Ok(())
        }
        _ => cursor.skip(),
    }
}

/// The root members that decide what a body without an envelope is. Of repeated ones the first counts.
#[derive(Default)]
struct Root {
    items: Option<webhook::Items>,
    live: Option<Span>,
    has_errors: bool,
    has_error_code: bool,
    has_message: bool,
    has_type: bool,
    has_data: bool,
    /// Repeated names, by the kinds that are asked for them.
    asked_first: Flags,
    asked_of_webhooks: Flags,
    asked_of_others: Flags,
}

impl Root {
    fn kind(&self) -> Kind {
        if self.items.is_some() {
            Kind::StandardWebhook
        } else if self.has_errors || self.has_error_code && self.has_message {
            Kind::ErrorBody
        } else if self.has_type && self.has_data {
            Kind::ManagementWebhook
        } else {
            Kind::Foreign
        }
    }
}

fn root_object<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    let (mut root, mut seen, mut envelopes) = (Root::default(), Seen::default(), Flags::NONE);
    cursor.object(|cursor, name| {
        match canonical(name) {
            b"SaleToPOIRequest" if seen.first(0, &mut envelopes) => envelope(cursor, draft, Envelope::Request)?,
            b"SaleToPOIResponse" if seen.first(1, &mut envelopes) => envelope(cursor, draft, Envelope::Response)?,
            b"notificationItems" if seen.first(2, &mut root.asked_first) => {
                root.items = webhook::notification_items(cursor)?;
            }
            b"live" if seen.first(3, &mut root.asked_of_webhooks) => root.live = text_or_boolean(cursor)?,
            b"errors" if seen.first(4, &mut root.asked_of_others) => {
                root.has_errors = cursor.peek() == b'[';
                cursor.skip()?;
            }
            b"errorCode" if seen.first(5, &mut root.asked_of_others) => {
                root.has_error_code = string(cursor)?.is_some();
            }
            b"message" if seen.first(6, &mut root.asked_of_others) => {
                root.has_message = true;
                cursor.skip()?;
            }
            b"type" if seen.first(7, &mut root.asked_of_others) => root.has_type = string(cursor)?.is_some(),
            b"data" if seen.first(8, &mut root.asked_of_others) => {
                root.has_data = cursor.peek() == b'{';
                cursor.skip()?;
            }
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    if draft.fields.envelope == Envelope::Other {
        without_envelope(draft, &root, envelopes);
    } else {
        draft.flags().insert(envelopes);
    }
    Ok(())
}

/// What the root members make of a body that has no envelope. What is not routed has no flags; what is has those of
/// the names that were asked for until its kind was known.
fn without_envelope(draft: &mut Draft, root: &Root, envelopes: Flags) {
    draft.fields.kind = root.kind();
    let asked = match draft.fields.kind {
        Kind::StandardWebhook => root.asked_of_webhooks,
        Kind::ManagementWebhook => root.asked_of_others,
        _ => return,
    };
    for flags in [envelopes, root.asked_first, asked] {
        draft.flags().insert(flags);
    }
    if let Some(items) = root.items {
        draft.flags().insert(items.flags);
        draft.fields.items = items.count;
        draft.fields.set_item(&items.first.unwrap_or_default());
        draft.fields.set_webhook(WebhookField::Live, root.live);
        draft.fields.set_webhook(WebhookField::Items, items.span);
    }
}

/// Passes the value of an envelope's name. Only the first that is an object is the envelope.
fn envelope<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft, envelope: Envelope) -> Result<(), W::Error> {
    if cursor.peek() != b'{' {
        return cursor.skip();
    }
    if draft.fields.envelope != Envelope::Other {
        draft.flags().insert(Flags::BOTH_ENVELOPES);
        return cursor.skip();
    }
    draft.fields.envelope = envelope;
    let start = cursor.position();
    let (mut seen, mut bodies, mut fallback) = (Seen::default(), Seen::default(), None::<Fallback<'_>>);
    cursor.object(|cursor, name| {
        match canonical(name) {
            b"MessageHeader" if seen.first(0, draft.flags()) => draft.has_header = header(cursor, draft)?,
            b"NexoBlob" if seen.first(1, draft.flags()) => {
                let blob = string(cursor)?;
                draft.fields.set(Field::NexoBlob, blob);
            }
            b"SecurityTrailer" if seen.first(2, draft.flags()) => cursor.skip()?,
            b"MessageHeader" | b"NexoBlob" | b"SecurityTrailer" => cursor.skip()?,
            _ => match BodyName::of(name) {
                Some(body_name) => body_member(cursor, draft, name, body_name, &mut bodies)?,
                None => {
                    fallback.get_or_insert((name, cursor.position()));
                    cursor.skip()?;
                }
            },
        }
        Ok(())
    })?;
    match fallback {
        Some(fallback) if !bodies.any() => fallback_body(cursor.text(), draft, start, fallback),
        _ => {}
    }
    Ok(())
}

/// Passes a member with the name of a body: the first is the body, any other makes the message ambiguous.
fn body_member<'a, W: Walk<'a>>(
    cursor: &mut W,
    draft: &mut Draft,
    name: Name<'a>,
    body_name: BodyName,
    bodies: &mut Seen,
) -> Result<(), W::Error> {
    let is_body = !bodies.any();
    if !bodies.first(body_name.bit(), draft.flags()) {
        return cursor.skip();
    }
    if !is_body {
        draft.flags().insert(Flags::TWO_BODIES);
        return cursor.skip();
    }
    draft.fields.set(Field::BodyMember, Some(name.span));
    let start = cursor.position();
    body(cursor, draft, Some(body_name))?;
    draft.fields.set(Field::Body, Span::new(start, start + 1, Encoding::Plain));
    Ok(())
}

/// Walks the first unknown member of an envelope that has no member with the name of a body.
///
/// That it is the body is known only at the end of the envelope, so that this one is walked twice.
#[cold]
fn fallback_body(text: &[u8], draft: &mut Draft, envelope_start: usize, fallback: Fallback<'_>) {
    let (name, start) = fallback;
    draft.fields.set(Field::BodyMember, Some(name.span));
    draft.fields.set(Field::Body, Span::new(start, start + 1, Encoding::Plain));
    let walked = body(&mut Cursor::over_valid_from(text, start), draft, None);
    debug_assert!(walked.is_ok());
    if namesakes(text, envelope_start, name, usize::MAX) > 1 {
        draft.flags().insert(Flags::REPEATED_MEMBER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a body was ordinary, and its fields.
    struct Ordinary<'d>(&'d mut Draft);

    impl<'a> WalkOutlined<'a> for Ordinary<'_> {
        fn walk<O: Outliner>(self, walker: Outlined<'a, '_, O>) -> bool {
            ordinary(walker, self.0).is_some()
        }
    }

    const HEADER: &str = r#""MessageHeader":{"MessageClass":"Event","MessageCategory":"Event","MessageType":"Notification","POIID":"V400m-1","Extra":[1]}"#;

    /// Holds what the walk by tables finds against the exact one.
    fn check(body: &str, is_ordinary: bool) {
        let (mut found, mut expected) = (Draft::new(), Draft::new());
        let accepted = walk_outlined(body.as_bytes(), &Limits::MAX, Kernel::outlining(), Ordinary(&mut found));
        let accepted = accepted == Some(true);
        let makes_outlines = Kernel::outlining().name() != Kernel::SWAR.name();
        assert_eq!(accepted, is_ordinary && makes_outlines, "{body}");
        if accepted {
            conclude(&mut found, body.as_bytes());
            parse_with(Kernel::SWAR, body.as_bytes(), &Limits::MAX, &mut expected).unwrap();
            assert_eq!(found.fields, expected.fields, "{body}");
        }
    }

    #[test]
    fn ordinary_messages_are_walked_by_tables() {
        for (envelope, inner) in [
            ("Request", r#""EventNotification":{"EventToNotify":"Shutdown","EventDetails":"x","TimeStamp":"2"}"#),
            ("Request", r#""EventNotification":{"MaintenanceRequiredFlag":true,"Other":{"EventDetails":"x"}}"#),
            (
                "Request",
                r#""DisplayRequest":{"DisplayOutput":[{"Device":"CashierDisplay","OutputContent":{"PredefinedContent":{"ReferenceID":"event=PIN_ENTERED"}}}]}"#,
            ),
            (
                "Request",
                r#""DisplayRequest":{"DisplayOutput":{"Device":"CustomerDisplay","OutputContent":{"OutputText":[]}}}"#,
            ),
            (
                "Response",
                r#""PaymentResponse":{"POIData":{"POITransactionID":{"TransactionID":"a.b","TimeStamp":"2"}},"PaymentResult":{"AmountsResp":{"Currency":"EUR","AuthorizedAmount":12.5}},"Response":{"Result":"Success","AdditionalResponse":"a=b"}}"#,
            ),
            (
                "Response",
                r#""ReversalResponse":{"ReversedAmount":1,"SaleData":{"SaleTransactionID":{"TransactionID":"9"}}}"#,
            ),
            ("Request", r#""SecurityTrailer":{},"Unknown":1,"LoginRequest":{"SaleSoftware":{"Response":{}}}"#),
            ("Request", r#""LoginRequest":{"SaleSoftware":{}},"Unknown":1"#),
        ] {
            check(&format!(r#"{{"SaleToPOI{envelope}":{{{inner},{HEADER}}},"live":1}}"#), true);
            check(&format!(" {{ \"SaleToPOI{envelope}\" : {{ {HEADER} ,\n{inner} }} }} \n"), true);
        }
    }

    #[test]
    fn what_is_odd_is_left_to_the_exact_walk() {
        for inner in [
            r#""EventNotification":{"EventDetails":"x","EventDetails":"y"}"#,
            r#""EventNotification":{"EventDetails":"\u0061"}"#,
            r#""EventNotification":{"EventDetails":{}}"#,
            r#""EventNotification":[]"#,
            r#""EventNotification":{},"PaymentRequest":{}"#,
            r#""EventNotification":{},"MessageHeader":{}"#,
            r#""Unknown":{}"#,
            r#""DisplayRequest":{"DisplayOutput":[{"Device":"CashierDisplay"},{"Device":"CashierDisplay"}]}"#,
            r#""DisplayRequest":{"DisplayOutput":[{"Device":"CashierDisplay"},"Device"]}"#,
            r#""DisplayRequest":{"DisplayOutput":[]}"#,
            r#""InputResponse":{"InputResult":{}}"#,
            r#""PaymentResponse":{"PaymentResult":{"AmountsResp":{"Currency":"EUR"}}}"#,
            r#""PaymentResponse":{"ReversedAmount":1,"PaymentResult":{}}"#,
        ] {
            check(&format!(r#"{{"SaleToPOIRequest":{{{inner},{HEADER}}}}}"#), false);
        }
        for body in [r#"{"SaleToPOIRequest":{"EventNotification":{"EventDetails":"x"}},"some":"more"}"#, "[{}]"] {
            check(&format!("{body}{}", " ".repeat(70)), false);
        }
    }
}
