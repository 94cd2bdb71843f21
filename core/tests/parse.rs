//! Limits, and where errors are said to be.

use nexowire_core::limits::Limits;
use nexowire_core::nexo::Field;
use nexowire_core::parse::parse;
use nexowire_core::{Error, ErrorKind};

fn error(body: &[u8], limits: &Limits) -> Option<(ErrorKind, usize)> {
    parse(body, limits).err().map(|error: Error| (error.kind(), error.offset()))
}

#[test]
fn limits_hold_to_the_byte() {
    use ErrorKind::{BodyTooLarge, TooDeep, TooManyMembers, UnexpectedEnd};
    let max = Limits::MAX;
    for (body, limits, expected) in [
        ("", Limits { body: 0, ..max }, Some((UnexpectedEnd, 0))),
        ("1", Limits { body: 0, ..max }, Some((BodyTooLarge, 0))),
        ("[1]", Limits { body: 3, ..max }, None),
        ("[1] ", Limits { body: 3, ..max }, Some((BodyTooLarge, 3))),
        ("1", Limits { depth: 0, ..max }, None),
        ("[]", Limits { depth: 0, ..max }, Some((TooDeep, 0))),
        (r#"{"a":1}"#, Limits { depth: 1, ..max }, None),
        (r#"{"a":[]}"#, Limits { depth: 1, ..max }, Some((TooDeep, 5))),
        (r#"{"SaleToPOIRequest":{}}"#, Limits { depth: 1, ..max }, Some((TooDeep, 20))),
        ("[{}]", Limits { members: 0, ..max }, None),
        (r#"{"a":1}"#, Limits { members: 0, ..max }, Some((TooManyMembers, 1))),
        (r#"{"a":1,"b":2}"#, Limits { members: 1, ..max }, Some((TooManyMembers, 7))),
    ] {
        assert_eq!(error(body.as_bytes(), &limits), expected, "{body}");
    }
}

#[test]
fn limits_cannot_be_raised() {
    let limits = Limits { body: u32::MAX, depth: u32::MAX, members: u32::MAX, ..Limits::MAX };
    let nested = |depth: usize, end: &str| format!("{}1{}{end}", r#"{"a":"#.repeat(depth), "}".repeat(depth - 1));
    assert_eq!(error(nested(64, "}").as_bytes(), &limits), None);
    for wrong_or_right in ["]", "}"] {
        let at = 5 * 64;
        assert_eq!(error(nested(65, wrong_or_right).as_bytes(), &limits), Some((ErrorKind::TooDeep, at)));
    }
    let skipped = format!(r#"{{"x":{}}}"#, nested(64, "]"));
    assert_eq!(error(skipped.as_bytes(), &limits), Some((ErrorKind::TooDeep, 5 + 5 * 63)));
    let members = format!("{{{}\"\":1}}", "\"\":1,".repeat(65_536));
    assert_eq!(error(members.as_bytes(), &limits), Some((ErrorKind::TooManyMembers, 1 + 5 * 65_536)));
    let body = " ".repeat(1 << 20) + "1";
    assert_eq!(error(body.as_bytes(), &limits), Some((ErrorKind::BodyTooLarge, 1 << 20)));
}

/// A person who opens the body at the offset must see what is wrong.
#[test]
fn errors_are_where_a_person_would_look() {
    use ErrorKind::*;
    for (body, kind, offset) in [
        (&b""[..], UnexpectedEnd, 0),
        (b" ", UnexpectedEnd, 1),
        (b"{", UnexpectedEnd, 1),
        (br#"{"a"#, UnexpectedEnd, 3),
        (br#"{"a" 1}"#, ExpectedColon, 5),
        (br#"{"a":}"#, ExpectedValue, 5),
        (br#"{"a":1 "b":2}"#, ExpectedCommaOrBrace, 7),
        (br#"{"a":1,}"#, ExpectedName, 7),
        (br#"{'a':1}"#, ExpectedName, 1),
        (br#"{"a":1]"#, ExpectedCommaOrBrace, 6),
        (b"[1,]", ExpectedValue, 3),
        (b"[1}", ExpectedCommaOrBracket, 2),
        (b"[1]x", ExpectedEnd, 3),
        (b"[nul]", ExpectedLiteral, 4),
        (b"[truer]", ExpectedLiteral, 5),
        (b"tru", UnexpectedEnd, 3),
        (b"[01]", ExpectedNumberEnd, 2),
        (b"[-]", ExpectedDigit, 2),
        (b"[1.]", ExpectedDigit, 3),
        (b"[1e+]", ExpectedDigit, 4),
        (b"[+1]", ExpectedValue, 1),
        (b"[\"a\nb\"]", ControlCharacter, 3),
        (br#"["a\x"]"#, ExpectedEscape, 4),
        (br#"["\u12g4"]"#, ExpectedEscape, 6),
        (br#"["a\ud83d"]"#, LoneSurrogate, 3),
        (br#"["\udf70"]"#, LoneSurrogate, 2),
        (b"[\"a\xff\"]", ExpectedUtf8, 3),
        (b"[\"\xff\" 1]", ExpectedUtf8, 2),
        (b"[\"a\" \"\xff\"]", ExpectedCommaOrBracket, 5),
        (b"\xef\xbb\xbf{}", ByteOrderMark, 0),
    ] {
        let text = String::from_utf8_lossy(body);
        assert_eq!(error(body, &Limits::MAX), Some((kind, offset)), "{text}");
        // The same behind the boundaries of a block and of a window.
        for shift in [63, 1_020, 1_023, 1_024] {
            if kind != ByteOrderMark {
                let body = [&vec![b' '; shift][..], body].concat();
                assert_eq!(error(&body, &Limits::MAX), Some((kind, offset + shift)), "{text} behind {shift}");
            }
        }
    }
}

/// No body may cost more than its length: a hostile one would hold up a receiving thread for all terminals. Nobody needs
/// a clock to see it: with the square of its length this takes minutes.
#[test]
fn many_references_cost_no_more_than_their_bytes() {
    let output =
        |reference: &str| format!(r#"{{"OutputContent":{{"PredefinedContent":{{"ReferenceID":"{reference}"}}}}}}"#);
    let long = output(&format!("{}\\u003d", "\\u0061".repeat(80_000)));
    let others = vec![output("="); 8_000].join(",");
    let body = format!(r#"{{"SaleToPOIRequest":{{"DisplayRequest":{{"DisplayOutput":[{long},{others}]}}}}}}"#);
    let fields = parse(body.as_bytes(), &Limits::MAX).unwrap();
    let reference = fields.get(Field::ReferenceId).unwrap();
    assert_eq!(reference.start(), body.find("\\u0061").unwrap());
}
