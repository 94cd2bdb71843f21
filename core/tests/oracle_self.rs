//! The oracle held against everything that is older than it: the corpus, serde_json, the standard library, and cases
//! that were worked out by hand.

mod oracle;

use oracle::json::{Failure, LIMITS, Limits, Value, parse};
use oracle::mutate::{Random, case, mutate};
use oracle::{base64, bases, classify, pairs, print};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Source: `expected.jsonl`, which follows reference, section 13, for every message of the corpus.
#[test]
fn the_corpus_is_read_as_expected() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let Ok(expected) = std::fs::read_to_string(corpus.join("expected.jsonl")) else { return };
    let mut wrong = Vec::new();
    for expected in expected.lines() {
        let expected: Json = serde_json::from_str(expected).expect("a line of JSON");
        let file = expected["file"].as_str().expect("a file");
        let line = classify::line(&std::fs::read(corpus.join(file)).expect("the file of the line"));
        for (name, expected) in expected.as_object().expect("an object").iter().filter(|(name, _)| *name != "file") {
            if line.get(name) != Some(expected) {
                wrong.push(format!("{file}: {name} is {:?}, expected {expected}", line.get(name)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// serde_json's policy: 127 containers, any size, of repeated members the last.
const SERDE: Limits = Limits { body: usize::MAX, depth: 127, members: usize::MAX };

fn check_against_serde(text: &[u8]) {
    let shown = String::from_utf8_lossy(text);
    match (parse(text, &SERDE), serde_json::from_slice::<Json>(text)) {
        (Ok(ours), Ok(theirs)) => assert!(same(&ours, &theirs), "{ours:?} is not {theirs:?}: {shown}"),
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("{ours:?} against {theirs:?}: {shown}"),
    }
}

fn same(ours: &Value, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(ours), Json::Bool(theirs)) => ours == theirs,
        // serde_json spells every exponent `e+` or `e-`.
        (Value::Number(ours), Json::Number(theirs)) => exponent(ours) == exponent(&theirs.to_string()),
        (Value::String(ours), Json::String(theirs)) => ours == theirs,
        (Value::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Json::Object(theirs)) => {
            let last: BTreeMap<&str, &Value> = ours.iter().map(|(name, value)| (name.as_str(), value)).collect();
            last.len() == theirs.len()
                && last.iter().all(|(name, ours)| theirs.get(*name).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => false,
    }
}

fn exponent(literal: &str) -> String {
    literal.to_lowercase().replace("e+", "e")
}

/// JSON text with white space and escapes where they may be, and with repeated names.
fn json_text() -> impl Strategy<Value = String> {
    let space = || prop::sample::select(vec!["", "", "", " ", "\n", "\t\r\n "]);
    let piece = prop::sample::select(vec![
        "a",
        "b",
        "",
        "\u{e9}",
        "\u{20ac}",
        "\u{1f600}",
        "\u{7f}",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b",
        "\\f",
        "\\n",
        "\\r",
        "\\t",
        "\\u0000",
        "\\u00e9",
        "\\u20AC",
        "\\ud83d\\ude00",
        "\\uDBFF\\uDFFF",
        "\\uFFFF",
        "'",
        "{",
        "]",
        ":",
        ",",
    ]);
    let string = prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()));
    let number = (
        prop::sample::select(vec!["", "-"]),
        prop::sample::select(vec!["0", "7", "10", "18446744073709551616"]),
        prop::sample::select(vec!["", "", ".0", ".50", ".123456789012345678901"]),
        prop::sample::select(vec!["", "", "e1", "E+2", "e-0", "E999"]),
    );
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "true", "false"]).prop_map(str::to_owned),
        number.prop_map(|(sign, whole, fraction, exponent)| format!("{sign}{whole}{fraction}{exponent}")),
        string.clone(),
    ];
    let spaced = move |inner: BoxedStrategy<String>| {
        (space(), inner, space()).prop_map(|(before, inner, after)| format!("{before}{inner}{after}")).boxed()
    };
    leaf.prop_recursive(6, 40, 5, move |inner| {
        let (name, value) = (spaced(string.clone().boxed()), spaced(inner.boxed()));
        prop_oneof![
            prop::collection::vec(value.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((name, value).prop_map(|(name, value)| format!("{name}:{value}")), 0..5)
                .prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000_u32.max(ProptestConfig::default().cases)))]

    #[test]
    fn generated_texts_are_read_as_serde_reads_them(text in json_text()) {
        prop_assert!(parse(text.as_bytes(), &LIMITS).is_ok(), "{}", text);
        check_against_serde(text.as_bytes());
    }

    #[test]
    fn damaged_texts_are_read_as_serde_reads_them(text in json_text(), seed in any::<u64>()) {
        check_against_serde(&mutate(seed, text.as_bytes()));
    }
}

#[test]
fn mutated_messages_are_read_as_serde_reads_them() {
    for seed in 0..100_000 {
        check_against_serde(&case(seed));
    }
    for depth in [126, 127, 128] {
        check_against_serde("[".repeat(depth).as_bytes());
        check_against_serde(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
    }
}

/// Goal: the offset of a failure is the first that it can be, and the last. Method: what stands before it has some byte
/// that may follow, and the byte at it is none of these.
#[test]
fn a_failure_is_where_it_is_first_known() {
    let mut failures = 0;
    for seed in 0..20_000 {
        let text = case(seed);
        let Err(Failure::Syntax(at)) = parse(&text, &LIMITS) else { continue };
        let fails_there = |text: &[u8]| parse(text, &LIMITS) == Err(Failure::Syntax(at));
        let follow = |byte: u8| [&text[..at], &[byte]].concat();
        assert!(at == text.len() || fails_there(&text[..=at]), "seed {seed}: not known at {at}");
        assert!((0..=u8::MAX).any(|byte| !fails_there(&follow(byte))), "seed {seed}: known before {at}");
        failures += 1;
    }
    assert!(failures > 1_000, "only {failures} failures: the mutator has become too gentle");
}

#[test]
fn utf8_is_what_the_standard_library_takes_for_it() {
    let edges = [
        0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
        0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    ];
    for (first, second) in edges.iter().flat_map(|first| edges.map(|second| (*first, second))) {
        for (third, fourth) in edges.iter().flat_map(|third| edges.map(|fourth| (*third, fourth))) {
            let bytes = [b'"', first, second, third, fourth, b'"'];
            let valid = std::str::from_utf8(&bytes).ok();
            assert_eq!(parse(&bytes, &LIMITS).ok().as_ref().and_then(Value::string), valid.map(|text| &text[1..5]));
        }
    }
}

/// Texts, each with the offset where it fails.
#[rustfmt::skip] // One a line would be a hundred lines.
const FAILURES: &[(&[u8], usize)] = &[
    (b"", 0), (b" \t\r\n", 4), (b"nul", 3), (b"nulL", 3), (b"True", 0), (b"NaN", 0), (b"\xef\xbb\xbf{}", 0),
    (b"{} x", 3), (b"1 2", 2), (b"01", 1), (b"-", 1), (b"-a", 1), (b"-01", 2), (b"+1", 0), (b".5", 0), (b"1.", 2),
    (b"1.e1", 2), (b"1e", 2), (b"1e+", 3), (b"1e+-1", 3), (b"0x1", 1), (b"1.2.3", 3), (b"[1,]", 3), (b"[,1]", 1),
    (b"[1 2]", 3), (b"[", 1), (b"]", 0), (b"[}", 1), (b"{", 1), (b"{,", 1), (b"{\"a\"}", 4), (b"{\"a\":}", 5),
    (b"{\"a\":1,}", 7), (b"{a:1}", 1), (b"{'a':1}", 1), (b"{\"a\" 1}", 5), (b"{1:1}", 1), (b"{\"a\"::1}", 5),
    (b"\"", 1), (b"\"a", 2), (b"\"\n\"", 1), (b"\"\x1f", 1), (b"\"\\", 2), (b"\"\\a\"", 2), (b"\"\\U0041\"", 2),
    (b"\"\\u\"", 3), (b"\"\\u004\"", 6), (b"\"\\u00g0\"", 5), (b"\"\\udc00\"", 4), (b"\"\\uDFFF\"", 4),
    (b"\"\\ud800\"", 7), (b"\"\\ud800x", 7), (b"\"\\ud800\\n", 8), (b"\"\\ud800\\u0041", 9),
    (b"\"\\ud800\\ud800", 10), (b"\"\\ud800\\ue000", 9), (b"\"\x80", 1), (b"\"\xc0\xaf", 1), (b"\"\xc1", 1),
    (b"\"\xc2\"", 2), (b"\"\xe0\x9f", 2), (b"\"\xed\xa0\x80", 2), (b"\"\xf0\x8f", 2), (b"\"\xf4\x90", 2),
    (b"\"\xf5", 1), (b"\"\xe2\x82\"", 3), (b"\0", 0), (b"{}\0", 2), (b"/**/1", 0), (b"\x0c1", 0), (b"\xc2\xa01", 0),
    (b"[1]]", 3), (b"\"a\"\"b\"", 3),
];

#[test]
fn failures_worked_out_by_hand() {
    for &(text, at) in FAILURES {
        assert_eq!(parse(text, &LIMITS), Err(Failure::Syntax(at)), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn values_worked_out_by_hand() {
    let surrogates = parse(br#""\ud800\udc00\uDBFF\uDFFF\uD7FF\uE000\u0000""#, &LIMITS).unwrap();
    assert_eq!(surrogates.string(), Some("\u{10000}\u{10ffff}\u{d7ff}\u{e000}\0"));
    let repeated = parse(br#"{"a":1,"\u0061":-0.50e+1,"a":{}}"#, &LIMITS).unwrap();
    let names: Vec<&str> = repeated.members().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, repeated.first("a")), (vec!["a"; 3], Some(&Value::Number("1".to_owned()))));
    assert_eq!(repeated.members()[1].1, Value::Number("-0.50e+1".to_owned()));
}

#[test]
fn each_limit_holds_exactly() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(64).as_bytes(), &LIMITS).is_ok());
    assert_eq!(parse(nested(65).as_bytes(), &LIMITS), Err(Failure::Depth));
    assert_eq!(parse("[".repeat(64).as_bytes(), &LIMITS), Err(Failure::Syntax(64)));
    assert_eq!(parse("[".repeat(65).as_bytes(), &LIMITS), Err(Failure::Depth));
    // Members of different objects count together, elements do not count.
    let members = |more: usize| format!("[{}{{}}]", "{\"a\":1},".repeat(65_536 + more) + &"0,".repeat(70_000));
    assert!(parse(members(0).as_bytes(), &LIMITS).is_ok());
    assert_eq!(parse(members(1).as_bytes(), &LIMITS), Err(Failure::Members));
    assert!(parse(format!("1{}", " ".repeat(1_048_575)).as_bytes(), &LIMITS).is_ok());
    assert_eq!(parse(format!("1{}", " ".repeat(1_048_576)).as_bytes(), &LIMITS), Err(Failure::Size));
    assert_eq!(parse("x".repeat(1_048_577).as_bytes(), &LIMITS), Err(Failure::Size));
}

#[test]
fn pairs_worked_out_by_hand() {
    type Pair = (&'static [u8], &'static [u8]);
    let cases: &[(&[u8], &[Pair])] = &[
        (b"", &[]),
        (b"&&", &[]),
        (b"=", &[(b"", b"")]),
        (b"a", &[(b"a", b"")]),
        (b"a=", &[(b"a", b"")]),
        (b"a=b=c", &[(b"a", b"b=c")]),
        (b"&a=1&&a=2&", &[(b"a", b"1"), (b"a", b"2")]),
        (b"+=+", &[(b" ", b" ")]),
        (b"%3d=%26", &[(b"=", b"&")]),
        (b"a=%2B%2b", &[(b"a", b"++")]),
        (b"a=%", &[(b"a", b"%")]),
        (b"a=%4", &[(b"a", b"%4")]),
        (b"a=%4g%41", &[(b"a", b"%4gA")]),
        (b"a=%%41", &[(b"a", b"%A")]),
        (b"a=%2541", &[(b"a", b"%41")]),
        (b"a=%ff\xff", &[(b"a", b"\xff\xff")]),
        (b"a=%+1", &[(b"a", b"% 1")]),
        (b"%&1=", &[(b"%", b""), (b"1", b"")]),
        (b"\xc3\xa9=%00", &[(b"\xc3\xa9", b"\0")]),
    ];
    for &(text, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        assert_eq!(pairs::pairs(text), expected, "{}", String::from_utf8_lossy(text));
    }
}

/// Source: WHATWG Infra, and the vectors of RFC 4648, section 10.
#[test]
fn base64_worked_out_by_hand() {
    for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
        assert_eq!(base64::encode(bytes.as_bytes()), text);
        assert_eq!(base64::forgiving_decode(text.as_bytes()), Some(bytes.into()));
        assert_eq!(base64::forgiving_decode(text.trim_end_matches('=').as_bytes()), Some(bytes.into()));
    }
    for text in
        ["Z", "=", "==", "====", "Zg=", "Zg===", "Zm8==", "Zm9v=", "Zm9v====", "Z=g=", "Zm9-", "Zm9\u{b}v", "\0"]
    {
        assert_eq!(base64::forgiving_decode(text.as_bytes()), None, "{text}");
    }
    assert_eq!(base64::forgiving_decode(b" Z\tm\n9\x0cv\r "), Some(b"foo".into()));
    assert_eq!(base64::forgiving_decode(b"Zh=\t="), Some(b"f".into()), "left-over bits are discarded");
}

#[test]
fn a_spelling_changes_nothing() {
    for (seed, (name, base)) in (0..).zip(bases::BASES.iter().cycle().take(2_000)) {
        let Ok(tree) = parse(base.as_bytes(), &LIMITS) else { continue };
        let mut random = Random::new(seed);
        let spelling = print::Spelling::random(&mut random);
        let text = print::print(&tree, spelling, &mut random);
        assert_eq!(parse(&text, &LIMITS), Ok(tree), "{name}, seed {seed}, {spelling:?}");
        let (mut before, mut after) = (classify::line(base.as_bytes()), classify::line(&text));
        before["bytes"].take();
        after["bytes"].take();
        assert_eq!(before, after, "{name}, seed {seed}, {spelling:?}");
    }
}

/// Goal: a long run of mutations leaves no rule untried. Every kind, flag, failure and member has to turn up.
#[test]
fn mutation_reaches_everything() {
    let mut met = BTreeSet::new();
    for seed in 0..60_000 {
        let text = case(seed);
        assert_eq!(text, case(seed), "a seed makes one message");
        if let Err(failure) = parse(&text, &LIMITS) {
            met.insert(format!("{failure:?}").split('(').next().unwrap().to_owned());
        }
        let line = classify::line(&text);
        met.insert(line["kind"].to_string());
        met.insert(line["additional_response_format"].to_string());
        met.extend(line["flags"].as_array().unwrap().iter().map(Json::to_string));
        met.extend(
            line.as_object().unwrap().iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()),
        );
    }
    let kinds = nexowire_core::nexo::Kind::ALL.iter().map(|kind| kind.word()).filter(|word| *word != "timeout");
    let flags = "repeated_member both_envelopes two_bodies category_mismatch type_mismatch header_missing \
                 header_number header_other unknown_word empty base64json kvp text";
    let quoted = kinds.chain(flags.split_whitespace()).map(|word| format!("\"{word}\""));
    let failures = ["Size", "Depth", "Members", "Syntax"].map(str::to_owned);
    let missing: Vec<_> = quoted.chain(failures).filter(|word| !met.contains(word)).collect();
    assert!(missing.is_empty(), "never met: {missing:?}");
    let members = classify::line(b"");
    let never: Vec<_> = members.as_object().unwrap().keys().filter(|name| !met.contains(*name)).collect();
    assert!(never.is_empty(), "always null: {never:?}");
}
