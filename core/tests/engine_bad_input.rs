//! Whatever arrives gets a verdict, and what is kept is kept byte for byte. Source: design, sections 5 and 10.

mod support;

use nexowire_core::engine::Inbound;
use nexowire_core::limits::Limits;
use support::{consumer, engine, messages, poll, quarantine};

/// Small, as every body gets a new engine: so nothing that an earlier one has left can help.
const SMALL: &str = "default_queue = \"other\"\n[[queue]]\nname = \"other\"\nlanes = 1\ncapacity = 256\n";

/// Accepts a body, copied and shared, and checks that it is where its verdict says; the words of verdict and reason.
fn fate(body: &[u8]) -> (&'static str, Option<&'static str>) {
    let fates = [Inbound::new(body), Inbound::shared(body.to_vec().into())].map(|inbound| {
        let engine = engine(SMALL);
        let explained = engine.explain(&inbound).unwrap();
        let verdict = engine.accept(inbound).unwrap();
        assert_eq!((explained.verdict, explained.reason), (verdict.word(), verdict.reason()));
        let batch = poll(&mut consumer(&engine, "other"));
        let entries = quarantine(&engine);
        assert_eq!(batch.len(), verdict.count() as usize);
        for message in batch.iter().map(|one| &one.message) {
            assert!(message.received() == body && message.body() == body);
            // Whoever reads it is safe from it too.
            drop((message.summary(), message.view().poi_id().map(|text| text.to_str().into_owned())));
        }
        assert!(entries.iter().all(|entry| entry.body == body && Some(entry.reason.word()) == verdict.reason()));
        assert_eq!(entries.first().map(|entry| entry.seq), verdict.seq().filter(|_| verdict.word() == "quarantined"));
        assert!(verdict.is_kept() || ["too_large", "ignored"].contains(&verdict.word()));
        assert_eq!(verdict.is_kept(), !batch.is_empty() || !entries.is_empty());
        (verdict.word(), verdict.reason())
    });
    assert_eq!(fates[0], fates[1]);
    fates[0]
}

const MALFORMED: (&str, Option<&str>) = ("quarantined", Some("malformed"));
const FOREIGN: (&str, Option<&str>) = ("quarantined", Some("foreign"));
const TOO_LARGE: (&str, Option<&str>) = ("too_large", None);
const IGNORED: (&str, Option<&str>) = ("ignored", Some("acknowledgement"));

/// As many bytes as a body may have, and one more.
const MEBIBYTE: usize = Limits::MAX.body as usize;

fn repeated(pattern: &[u8], length: usize) -> Vec<u8> {
    pattern.iter().copied().cycle().take(length).collect()
}

#[test]
fn a_mebibyte_of_one_thing() {
    for (pattern, expected) in [
        (&b"["[..], MALFORMED),
        (b"{", MALFORMED),
        (b"[[],", MALFORMED),
        (b"{\"\":", MALFORMED),
        (b"]", MALFORMED),
        (b"\"", MALFORMED),
        (b"\\", MALFORMED),
        (b"\\u", MALFORMED),
        (b"7", FOREIGN),
        (b"0", MALFORMED),
        (b" ", IGNORED),
        (b"\r\n\t ", IGNORED),
        (b"\0", MALFORMED),
        (b"\x80", MALFORMED),
        (b"\xff", MALFORMED),
        (b"\xf0\x9f\x92\xb3", MALFORMED),
        (b"a", MALFORMED),
        (b"a=%", MALFORMED),
        (b"&", MALFORMED),
        (b"<Envelope>", ("quarantined", Some("soap"))),
    ] {
        assert_eq!(fate(&repeated(pattern, MEBIBYTE)), expected, "{pattern:?}");
        assert_eq!(fate(&repeated(pattern, MEBIBYTE + 1)), TOO_LARGE, "{pattern:?}");
        assert_eq!(fate(&repeated(pattern, 2 * MEBIBYTE)), TOO_LARGE, "{pattern:?}");
    }
}

/// The same, where it is expected: in a text, in a number, in a name, in front and behind, and in a form.
#[test]
fn a_mebibyte_in_its_place() {
    let around = |before: &str, pattern: &[u8], after: &str| {
        let length = (MEBIBYTE - before.len() - after.len()) / pattern.len() * pattern.len();
        [before.as_bytes(), &repeated(pattern, length), after.as_bytes()].concat()
    };
    let poiid = r#"{"SaleToPOIRequest":{"MessageHeader":{"POIID":""#;
    let details = r#"{"SaleToPOIRequest":{"EventNotification":{"EventDetails":""#;
    const ACCEPTED: (&str, Option<&str>) = ("accepted", None);
    for (before, pattern, after, expected) in [
        ("\"", &b"\\\\"[..], "\"", FOREIGN),
        ("\"", b"\\\\", "\\\"", MALFORMED),
        ("\"", b"\\\"", "\"", FOREIGN),
        ("\"", b"\\u0000", "\"", FOREIGN),
        ("\"", b"\0", "\"", MALFORMED),
        ("\"", b"\\ud800", "\"", MALFORMED),
        ("-0.", b"7", "e-9", FOREIGN),
        ("1e", b"9", "", FOREIGN),
        ("[", b"0,", "0]", FOREIGN),
        ("{\"", b"a", "\":0}", FOREIGN),
        ("", b" ", "{}", FOREIGN),
        ("{}", b"\n", "", FOREIGN),
        ("{}", b"\n", "\0", MALFORMED),
        (poiid, b"x", "\"}}}", ACCEPTED),
        (poiid, b"\\u0041", "\"}}}", ACCEPTED),
        (poiid, b"\\\\", "\"}}}", ACCEPTED),
        (details, b"a=1&", "\"}}}", ACCEPTED),
        (details, b"%", "\"}}}", ACCEPTED),
        ("eventCode=1&pspReference=", b"%2", "", ACCEPTED),
        ("eventCode=1&pspReference=1", b"&a", "", ACCEPTED),
        (r#"{"notificationItems":["#, b"0,", "0]}", ("quarantined", Some("too_many_items"))),
    ] {
        assert_eq!(fate(&around(before, pattern, after)), expected, "{before} {pattern:?} {after}");
    }
}

#[test]
fn a_number_of_100_000_digits() {
    let digits = "7".repeat(100_000);
    assert_eq!(fate(digits.as_bytes()), FOREIGN);
    assert_eq!(fate(format!("-{digits}.{digits}E+{digits}").as_bytes()), FOREIGN);
    assert_eq!(fate(format!("{digits}.").as_bytes()), MALFORMED);
    // A header field may be a number, and counts as its text.
    let poiid = format!(r#"{{"SaleToPOIRequest":{{"MessageHeader":{{"POIID":{digits}}}}}}}"#);
    assert_eq!(fate(poiid.as_bytes()), ("accepted", None));
}

#[test]
fn every_byte_as_a_body() {
    for byte in 0..=u8::MAX {
        let expected = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => IGNORED,
            b'0'..=b'9' => FOREIGN,
            _ => MALFORMED,
        };
        assert_eq!(fate(&[byte]), expected, "{byte:#04x}");
    }
    assert_eq!(fate(b""), IGNORED);
}

/// Every byte value at every place of a small message: a verdict each, and never a byte lost.
#[test]
fn every_byte_at_every_place() {
    let body = br#"{"SaleToPOIRequest":{"EventNotification":{"EventToNotify":"Reject"}}}"#;
    for at in 0..body.len() {
        for byte in (0..=u8::MAX).step_by(5) {
            let mut body = body.to_vec();
            body[at] = byte;
            fate(&body);
        }
    }
}

/// A body that was cut short is kept as it is, wherever it was cut.
#[test]
fn every_prefix_of_a_payment_response() {
    let responses = messages().into_iter().filter(|(name, body)| {
        let is_one = ["payment-success-minimal", "payment-success-base64", "payment-success-receipts.json"]
            .iter()
            .any(|wanted| name.contains(wanted));
        is_one && body.len() < 8_192
    });
    let mut count = 0;
    for (name, body) in responses {
        let whole = body.trim_ascii_end().len();
        assert_eq!(fate(&body), ("accepted", None), "{name}");
        assert_eq!(fate(&[]), IGNORED);
        for end in 1..whole {
            assert_eq!(fate(&body[..end]), MALFORMED, "{name}, {end} bytes");
        }
        for end in whole..body.len() {
            assert_eq!(fate(&body[..end]), ("accepted", None), "{name}, {end} bytes");
        }
        count += 1;
    }
    assert!(count >= 2, "{count} payment responses");
}

/// Every test message is somewhere, byte for byte.
#[test]
fn every_test_message_has_a_fate() {
    for (name, body) in messages() {
        let (word, _) = fate(&body);
        assert!(["accepted", "quarantined", "ignored", "too_large"].contains(&word), "{name}: {word}");
    }
}
