//! Pairs against their definition: one byte after the other, under every marker.

use proptest::prelude::*;

use super::*;
use crate::simd::marks::markers;

/// Pairs by the words of the reference: split, split, decode from left to right.
fn obviously_right(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    fn decoded(text: &[u8]) -> Vec<u8> {
        let (mut bytes, mut at) = (vec![], 0);
        while at < text.len() {
            let pair = text.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
            let digits = pair.filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
            match (text[at], digits) {
                (b'%', Some(digits)) => {
                    bytes.push(u8::from_str_radix(digits, 16).unwrap());
                    at += 2;
                }
                (b'+', _) => bytes.push(b' '),
                (byte, _) => bytes.push(byte),
            }
            at += 1;
        }
        bytes
    }
    text.split(|byte| *byte == b'&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let mut halves = part.splitn(2, |byte| *byte == b'=');
            (decoded(halves.next().unwrap()), decoded(halves.next().unwrap_or_default()))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000_u32.max(ProptestConfig::default().cases)))]

    #[test]
    fn pairs_are_what_the_reference_says(text in proptest::collection::vec(
        prop_oneof![9 => proptest::sample::select(&b"&&==%%++ab2fFzZ \xc3"[..]), 1 => any::<u8>()], 0..60,
    )) {
        let expected = obviously_right(&text);
        let found: Vec<_> = pairs(&text)
            .map(|pair| (decode(pair.raw_key()).into_owned(), decode(pair.raw_value()).into_owned()))
            .collect();
        prop_assert_eq!(&found, &expected);
        for pair in pairs(&text) {
            prop_assert_eq!(&text[pair.value_range()], pair.raw_value());
        }
        check(&text);
        for (key, _) in &expected {
            let first = &expected.iter().find(|(other, _)| other == key).unwrap().1;
            prop_assert_eq!(&*decode(find(&text, key).unwrap().raw_value()), &first[..]);
            if !key.is_empty() {
                // An empty part is a pair with an empty key here, so that only other keys can be compared.
                prop_assert!(find_in(text.iter().copied(), key).unwrap().eq(first.iter().copied()));
            }
        }
        prop_assert!(find(&text, b"nowhere").is_none() && find_in(text.iter().copied(), b"nowhere").is_none());
    }
}

/// Pairs and their escapes by looking at one byte after the other.
fn bytewise(text: &[u8]) -> Vec<Pair<'_>> {
    let (mut pairs, mut start) = (vec![], 0);
    for part in text.split(|byte| *byte == b'&') {
        let key_end = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        let (key, value) = (&part[..key_end], part.get(key_end + 1..).unwrap_or_default());
        let escaped = |bytes: &[u8]| bytes.contains(&b'%') || bytes.contains(&b'+');
        let value_start = start + part.len() - value.len();
        let (key_escaped, value_escaped) = (escaped(key), escaped(value));
        pairs.extend((!part.is_empty()).then_some(Pair { key, value, value_start, key_escaped, value_escaped }));
        start += part.len() + 1;
    }
    pairs
}

/// Checks the pairs under every marker of this machine, and what they decode to.
fn check(text: &[u8]) {
    let expected = bytewise(text);
    for (number, marker) in markers().into_iter().enumerate() {
        let found: Vec<_> = Pairs::starting_at(text, 0, marker).collect();
        for key in
            expected.iter().map(|pair| decode(pair.key)).chain([Cow::Borrowed(&b"nowhere"[..]), Cow::Borrowed(b"")])
        {
            let first = expected.iter().find(|pair| *decode(pair.key) == *key);
            assert_eq!(
                find_with(text, &key, marker),
                first.copied(),
                "marker {number}, {:?} in {:?}",
                key.escape_ascii().to_string(),
                text.escape_ascii().to_string()
            );
        }
        assert_eq!(found, expected, "marker {number} on {:?}", text.escape_ascii().to_string());
    }
    for pair in expected {
        for (raw, found) in [(pair.key, pair.key()), (pair.value, pair.value())] {
            let bytes: Vec<u8> = Decoded::new(raw.iter().copied()).collect();
            assert_eq!(found, String::from_utf8_lossy(&bytes), "{:?}", raw.escape_ascii().to_string());
            assert_eq!(
                matches!(found, Cow::Borrowed(_)),
                bytes == raw && std::str::from_utf8(raw).is_ok() && !raw.contains(&b'%')
            );
            assert_eq!(*decode(raw), *bytes);
        }
        assert!(pair.has_key(&decode(pair.key)) && !pair.has_key(b"nowhere"));
    }
}

#[test]
fn parts_at_every_place_of_blocks() {
    for part in ["a=b", "key%41=v%c3%a9", "=", "a==b+", "only", "&&", "%=%", "a%2", "a=%4", "\u{e9}=\u{e9}"] {
        for before in 0..140 {
            for after in ["", "&", "&z", "=", "%41", "&x=1"] {
                check(format!("{}&{part}{after}", "k".repeat(before)).as_bytes());
                check(format!("{}{part}{after}", "v=".repeat(before)).as_bytes());
                let long = format!("{part}{}{after}", "w".repeat(before));
                // Text begins at any place of memory.
                (0..3).for_each(|start| check(&long.as_bytes()[start.min(long.len())..]));
            }
        }
    }
}

#[test]
fn marked_bytes_alone_and_together_across_blocks() {
    for length in 0..200 {
        for byte in *b"&=%+a" {
            let mut text = vec![byte; length];
            check(&text);
            for other in *b"&=%+" {
                for at in [0, 31, 32, 62, 63, 64, 65, 126, 127, 128].into_iter().filter(|at| *at < length) {
                    text[at] = other;
                    check(&text);
                    text[at] = byte;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000_u32.max(ProptestConfig::default().cases)))]

    #[test]
    fn long_texts_are_read_as_byte_by_byte(text in proptest::collection::vec(
        prop_oneof![
            3 => proptest::sample::select(&b"&=%+ab2fF\xc3\xa9"[..]),
            9 => proptest::sample::select(&b"abcdefghi0123456789"[..]),
        ], 0..400,
    ), start in 0_usize..64) {
        check(&text[start.min(text.len())..]);
    }
}

#[test]
fn event_details_are_pairs_if_an_equals_sign_comes_first() {
    for (text, expected) in [(&b"a=1"[..], true), (b"a&b=1", false), (b"", false), (b"=", true), (b"0123", false)] {
        assert_eq!(is_pairs(text), expected);
    }
}

#[test]
fn what_is_clean_is_borrowed() {
    assert!(matches!(pairs(b"a=b").next().unwrap().value(), Cow::Borrowed("b")));
}
