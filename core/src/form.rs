//! `key=value&key=value`: EventDetails, ReferenceID, AdditionalResponse, receipt lines and form-posted webhooks.
//!
//! Terminals write a space as `%20`, the vendor's backend writes `+`, and both mean it: a literal plus is always `%2b`.
//! Raw bytes are taken as they are, and a `%` that two hexadecimal digits do not follow stays a `%`.
//! Source: reference, sections 2, 4 and 13.

mod find;

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

pub use self::find::find;
pub(crate) use self::find::find_with;
use crate::simd::ascii::{string_of, text_of};
pub(crate) use crate::simd::marks::Marks;
use crate::simd::marks::{Marker, fastest_marker};

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
#[inline]
pub fn pairs(text: &[u8]) -> Pairs<'_> {
    Pairs::starting_at(text, 0, fastest_marker())
}

/// What a form is marked with where nothing else is at hand.
#[cfg(test)]
pub(crate) fn marks(text: &[u8], at: usize) -> Marks {
    fastest_marker()(text, at)
}

/// Whether EventDetails of this text are pairs: an `=` stands before the first `&`.
pub fn is_pairs(text: &[u8]) -> bool {
    memchr2(b'=', b'&', text).is_some_and(|at| text[at] == b'=')
}

/// The end of the text, `rest` bytes behind the first that is marked, ends a part like an ampersand, so it is marked as
/// one.
#[inline(always)]
fn end_marked(mut marks: Marks, rest: usize) -> Marks {
    if rest < 64 {
        marks.ampersand |= 1 << rest;
    }
    marks
}

/// What [`pairs`] gives.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    text: &'a [u8],
    /// Where the next part begins.
    at: usize,
    /// Where the 64 bytes begin that are marked; `at` is within them, just behind them, or behind the text.
    block: usize,
    /// The marks of the block from `at` on.
    marks: Marks,
    marker: Marker,
}

impl<'a> Pairs<'a> {
    /// The pairs from `start` on, which is where a part begins, or behind the end.
    #[inline]
    fn starting_at(text: &'a [u8], start: usize, marker: Marker) -> Self {
        let marks = if start < text.len() { Self::marks(text, start, marker) } else { Marks::default() };
        Self { text, at: start, block: start, marks, marker }
    }

    #[inline]
    fn marks(text: &[u8], block: usize, marker: Marker) -> Marks {
        end_marked(marker(text, block), text.len() - block)
    }

    /// The part that begins at `self.at`, which is within the text; it may be empty.
    #[inline]
    fn part(&mut self) -> Pair<'a> {
        let Marks { ampersand, equals, escape } = self.marks;
        if ampersand == 0 {
            return self.long_part();
        }
        // All bits up to the lowest ampersand, and all up to the first equals sign, or all.
        let part = ampersand ^ (ampersand - 1);
        let (equals_here, escape_here) = (equals & part, escape & part);
        let key = equals_here ^ equals_here.wrapping_sub(1);
        let (start, end) = (self.at, self.block + ampersand.trailing_zeros() as usize);
        let key_end = self.block + (equals_here | ampersand).trailing_zeros() as usize;
        self.marks = Marks { ampersand: ampersand & !part, equals: equals & !part, escape: escape & !part };
        self.at = end + 1;
        Pair::new(self.text, [start, key_end, end], [escape_here & key != 0, escape_here & !key != 0])
    }

    /// The same of a part that does not end in this block.
    fn long_part(&mut self) -> Pair<'a> {
        let start = self.at;
        let (mut key_end, mut key_escaped, mut value_escaped) = (None, false, false);
        let end = loop {
            let Marks { ampersand, equals, escape } = self.marks;
            let part = ampersand ^ ampersand.wrapping_sub(1);
            let (equals_here, escape_here) = (equals & part, escape & part);
            // The bits up to the first equals sign, or all; none if the key ended in an earlier block.
            let key = if key_end.is_none() { equals_here ^ equals_here.wrapping_sub(1) } else { 0 };
            key_escaped |= escape_here & key != 0;
            value_escaped |= escape_here & !key != 0;
            if key_end.is_none() && equals_here != 0 {
                key_end = Some(self.block + equals_here.trailing_zeros() as usize);
            }
            if ampersand != 0 {
                self.marks = Marks { ampersand: ampersand & !part, equals: equals & !part, escape: escape & !part };
                break self.block + ampersand.trailing_zeros() as usize;
            }
            self.block += 64;
            if self.block >= self.text.len() {
                break self.text.len();
            }
            self.marks = Self::marks(self.text, self.block, self.marker);
        };
        self.at = end + 1;
        Pair::new(self.text, [start, key_end.unwrap_or(end), end], [key_escaped, value_escaped])
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    #[inline]
    fn next(&mut self) -> Option<Pair<'a>> {
        while self.at < self.text.len() {
            let start = self.at;
            let pair = self.part();
            if self.at > start + 1 {
                return Some(pair);
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
    /// Whether the key has a `%` or a `+`.
    key_escaped: bool,
    /// The same of the value.
    value_escaped: bool,
}

impl<'a> Pair<'a> {
    /// The pair that stands between two places, with the one where its key ends; if this is the last, it has no value.
    #[inline(always)]
    fn new(text: &'a [u8], [start, key_end, end]: [usize; 3], [key_escaped, value_escaped]: [bool; 2]) -> Self {
        let value_start = (key_end + 1).min(end);
        let (key, value) = (&text[start..key_end], &text[value_start..end]);
        Self { key, value, value_start, key_escaped, value_escaped }
    }

    /// The key, decoded; bytes that are not UTF-8 read as U+FFFD.
    #[inline]
    pub fn key(self) -> Cow<'a, str> {
        if self.key_escaped { decoded_text(self.key) } else { borrowed_text(self.key) }
    }

    /// The value, decoded; bytes that are not UTF-8 read as U+FFFD.
    #[inline]
    pub fn value(self) -> Cow<'a, str> {
        if self.value_escaped { decoded_text(self.value) } else { borrowed_text(self.value) }
    }

    /// Key and value, if both are text as they stand: most are, and need not be moved about as what may be owned.
    #[inline]
    pub(crate) fn as_they_stand(self) -> Option<(&'a str, &'a str)> {
        if self.key_escaped | self.value_escaped {
            return None;
        }
        Some((text_of(self.key).ok()?, text_of(self.value).ok()?))
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
        if self.key_escaped {
            return Decoded::new(self.key.iter().copied()).eq(key.iter().copied());
        }
        self.key == key
    }
}

/// Bytes without an escape as text.
#[inline]
fn borrowed_text(bytes: &[u8]) -> Cow<'_, str> {
    text_of(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// What `raw` stands for as text, if it has an escape.
fn decoded_text(raw: &[u8]) -> Cow<'static, str> {
    Cow::Owned(owned_text(decoded(raw)))
}

fn owned_text(bytes: Vec<u8>) -> String {
    string_of(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Bytes as text; what is not UTF-8 reads as U+FFFD. Borrowed stays borrowed where it is UTF-8.
pub(crate) fn lossy(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => borrowed_text(bytes),
        Cow::Owned(bytes) => Cow::Owned(owned_text(bytes)),
    }
}

/// The bytes that `raw` stands for; borrowed if it has neither `%` nor `+`.
pub fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr2(b'%', b'+', raw).is_some() { Cow::Owned(decoded(raw)) } else { Cow::Borrowed(raw) }
}

/// The bytes that `raw` stands for.
fn decoded(raw: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len());
    let marker = fastest_marker();
    // What stands before this place has been decoded.
    let mut done = 0;
    for block in (0..raw.len()).step_by(64) {
        let mut escapes = marker(raw, block).escape;
        while escapes != 0 {
            let at = block + escapes.trailing_zeros() as usize;
            escapes &= escapes - 1;
            bytes.extend_from_slice(&raw[done..at]);
            let (byte, length) = decode_first(raw[at], &raw[at + 1..]);
            bytes.push(byte);
            // The digits of an escape are none themselves, so that no mark is passed over.
            done = at + 1 + length;
        }
    }
    bytes.extend_from_slice(&raw[done..]);
    bytes
}

/// The byte that `byte` begins, and how many bytes behind it belong to it.
#[inline]
fn decode_first(byte: u8, after: &[u8]) -> (u8, usize) {
    match (byte, after) {
        (b'+', _) => (b' ', 0),
        (b'%', [high, low, ..]) => {
            let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
            if high | low < 16 { (high << 4 | low, 2) } else { (b'%', 0) }
        }
        _ => (byte, 0),
    }
}

/// The value of each byte as a hexadecimal digit of either case; 255 if it is none.
const DIGITS: [u8; 256] = {
    let (mut digits, mut value) = ([255; 256], 0);
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

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
mod tests;
