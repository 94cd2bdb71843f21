//! Where section 13 of the reference can be read in two ways: what the oracle chose, one case each.
//!
//! A change of mind is made here first. The corpus decides none of these, except where a case says so.

mod oracle;

use oracle::classify::line;
use serde_json::{Value as Json, json};

/// Checks members of the line of a body.
fn check(body: &str, expected: &Json) {
    let line = line(body.as_bytes());
    for (name, expected) in expected.as_object().expect("an object") {
        assert_eq!(line.get(name), Some(expected), "{name} of {body}");
    }
}

/// A request or response with a good header of this category in front, and these members behind it.
fn message(envelope: &str, category: &str, members: &str) -> String {
    let class = if category == "Event" { "Event" } else { "Service" };
    let kind = if envelope.ends_with("Response") { "Response" } else { "Request" };
    format!(
        r#"{{"{envelope}":{{"MessageHeader":{{"MessageClass":"{class}","MessageCategory":"{category}",
        "MessageType":"{kind}"}},{members}}}}}"#
    )
}

fn response(category: &str, body: &str) -> String {
    message("SaleToPOIResponse", category, &format!(r#""{category}Response":{body}"#))
}

/// A body over a limit is "not valid", so the rules for what is not valid apply to it as they stand.
#[test]
fn beyond_a_limit() {
    check(&" ".repeat(1_048_577), &json!({"valid_json": false, "kind": "acknowledgement", "bytes": 1_048_577}));
    let form = format!("eventCode=A&pspReference=B&c={}", "x".repeat(1_048_577));
    check(&form, &json!({"valid_json": false, "kind": "standard_webhook", "live": null}));
    check(&"[".repeat(65), &json!({"valid_json": false, "kind": "malformed"}));
}

/// A form has no objects, so no name can occur twice in one object; the first counts. Names are decoded first.
#[test]
fn forms() {
    let form = "eventCode=A&eventCode=B&psp%52eference=%ff&success=x&additionalData.terminalId";
    check(form, &json!({"kind": "standard_webhook", "flags": [], "live": null, "envelope": "other"}));
    let item = &line(form.as_bytes())["items"][0];
    assert_eq!((&item["eventCode"], &item["pspReference"]), (&json!("A"), &json!("\u{fffd}")));
    assert_eq!((&item["terminalId"], &item["reason"]), (&json!(""), &json!(null)));
    check(" eventCode=A&pspReference=B", &json!({"kind": "malformed", "items": null}));
    check("EventCode=A&pspReference=B", &json!({"kind": "malformed"}));
}

/// Without an envelope: a name is looked for if some rule asked for it before the kind was known. What goes to the
/// quarantine for its kind has no flags, as `foreign-first-envelope-a-string.json` of the corpus has none.
#[test]
fn repeats_without_envelope() {
    let flagged = json!({"flags": ["repeated_member"]});
    let clean = json!({"flags": []});
    check(r#"{"notificationItems":[],"live":1,"live":2}"#, &flagged);
    check(r#"{"notificationItems":[],"SaleToPOIRequest":1,"SaleToPOIRequest":{}}"#, &flagged);
    check(r#"{"notificationItems":[],"type":"a","type":"b","data":{}}"#, &clean);
    check(r#"{"notificationItems":[{"NotificationRequestItem":{"amount":{"value":1,"value":2}}}]}"#, &flagged);
    check(r#"{"notificationItems":[{"NotificationRequestItem":1,"NotificationRequestItem":{}}]}"#, &flagged);
    check(r#"{"type":"a","type":"b","data":{}}"#, &flagged);
    check(r#"{"type":"a","data":{},"errors":1,"errors":[]}"#, &flagged);
    check(r#"{"type":"a","data":{},"live":1,"live":2}"#, &clean);
    check(r#"{"errors":[],"errors":[]}"#, &clean);
    check(r#"{"errorCode":"1","message":null,"message":1}"#, &json!({"kind": "error_body", "flags": []}));
    check(r#"{"a":1,"a":2}"#, &json!({"kind": "foreign", "flags": []}));
}

/// With an envelope nothing else is looked for at the root.
#[test]
fn repeats_around_the_body() {
    let twice = |members: &str| message("SaleToPOIRequest", "Payment", members);
    let flagged = json!({"flags": ["repeated_member"]});
    let clean = json!({"flags": []});
    check(&twice(r#""PaymentRequest":{}}, "live":{"a":1},"live":{"#), &clean);
    check(&twice(r#""PaymentRequest":{},"SecurityTrailer":{},"SecurityTrailer":{}"#), &flagged);
    check(&twice(r#""PaymentRequest":{},"Other":1,"Other":2"#), &clean);
    check(&twice(r#""Other":1,"Other":2"#), &flagged);
    check(&twice(r#""PaymentRequest":{},"PaymentRequest":{}"#), &flagged);
    // The second name is no envelope that counts, so there are not both.
    let hidden = r#"{"SaleToPOIResponse":{"MessageHeader":{}},"SaleToPOIRequest":1,"SaleToPOIRequest":{}}"#;
    check(hidden, &json!({"flags": ["repeated_member"], "kind": "response"}));
    // What is in the envelope that does not count is skipped.
    let second = r#"{"SaleToPOIResponse":{"MessageHeader":{}},"SaleToPOIRequest":{"NexoBlob":1,"NexoBlob":2}}"#;
    check(second, &json!({"flags": ["both_envelopes"]}));
}

/// Every place where an own Response may be is looked at, whichever of them counts in the end.
#[test]
fn repeats_in_the_body() {
    let flagged = json!({"flags": ["repeated_member"], "result": "Success"});
    let own = r#""Response":{"Result":"Success"}"#;
    check(&response("Input", &format!(r#"{{{own},"InputResult":{{"Response":1,"Response":2}}}}"#)), &flagged);
    check(&response("Input", &format!(r#"{{"OutputResult":[{{{own}}},{{{own},{own}}}]}}"#)), &flagged);
    check(
        &response("Input", &format!(r#"{{{own},"InputResult":{{"Input":{{"DigitInput":1,"DigitInput":2}}}}}}"#)),
        &flagged,
    );
    check(&response("Input", &format!(r#"{{{own},"DisplayOutput":1,"DisplayOutput":2}}"#)), &json!({"flags": []}));
    check(&response("Input", &format!(r#"{{{own},"TimeStamp":1,"TimeStamp":2}}"#)), &json!({"flags": []}));
    // Only elements of an array are gone through; an array in the place of another object is not.
    check(
        &response("Input", r#"{"InputResult":[{"Response":{},"Response":{}}]}"#),
        &json!({"flags": [], "result": null}),
    );
}

#[test]
fn repeats_in_the_inner_answer() {
    let status = |inner: &str| {
        let body = r#"{"RepeatedMessageResponse":{"RepeatedResponseMessageBody":"#.to_owned() + inner + "}}";
        response("TransactionStatus", &body)
    };
    let answer = |result: &str| format!(r#"{{"Response":{{"Result":"{result}"}}}}"#);
    let (success, failure) = (answer("Success"), answer("Failure"));
    // Repeats of names are asked for as in an envelope: body names, and what was taken.
    let hidden = status(&format!(r#"{{"A":1,"A":{failure},"B":{success}}}"#));
    check(&hidden, &json!({"repeated_result": "Success", "flags": []}));
    let taken = status(&format!(r#"{{"A":{failure},"A":{success}}}"#));
    check(&taken, &json!({"repeated_result": "Failure", "flags": ["repeated_member"]}));
    let known = status(&format!(r#"{{"A":{failure},"PaymentResponse":1,"PaymentResponse":2}}"#));
    check(&known, &json!({"repeated_result": "Failure", "flags": ["repeated_member"]}));
    // Members in front of the answer were asked for a Response; members behind it are skipped.
    let twice = r#"{"Response":1,"Response":{}}"#;
    check(&status(&format!(r#"{{"A":{twice},"B":{success}}}"#)), &json!({"flags": ["repeated_member"]}));
    check(&status(&format!(r#"{{"B":{success},"A":{twice}}}"#)), &json!({"flags": []}));
    // The vocabularies are asked about the message itself only; all eight fields of the inner header count for repeats.
    check(&status(&format!(r#"{{"A":{}}}"#, answer("Sucess"))), &json!({"repeated_result": "Sucess", "flags": []}));
    let header = r#"{"RepeatedMessageResponse":{"MessageHeader":{"SaleID":1,"SaleID":2,"MessageCategory":"X"}}}"#;
    let expected = json!({"flags": ["repeated_member"], "repeated_category": "X"});
    check(&response("TransactionStatus", header), &expected);
}

#[test]
fn bodies_and_headers() {
    let request = |members: &str| message("SaleToPOIRequest", "Payment", members);
    // `None` is a category of the union, so these are body names.
    let none = json!({"body_member": "NoneResponse", "flags": ["category_mismatch", "type_mismatch"]});
    check(&request(r#""Other":{},"NoneResponse":{}"#), &none);
    let update = json!({"body_member": "InputUpdateRequest", "flags": ["category_mismatch"]});
    check(&request(r#""InputUpdateRequest":{}"#), &update);
    check(&request(r#""PaymentRequest":null,"InputUpdate":null"#), &json!({"flags": ["two_bodies"]}));
    check(&request(r#""NexoBlob":"""#), &json!({"kind": "secured", "body_member": null, "encrypted": true}));
    // A number is a text, so it can also be a word that nobody knows; null is simply absent.
    let number = r#"{"SaleToPOIRequest":{"MessageHeader":{"MessageType":1,"SaleID":null,"POIID":true},"":{}}}"#;
    let flags = json!(["header_number", "header_other", "unknown_word"]);
    check(number, &json!({"message_type": "1", "sale_id": null, "poiid": null, "body_member": "", "flags": flags}));
    let hidden = r#"{"SaleToPOIRequest":{"MessageHeader":1,"MessageHeader":{"SaleID":"a"}}}"#;
    check(hidden, &json!({"sale_id": null, "flags": ["header_missing", "repeated_member"]}));
}

/// Fields follow the name of the body, whatever the envelope and the kind.
#[test]
fn fields() {
    let outputs = r#"[{"OutputContent":{"PredefinedContent":{"ReferenceID":"TransactionID=&TimeStamp=%2b&event=+"}}}]"#;
    let members = format!(r#""DisplayRequest":{{"DisplayOutput":{outputs}}}"#);
    let display = json!({
        "kind": "response", "display_event": " ", "poi_transaction_id": "", "tender_reference": "",
        "psp_reference": null, "time_stamp": "+", "flags": ["type_mismatch", "unknown_word"],
    });
    check(&message("SaleToPOIResponse", "Display", &members), &display);
    // The chain of time stamps goes on where a link is absent.
    let poi = r#"{"POIData":{"POITransactionID":{"TimeStamp":7,"TransactionID":"a."}},"TimeStamp":null}"#;
    let event = message("SaleToPOIRequest", "Event", &format!(r#""EventNotification":{poi}"#));
    check(&event, &json!({"time_stamp": "7", "tender_reference": "a", "psp_reference": ""}));
    let chain = r#"{"Response":[],"InputResult":{"Response":null},"OutputResult":{"Response":{"Result":"Partial"}}}"#;
    check(&response("Input", chain), &json!({"result": "Partial", "flags": []}));
    let amounts = r#"{"PaymentResult":{"AmountsResp":{"AuthorizedAmount":true,"Currency":"A"}},"ReversedAmount":1e2,
        "PaymentTransaction":{"AmountsReq":{"RequestedAmount":3,"Currency":"B"}}}"#;
    check(&response("Payment", amounts), &json!({"amount": "1e2", "currency": null}));
}

/// Pairs keep repeats, those of Base64 too: the first counts where one is looked up, and none is here.
#[test]
fn additional_responses() {
    let additional = |raw: &str| response("Payment", &format!(r#"{{"Response":{{"AdditionalResponse":{raw}}}}}"#));
    let hidden = r#"{"a":1,"a":2,"additionalData":{"b":true},"additionalData":{"b":[]},"additionalData":"c"}"#;
    let pairs = json!([["a", "1"], ["a", "2"], ["b", "true"], ["additionalData", "c"]]);
    let text = format!("\"{}\"", oracle::base64::encode(hidden.as_bytes()));
    check(&additional(&text), &json!({"additional_response_format": "base64json", "additional_response": pairs}));
    let number =
        json!({"additional_response_format": "text", "additional_response_raw": "7", "additional_response": []});
    check(&additional("7"), &number);
    // The limits hold inside of Base64 as outside.
    let deep = "{\"a\":".repeat(65) + "1" + &"}".repeat(65);
    let text = format!("\"{}\"", oracle::base64::encode(deep.as_bytes()).trim_end_matches('='));
    check(&additional(&text), &json!({"additional_response_format": "text", "flags": []}));
}

/// Every name that is looked for, by its way from the root, `[]` for an element: repeated, it is flagged; a name that
/// nobody looks for in its place is not.
#[test]
fn every_name_that_is_looked_for() {
    const ANSWER: &str = "Response Response.Result Response.ErrorCondition Response.AdditionalResponse InputResult \
        InputResult.Response InputResult.Response.Result InputResult.Response.ErrorCondition InputResult.Input \
        InputResult.Response.AdditionalResponse InputResult.Input.ConfirmedFlag InputResult.Input.DigitInput \
        InputResult.Input.FunctionKey InputResult.Input.MenuEntryNumber InputResult.Input.Password \
        InputResult.Input.TextInput OutputResult OutputResult.Response OutputResult[].Response \
        OutputResult[].Response.Result OutputResult[].Response.ErrorCondition OutputResult.Response.AdditionalResponse";
    const BODY: &str = "POIData POIData.POITransactionID POIData.POITransactionID.TransactionID \
        POIData.POITransactionID.TimeStamp SaleData SaleData.SaleTransactionID \
        SaleData.SaleTransactionID.TransactionID \
        PaymentResult PaymentResult.AmountsResp PaymentResult.AmountsResp.AuthorizedAmount \
        PaymentResult.AmountsResp.Currency ReversedAmount PaymentTransaction PaymentTransaction.AmountsReq \
        PaymentTransaction.AmountsReq.RequestedAmount PaymentTransaction.AmountsReq.Currency";
    const EVENT: &str = "TimeStamp EventToNotify EventDetails RejectedMessage MaintenanceRequiredFlag";
    const DISPLAY: &str = "DisplayOutput DisplayOutput.Device DisplayOutput[].Device DisplayOutput[].OutputContent \
        DisplayOutput[].OutputContent.PredefinedContent DisplayOutput[].OutputContent.PredefinedContent.ReferenceID";
    const HEADER: &str = "MessageHeader MessageHeader.MessageClass MessageHeader.MessageCategory \
        MessageHeader.MessageType MessageHeader.ProtocolVersion MessageHeader.POIID MessageHeader.SaleID \
        MessageHeader.ServiceID MessageHeader.DeviceID";
    const ITEM: &str = "eventCode success pspReference originalReference merchantAccountCode merchantReference amount \
        amount.value amount.currency eventDate reason additionalData additionalData.hmacSignature \
        additionalData.tenderReference additionalData.terminalId";
    let below = |prefix: &str, names: &str| -> Vec<String> {
        names.split_whitespace().map(|name| format!("{prefix}{name}")).collect()
    };
    let repeated = "SaleToPOIResponse.TransactionStatusResponse.RepeatedMessageResponse";
    let inner = "RepeatedResponseMessageBody.PaymentResponse";
    let looked_for = [
        below("", "SaleToPOIRequest SaleToPOIResponse SaleToPOIRequest.EventNotification SaleToPOIRequest.Other"),
        below("SaleToPOIRequest.", "NexoBlob SecurityTrailer InputUpdate CardReaderAPDURequest NoneRequest"),
        below("SaleToPOIResponse.", HEADER),
        below("SaleToPOIResponse.Other.", &[ANSWER, BODY].join(" ")),
        below("SaleToPOIResponse.EventNotification.", &[ANSWER, BODY, EVENT].join(" ")),
        below("SaleToPOIRequest.DisplayRequest.", &[ANSWER, BODY, DISPLAY].join(" ")),
        below("", repeated),
        below(&format!("{repeated}."), &[HEADER, "RepeatedResponseMessageBody", inner].join(" ")),
        below(&format!("{repeated}.{inner}."), ANSWER),
        below("notificationItems[].", "NotificationRequestItem"),
        below("notificationItems[].NotificationRequestItem.", ITEM),
    ];
    for path in looked_for.iter().flatten() {
        assert!(is_flagged(path), "{path}");
    }
    let skipped = [
        below("SaleToPOIResponse.Other.", &[EVENT, DISPLAY, "RepeatedMessageResponse"].join(" ")),
        below("SaleToPOIRequest.DisplayRequest.", EVENT),
        below("SaleToPOIRequest.EventNotification.", DISPLAY),
        below("SaleToPOIRequest.SecurityTrailer.", "Nonce Hmac KeyIdentifier"),
        below(&format!("{repeated}.{inner}."), BODY),
        below("notificationItems[].NotificationRequestItem.", "operations paymentMethod additionalData.alias"),
        below("SaleToPOIResponse.Other.", "POIData[].POITransactionID InputResult[].Response Response[].Result"),
    ];
    for path in skipped.iter().flatten() {
        assert!(!is_flagged(path), "{path}");
    }
}

fn is_flagged(path: &str) -> bool {
    line(twice(path).as_bytes())["flags"].as_array().expect("a list").contains(&json!("repeated_member"))
}

/// Objects along the path, in which the last name stands twice.
fn twice(path: &str) -> String {
    let mut names = path.rsplit('.');
    let last = names.next().expect("a name");
    names.fold(format!("{{\"{last}\":{{}},\"{last}\":{{}}}}"), |inner, name| match name.strip_suffix("[]") {
        Some(name) => format!("{{\"{name}\":[0,{inner}]}}"),
        None => format!("{{\"{name}\":{inner}}}"),
    })
}
