//! `key=value&key=value`: EventDetails, ReferenceID, AdditionalResponse, receipt lines and form-posted webhooks.
//!
//! Terminals write a space as `%20`, the vendor's backend writes `+`, and both mean it: a literal plus is always `%2b`.
//! Raw bytes are taken as they are, and a `%` that two hexadecimal digits do not follow stays a `%`.
//! Source: reference, sections 2, 4 and 13.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2};

use crate::json::hexadecimal;

/// The pairs of `text`, in order, repeated keys and all; nothing is decoded before it is asked for.
///
/// ```
/// use nexowire_core::form::pairs;
///
/// let mut pairs = pairs(b"newstate=IDLE&&message=Did+not%20answer&x");
/// assert_eq!(pairs.next().unwrap().value(), "IDLE");
/// assert_eq!(pairs.next().unwrap().value(), "Did not answer");
/// let last = pairs.next().unwrap(); // Empty parts are skipped.
/// assert_eq!((&*last.key(), &*last.value()), ("x", ""));
/// assert!(pairs.next().is_none());
/// ```
pub fn pairs(text: &[u8]) -> Pairs<'_> {
    Pairs { text, at: 0 }
}

/// The value of the first pair with this key, without decoding the others.
///
/// ```
/// use nexowire_core::form::find;
///
/// let pair = find(b"a=1&psp%52eference=NC6HT9CRT65ZGN82", b"pspReference").unwrap();
/// assert_eq!(pair.value(), "NC6HT9CRT65ZGN82");
/// ```
pub fn find<'a>(text: &'a [u8], key: &[u8]) -> Option<Pair<'a>> {
    pairs(text).find(|pair| pair.has_key(key))
}

/// Whether EventDetails of this text are pairs: an `=` stands before the first `&`.
pub fn is_pairs(text: &[u8]) -> bool {
    memchr2(b'=', b'&', text).is_some_and(|at| text[at] == b'=')
}

/// What [`pairs`] gives.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    text: &'a [u8],
    /// Where the next part begins.
    at: usize,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        while let Some(rest @ [_, ..]) = self.text.get(self.at..) {
            let start = self.at;
            let part = &rest[..memchr(b'&', rest).unwrap_or(rest.len())];
            self.at = start + part.len() + 1;
            if !part.is_empty() {
                let equals = memchr(b'=', part).unwrap_or(part.len());
                let value = (equals + 1).min(part.len());
                return Some(Pair { key: &part[..equals], value: &part[value..], value_start: start + value });
            }
        }
        None
    }
}

/// One key and its value, as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    key: &'a [u8],
    value: &'a [u8],
    value_start: usize,
}

impl<'a> Pair<'a> {
    /// The key, decoded; bytes that are not UTF-8 read as U+FFFD.
    pub fn key(self) -> Cow<'a, str> {
        lossy(decode(self.key))
    }

    /// The value, decoded; bytes that are not UTF-8 read as U+FFFD.
    pub fn value(self) -> Cow<'a, str> {
        lossy(decode(self.value))
    }

    /// The key as it stands.
    pub fn raw_key(self) -> &'a [u8] {
        self.key
    }

    /// The value as it stands.
    pub fn raw_value(self) -> &'a [u8] {
        self.value
    }

    /// Where the value stands in the text that the pairs were read from.
    pub fn value_range(self) -> Range<usize> {
        self.value_start..self.value_start + self.value.len()
    }

    /// Whether the decoded key is `key`.
    #[inline]
    pub fn has_key(self, key: &[u8]) -> bool {
        // A decoded key is never longer than it stands, and stands as it is decoded unless it holds an escape.
        let escaped = || memchr2(b'%', b'+', self.key).is_some();
        if self.key == key {
            return !escaped() || *decode(self.key) == *key;
        }
        self.key.len() >= key.len() && escaped() && Decoded::new(self.key.iter().copied()).eq(key.iter().copied())
    }
}

/// Bytes as text; what is not UTF-8 reads as U+FFFD. Borrowed stays borrowed where it is UTF-8.
pub(crate) fn lossy(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => match String::from_utf8_lossy(&bytes) {
            Cow::Borrowed(_) => Cow::Owned(String::from_utf8(bytes).unwrap_or_default()),
            Cow::Owned(text) => Cow::Owned(text),
        },
    }
}

/// The bytes that `raw` stands for; borrowed if it has neither `%` nor `+`.
pub fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr2(b'%', b'+', raw) else { return Cow::Borrowed(raw) };
    let mut bytes = Vec::with_capacity(raw.len());
    bytes.extend_from_slice(&raw[..first]);
    let mut rest = &raw[first..];
    while let [byte, after @ ..] = rest {
        let (decoded, length) = decode_first(*byte, after);
        bytes.push(decoded);
        let plain = memchr2(b'%', b'+', &after[length..]).map_or(after.len(), |at| length + at);
        bytes.extend_from_slice(&after[length..plain]);
        rest = &after[plain..];
    }
    Cow::Owned(bytes)
}

/// The byte that `byte` begins, and how many bytes behind it belong to it.
fn decode_first(byte: u8, after: &[u8]) -> (u8, usize) {
    match (byte, after) {
        (b'+', _) => (b' ', 0),
        (b'%', [high, low, ..]) => match (hexadecimal(*high), hexadecimal(*low)) {
            (Some(high), Some(low)) => (high << 4 | low, 2),
            _ => (b'%', 0),
        },
        _ => (byte, 0),
    }
}

/// The decoded bytes of any bytes, one at a time, for those who may not allocate.
///
/// ```
/// use nexowire_core::form::Decoded;
///
/// assert!(Decoded::new(b"a%2Fb+c%z".iter().copied()).eq(*b"a/b c%z"));
/// ```
#[derive(Clone, Debug)]
pub struct Decoded<I> {
    bytes: I,
}

impl<I: Iterator<Item = u8> + Clone> Decoded<I> {
    /// Decodes `bytes`.
    pub fn new(bytes: I) -> Self {
        Self { bytes }
    }
}

impl<I: Iterator<Item = u8> + Clone> Iterator for Decoded<I> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = self.bytes.next()?;
        let mut ahead = self.bytes.clone();
        let after = if byte == b'%' { [ahead.next(), ahead.next()] } else { [None; 2] };
        let (decoded, length) = match after {
            [Some(high), Some(low)] => decode_first(byte, &[high, low]),
            _ => decode_first(byte, &[]),
        };
        if length == 2 {
            self.bytes = ahead;
        }
        Some(decoded)
    }
}

/// The decoded value of the first pair with this key in bytes that cannot be borrowed as a slice.
pub(crate) fn find_in<I>(bytes: I, key: &[u8]) -> Option<Decoded<impl Iterator<Item = u8> + Clone>>
where
    I: Iterator<Item = u8> + Clone,
{
    let mut rest = bytes;
    loop {
        let mut part = rest.clone().take_while(|byte| *byte != b'&');
        if Decoded::new(part.clone().take_while(|byte| *byte != b'=')).eq(key.iter().copied()) {
            part.find(|byte| *byte == b'=');
            return Some(Decoded::new(part));
        }
        rest.find(|byte| *byte == b'&')?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
}
