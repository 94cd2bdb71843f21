//! Sentences for people: what they must not claim, and what they must not let through.

use nexowire_core::limits::Limits;
use nexowire_core::message::Message;
use nexowire_core::nexo::Texts;

fn summary(body: &str, texts: &[(&str, &str)]) -> String {
    let texts = texts.iter().map(|(word, text)| ((*word).to_owned(), (*text).to_owned())).collect();
    Message::classify(body.as_bytes(), &Limits::default()).view().summary(&Texts::new(texts))
}

fn payment(response: &str) -> String {
    format!(
        r#"{{"SaleToPOIResponse":{{"PaymentResponse":{{"Response":{response}}},"MessageHeader":{{"POIID":"P1"}}}}}}"#
    )
}

fn event(poiid: &str, event: &str, details: &str) -> String {
    let body = format!(r#"{{"EventToNotify":"{event}","EventDetails":"{details}"}}"#);
    format!(r#"{{"SaleToPOIRequest":{{"EventNotification":{body},"MessageHeader":{{"POIID":"{poiid}"}}}}}}"#)
}

fn status(repeated: &str) -> String {
    format!(
        r#"{{"SaleToPOIResponse":{{"TransactionStatusResponse":{{"Response":{{"Result":"Success"}},
            "RepeatedMessageResponse":{{"MessageHeader":{{"MessageCategory":"Payment"}},
            "RepeatedResponseMessageBody":{repeated}}}}},"MessageHeader":{{"POIID":"P1","MessageCategory":"TransactionStatus"}}}}}}"#
    )
}

#[test]
fn a_condition_does_not_make_a_failure_of_every_result() {
    for (response, expected) in [
        (r#"{"Result":"Partial","ErrorCondition":"Refusal"}"#, "succeeded in part: it was refused"),
        (r#"{"Result":"Failure","ErrorCondition":"Refusal"}"#, "failed: it was refused"),
        (r#"{"Result":"Success","ErrorCondition":"Refusal"}"#, "succeeded"),
        (r#"{"Result":"Maybe","ErrorCondition":"Busy"}"#, "ended with Maybe: the terminal is busy"),
        (r#"{"Result":"","ErrorCondition":""}"#, "ended without a result"),
        (r#"{"Result":"Failure","ErrorCondition":"New","AdditionalResponse":"message=Why"}"#, "failed: New (Why)"),
    ] {
        assert_eq!(summary(&payment(response), &[]), format!("PaymentResponse on terminal P1 {expected}"));
    }
}

/// The outer Success of a status answer does not mean paid.
#[test]
fn a_status_that_was_found_is_no_payment_that_succeeded() {
    let nothing = status(r#"{"PaymentResponse":{}}"#);
    assert_eq!(summary(&nothing, &[]), "Status of a transaction on terminal P1 succeeded");
    let refused = status(r#"{"PaymentResponse":{"Response":{"Result":"Failure","ErrorCondition":"Refusal"}}}"#);
    assert_eq!(summary(&refused, &[]), "Payment on terminal P1 failed: it was refused");
    assert_eq!(summary(&refused, &[("Refusal", "{category}: {result}, {condition}")]), "Payment: Failure, Refusal");
}

#[test]
fn a_terminal_without_a_name_is_a_terminal() {
    for poiid in ["N/A", "", " "] {
        assert_eq!(summary(&event(poiid, "Reject", "message=No"), &[]), "A terminal rejected a request: No");
    }
    assert_eq!(summary(&event("P1", "", ""), &[]), "Terminal P1 sent an event without a name");
}

#[test]
fn hostile_text_is_shown_as_text_and_cut() {
    let hostile = event("P\\u202e1", "Reject", "message=a%0ab\\u0000c\\u2066d\\u2028e{poiid}");
    assert_eq!(summary(&hostile, &[]), "Terminal P 1 rejected a request: a b c d e{poiid}");
    let long = event("P1", "Reject", &"x".repeat(1 << 19));
    assert!(summary(&long, &[]).len() < 300);
}
