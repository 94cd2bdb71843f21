//! Every verdict that an engine without store, credentials and tracker can give. Source: `drive.md`, Verdict.

mod support;

use nexowire_core::delivery::{MemoryStore, Verdict};
use nexowire_core::engine::{Engine, Inbound, Source};
use nexowire_core::route::{Configuration, NoResolver, StoreSource};
use std::sync::Arc;
use support::{accept, consumer, engine, event, item, poll, quarantine, request, response, seqs, webhook};

const CONFIGURATION: &str = r#"
    default_queue = "other"
    clock = "manual"
    [limits]
    body = 2_000
    items = 3
    [[queue]]
    name = "other"
    [[queue]]
    name = "small"
    lanes = 1
    capacity = 1
    [[rule]]
    queue = "small"
    poiid = "small-*"
    [endpoint.survey]
    third_party = true
    [endpoint.berlin]
    third_party = true
    sale_ids = ["Till*"]
    poiids = ["V400m-*", "small-*"]
    merchant_accounts = ["Mine"]
"#;

/// One row of the table: verdict, status and body, seq, count, reason. `stored` is false in all of them.
type Row = (&'static str, Option<(u16, &'static str)>, Option<u64>, u32, Option<&'static str>);

fn row(verdict: Verdict) -> Row {
    assert!(!verdict.is_stored());
    (verdict.word(), verdict.status().zip(verdict.body()), verdict.seq(), verdict.count(), verdict.reason())
}

fn at<'a>(endpoint: &'a str, body: &'a str) -> Inbound<'a> {
    Inbound { endpoint: Some(endpoint), ..Inbound::new(body.as_bytes()) }
}

/// The word of the verdict, and of its reason.
fn words(engine: &Engine, inbound: Inbound<'_>) -> (&'static str, Option<&'static str>) {
    let explained = engine.explain(&inbound).unwrap();
    let verdict = engine.accept(inbound).unwrap();
    if verdict.word() != "busy" {
        assert_eq!((explained.verdict, explained.reason), (verdict.word(), verdict.reason()), "explain says the same");
    }
    (verdict.word(), verdict.reason())
}

const TWO_BODIES: &str = r#"{"SaleToPOIRequest":{"PaymentRequest":{},"AbortRequest":{},"MessageHeader":{}}}"#;
const BOTH_ENVELOPES: &str =
    r#"{"SaleToPOIRequest":{"PaymentRequest":{},"AbortRequest":{}},"SaleToPOIResponse":{"PaymentResponse":{}}}"#;
const REPEATED: &str =
    r#"{"SaleToPOIRequest":{"PaymentRequest":{},"AbortRequest":{}},"SaleToPOIResponse":{},"SaleToPOIResponse":{}}"#;

/// The table, row by row, on one engine, so that the numbers show that there is one counter.
#[test]
fn every_row_of_the_table() {
    const KEPT: Option<(u16, &str)> = Some((200, "[accepted]"));
    let engine = engine(CONFIGURATION);
    let large = " ".repeat(2_001);
    let payment = request("PaymentRequest", "{}", "Till1", "V400m-1");
    let elsewhere = event("P400Plus-1");
    let [first, two, four] = [1, 2, 4].map(|n| webhook(&vec![item("Mine", "psp"); n]));
    let packed = Inbound { content_encoding: Some("gzip"), ..Inbound::new(b"{}") };
    let reply = Inbound { source: Source::Reply, ..Inbound::new(first.as_bytes()) };
    let small = event("small-1");
    let quarantined = |seq, reason| ("quarantined", KEPT, Some(seq), 0, Some(reason));
    let plain = |body: &'static str| Inbound::new(body.as_bytes());
    for (inbound, expected) in [
        (plain(r#"{"SaleToPOIRequest":{}}"#), ("accepted", KEPT, Some(1), 1, None)),
        (at("default", &two), ("accepted", KEPT, Some(2), 2, None)),
        (plain("{"), quarantined(4, "malformed")),
        (plain(" <soap:Envelope>"), quarantined(5, "soap")),
        (plain("<html>"), quarantined(6, "malformed")),
        (plain("{}"), quarantined(7, "foreign")),
        (plain(r#"["Bad JSON"]"#), quarantined(8, "error_body")),
        (plain(REPEATED), quarantined(9, "repeated_member")),
        (plain(BOTH_ENVELOPES), quarantined(10, "both_envelopes")),
        (plain(TWO_BODIES), quarantined(11, "two_bodies")),
        (at("default", &four), quarantined(12, "too_many_items")),
        (at("berlin", &elsewhere), quarantined(13, "out_of_scope")),
        (plain("\"ok\""), ("ignored", KEPT, None, 0, Some("acknowledgement"))),
        (plain(r#"{"notificationItems":[]}"#), ("ignored", KEPT, None, 0, Some("no_items"))),
        (at("default", &small), ("accepted", KEPT, Some(14), 1, None)),
        (at("default", &small), ("busy", Some((503, "busy")), None, 0, Some("full"))),
        (at("survey", &payment), ("not_allowed", Some((403, "010 Not Allowed")), None, 0, Some("third_party"))),
        (at("default", &large), ("too_large", Some((413, "too large")), None, 0, None)),
        (packed, ("encoded", Some((415, "encoded")), None, 0, None)),
        (reply, ("reply", None, None, 0, Some("unknown"))),
    ] {
        let text = String::from_utf8_lossy(inbound.body.as_bytes()).into_owned();
        assert_eq!(row(engine.accept(inbound).unwrap()), expected, "{text}");
    }
    let counters = engine.counters();
    assert_eq!((counters.accepted, counters.quarantined, counters.ignored, counters.busy), (4, 10, 2, 1));
    assert_eq!((counters.not_allowed, counters.too_large, counters.encoded, counters.reply), (1, 1, 1, 1));
    assert_eq!((counters.duplicate, counters.unauthorized, counters.items_dropped), (0, 0, 0));
    engine.close();
    let closing = ("busy", Some((503, "busy")), None, 0, Some("closing"));
    assert_eq!(row(accept(&engine, "{}")), closing);
}

/// Of several that fit the first in the order of the contract is the verdict: each body here deserves the row of its
/// line, and those of the lines below.
#[test]
fn the_first_that_fits() {
    let engine = engine(CONFIGURATION);
    accept(&engine, event("small-1"));
    let large = "{".repeat(2_001);
    let encoded = |body| Inbound { content_encoding: Some("br"), ..at("berlin", body) };
    let refused = request("PaymentRequest", "{}", "Bar", "small-1");
    let elsewhere = request("InputRequest", "{}", "Bar", "small-1");
    let full = request("InputRequest", "{}", "Till1", "small-1");
    let repeated_item = webhook(&vec![r#"{"NotificationRequestItem":{"success":1,"success":2}}"#.to_owned(); 4]);
    let many = webhook(&vec![item("Theirs", "psp"); 4]);
    for (inbound, word, reason) in [
        (encoded(&large), "too_large", None),
        (Inbound { source: Source::Reply, ..encoded("{") }, "reply", Some("unknown")),
        (Inbound { source: Source::Reply, ..encoded(&large) }, "reply", Some("failed")),
        (encoded("ok"), "encoded", None),
        (encoded("{"), "encoded", None),
        (at("berlin", "ok"), "ignored", Some("acknowledgement")),
        (at("berlin", r#"{"#), "quarantined", Some("malformed")),
        (at("berlin", REPEATED), "quarantined", Some("repeated_member")),
        (at("berlin", BOTH_ENVELOPES), "quarantined", Some("both_envelopes")),
        (at("berlin", TWO_BODIES), "quarantined", Some("two_bodies")),
        (at("berlin", &repeated_item), "quarantined", Some("repeated_member")),
        (at("berlin", &many), "quarantined", Some("too_many_items")),
        (at("berlin", &refused), "not_allowed", Some("third_party")),
        (at("berlin", &elsewhere), "quarantined", Some("out_of_scope")),
        (at("berlin", &full), "busy", Some("full")),
    ] {
        assert_eq!(words(&engine, inbound), (word, reason));
    }
}

/// Absent, empty and `identity` are plain; all else is encoded.
#[test]
fn encodings() {
    let engine = engine(CONFIGURATION);
    for (encoding, word) in [
        ("", "ignored"),
        ("identity", "ignored"),
        (" Identity ", "ignored"),
        ("gzip", "encoded"),
        ("identity, br", "encoded"),
    ] {
        let inbound = Inbound { content_encoding: Some(encoding), ..Inbound::new(b"ok") };
        assert_eq!(words(&engine, inbound).0, word, "{encoding:?}");
    }
}

/// The limit itself is within.
#[test]
fn the_limit_of_size() {
    let engine = engine(CONFIGURATION);
    for (length, word) in [(1_999, "ignored"), (2_000, "ignored"), (2_001, "too_large")] {
        assert_eq!(accept(&engine, " ".repeat(length)).word(), word);
    }
    assert_eq!(engine.counters().bytes, 6_000);
}

/// Good items are messages, bad ones alone are quarantined one by one, and beside good ones they are dropped and
/// counted, as this endpoint has no credentials.
#[test]
fn items_of_a_webhook() {
    let engine = engine(CONFIGURATION);
    let mut consumer = consumer(&engine, "other");
    let [good, bad] = ["Mine", "Theirs"].map(|account| item(account, "psp-1"));
    let [null, empty] = ["null".to_owned(), "{}".to_owned()];
    let mut at_berlin = |items: &[&String]| {
        let body = webhook(&items.iter().map(|item| (*item).clone()).collect::<Vec<_>>());
        let verdict = engine.accept(at("berlin", &body)).unwrap();
        let polled = seqs(&mut consumer);
        let dropped = engine.counters().items_dropped;
        (verdict.word(), verdict.seq(), verdict.count(), verdict.reason(), polled, dropped)
    };
    assert_eq!(at_berlin(&[&good]), ("accepted", Some(1), 1, None, vec![1], 0));
    assert_eq!(at_berlin(&[&good, &good, &good]), ("accepted", Some(2), 3, None, vec![2, 3, 4], 0));
    assert_eq!(at_berlin(&[&null, &bad, &good]), ("accepted", Some(5), 1, None, vec![5], 2));
    assert_eq!(at_berlin(&[&good, &empty, &good]), ("accepted", Some(6), 2, None, vec![6, 7], 3));
    assert_eq!(at_berlin(&[&bad, &null]), ("quarantined", Some(8), 0, Some("out_of_scope"), vec![], 3));
    assert_eq!(at_berlin(&[&null, &bad, &empty]), ("quarantined", Some(10), 0, Some("malformed"), vec![], 3));
    assert_eq!(at_berlin(&[&good; 4]), ("quarantined", Some(13), 0, Some("too_many_items"), vec![], 3));
    assert_eq!(at_berlin(&[]), ("ignored", None, 0, Some("no_items"), vec![], 3));
    let entries = quarantine(&engine).into_iter().map(|entry| (entry.seq, entry.item, entry.reason.word()));
    let (scope, malformed) = ("out_of_scope", "malformed");
    assert_eq!(
        entries.collect::<Vec<_>>(),
        [
            (8, Some(0), scope),
            (9, Some(1), malformed),
            (10, Some(0), malformed),
            (11, Some(1), scope),
            (12, Some(2), malformed),
            (13, None, "too_many_items"),
        ]
    );
}

/// A message of a webhook is about its own item, and shares the body.
#[test]
fn each_message_is_about_its_item() {
    let engine = engine(CONFIGURATION);
    let body = webhook(&[item("Mine", "psp-1"), "null".to_owned(), item("Mine", "psp-2")]);
    accept(&engine, &body);
    let batch = poll(&mut consumer(&engine, "other"));
    let mut references: Vec<_> = batch
        .iter()
        .map(|one| {
            assert_eq!(one.message.received(), body.as_bytes());
            let reference = one.message.view().webhook_text(nexowire_core::nexo::WebhookField::PspReference);
            (one.message.origin().seq, reference.unwrap().to_str().into_owned())
        })
        .collect();
    references.sort();
    assert_eq!(references, [(1, "psp-1".to_owned()), (2, "psp-2".to_owned())]);
}

/// Third parties may ask customers and show them something; all else that they send is no request.
#[test]
fn what_third_parties_may_send() {
    let engine = engine(CONFIGURATION);
    let of = |name: &str| request(name, "{}", "Till1", "V400m-1");
    let secured = r#"{"SaleToPOIRequest":{"NexoBlob":"AAAA","MessageHeader":{}}}"#.to_owned();
    let management = r#"{"type":"terminalSettings.modified","data":{}}"#.to_owned();
    for (body, word) in [
        (of("InputRequest"), "accepted"),
        (of("DisplayRequest"), "accepted"),
        (of("EventNotification"), "accepted"),
        (response("V400m-1"), "accepted"),
        (webhook(&[item("Mine", "psp")]), "accepted"),
        (secured, "accepted"),
        (management, "accepted"),
        (of("PaymentRequest"), "not_allowed"),
        (of("AbortRequest"), "not_allowed"),
        (of("InputUpdate"), "not_allowed"),
        (of("PrintRequest"), "not_allowed"),
        (of("Input\\u0052equest"), "accepted"),
        (r#"{"SaleToPOIRequest":{"MessageHeader":{}}}"#.to_owned(), "not_allowed"),
    ] {
        assert_eq!(words(&engine, at("survey", &body)).0, word, "{body}");
    }
}

/// Limits of an endpoint: exact or by prefix, after unescaping; what the message lacks fits.
#[test]
fn what_an_endpoint_may_speak_for() {
    let engine = engine(CONFIGURATION);
    let event = |sale_id, poiid| request("EventNotification", "{}", sale_id, poiid);
    let no_header = r#"{"SaleToPOIRequest":{"EventNotification":{}}}"#.to_owned();
    let number = r#"{"SaleToPOIRequest":{"EventNotification":{},"MessageHeader":{"SaleID":7}}}"#.to_owned();
    let form = |account, terminal| {
        format!(
            "eventCode=AUTHORISATION&pspReference=1&merchantAccountCode={account}&additionalData.terminalId={terminal}"
        )
    };
    let long = format!("Till{}", r"\u0031".repeat(300));
    for (body, fits) in [
        (event("Till1", "V400m-1"), true),
        (event("Bar", "V400m-1"), false),
        (event("Till1", "P400Plus-1"), false),
        (event("Till1", "V400m"), false),
        (event(r"T\u0069ll1", r"V\u003400m-1"), true),
        (event(r"\u0042ar", "V400m-1"), false),
        (event(&long, "V400m-1"), true),
        (no_header, true),
        (number, false),
        (webhook(&[item("Mine", "psp")]), true),
        (webhook(&[item("mine", "psp")]), false),
        (form("Min%65", "V400m%2D1"), true),
        (form("Mine", "P400Plus-1"), false),
        (form("Yours", "V400m-1"), false),
    ] {
        let expected = if fits { ("accepted", None) } else { ("quarantined", Some("out_of_scope")) };
        assert_eq!(words(&engine, at("berlin", &body)), expected, "{body}");
    }
}

/// An endpoint that does not exist is the host's mistake and no verdict: nothing is taken, nothing is counted.
#[test]
fn an_unknown_endpoint_is_an_error() {
    let engine = engine(CONFIGURATION);
    let good = event("V400m-1");
    let error = engine.accept(at("hamburg", &good)).unwrap_err();
    assert_eq!(error.name, "hamburg");
    assert!(engine.explain(&at("hamburg", &good)).is_err());
    let batch = vec![at("default", &good), at("hamburg", &good), at("berlin", &good)];
    assert_eq!(engine.accept_batch(batch).unwrap_err(), error);
    assert_eq!((engine.counters().accepted, engine.counters().bytes), (0, 0));
    let batch = vec![at("default", &good), at("berlin", "{"), at("berlin", &good)];
    let verdicts: Vec<_> = engine.accept_batch(batch).unwrap().into_iter().map(|one| (one.word(), one.seq())).collect();
    assert_eq!(verdicts, [("accepted", Some(1)), ("quarantined", Some(2)), ("accepted", Some(3))]);
}

/// What a text that is too long to be decoded in place matches is what it would match if it were written plainly.
#[test]
fn a_long_escaped_text_is_routed_as_a_plain_one() {
    for length in [10, 255, 256, 257, 300, 2_000] {
        let rule = |poiid: &str| format!("[[rule]]\nqueue = \"hit\"\npoiid = \"{poiid}\"\n");
        for poiid in ["x".repeat(length), "x".repeat(256), format!("{}*", "x".repeat(256)), "x".repeat(300) + "*"] {
            let queues = "default_queue = \"miss\"\n[[queue]]\nname = \"miss\"\n[[queue]]\nname = \"hit\"\n";
            let engine = engine(&format!("{queues}{}", rule(&poiid)));
            let plain = event(&"x".repeat(length));
            let escaped = event(&format!(r"\u0078{}", "x".repeat(length - 1)));
            let [plain, escaped] = [plain, escaped].map(|body| {
                let explained = engine.explain(&Inbound::new(body.as_bytes())).unwrap();
                explained.messages[0].queues[0].clone()
            });
            assert_eq!(escaped, plain, "{length}, {} letters", poiid.len());
        }
    }
}

/// The same with a store: what is dropped beside a good item is counted.
#[test]
fn a_bad_item_beside_a_good_one_is_counted_over_a_store_too() {
    let toml = "[endpoint.default]\nmerchant_accounts = [\"Mine\"]\n";
    let configuration = Configuration::parse_with(toml, &NoResolver, StoreSource::Host).unwrap();
    let engine = Engine::open_with(configuration, Arc::new(MemoryStore::new())).unwrap();
    let body = webhook(&[item("Mine", "A"), item("Other", "B")]);
    assert!(matches!(accept(&engine, body), Verdict::Accepted { count: 1, stored: true, .. }));
    assert_eq!(engine.counters().items_dropped, 1);
}
