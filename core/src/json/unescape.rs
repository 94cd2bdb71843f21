//! The text of a JSON string whose escapes have been checked.

use std::borrow::Cow;

use super::hexadecimal;

/// The text between the quotes of a JSON string, its escapes resolved; borrowed if it has none.
///
/// What is no escape stays as it is: only a string that was not checked can hold that.
///
/// ```
/// use nexowire_core::json::unescape;
///
/// assert_eq!(unescape(br"Caf\u00e9 \ud83c\udf70"), "Café 🍰".as_bytes());
/// assert!(matches!(unescape(b"plain"), std::borrow::Cow::Borrowed(_)));
/// ```
pub fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', raw) else { return Cow::Borrowed(raw) };
    let mut text = Vec::with_capacity(raw.len());
    text.extend_from_slice(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some((decoded, after)) = next_escape(rest) {
        text.extend_from_slice(decoded.as_slice());
        let plain = memchr::memchr(b'\\', after).unwrap_or(after.len());
        text.extend_from_slice(&after[..plain]);
        rest = &after[plain..];
    }
    Cow::Owned(text)
}

/// The same, a byte at a time, for those who may not allocate.
///
/// ```
/// use nexowire_core::json::Unescaped;
///
/// assert!(Unescaped::new(br"P\u0061y").eq(*b"Pay"));
/// ```
#[derive(Clone, Debug)]
pub struct Unescaped<'a> {
    rest: &'a [u8],
    decoded: Decoded,
}

impl<'a> Unescaped<'a> {
    /// Reads `raw`, the text between the quotes.
    pub fn new(raw: &'a [u8]) -> Self {
        Self { rest: raw, decoded: Decoded::default() }
    }
}

impl Iterator for Unescaped<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let Some(byte) = self.decoded.next() {
            return Some(byte);
        }
        if let [byte, rest @ ..] = self.rest
            && *byte != b'\\'
        {
            self.rest = rest;
            return Some(*byte);
        }
        (self.decoded, self.rest) = next_escape(self.rest)?;
        self.decoded.next()
    }
}

/// One to four bytes that an escape stands for.
#[derive(Clone, Copy, Debug, Default)]
struct Decoded {
    bytes: [u8; 4],
    start: u8,
    end: u8,
}

impl Decoded {
    fn of(character: char) -> Self {
        let mut bytes = [0; 4];
        let end = character.encode_utf8(&mut bytes).len() as u8;
        Self { bytes, start: 0, end }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..usize::from(self.end)]
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.as_slice().first()?;
        self.start += 1;
        Some(byte)
    }
}

/// What the escape at the beginning of `raw` stands for, and what follows it; `None` at the end.
fn next_escape(raw: &[u8]) -> Option<(Decoded, &[u8])> {
    let (&backslash, after) = raw.split_first()?;
    let short = |character, length: usize| Some((Decoded::of(character), &after[length..]));
    match after.first() {
        Some(b'b') => short('\u{8}', 1),
        Some(b'f') => short('\u{c}', 1),
        Some(b'n') => short('\n', 1),
        Some(b'r') => short('\r', 1),
        Some(b't') => short('\t', 1),
        Some(&byte @ (b'"' | b'\\' | b'/')) => short(char::from(byte), 1),
        Some(b'u') => match (unit(after), after.get(5..).and_then(second_unit)) {
            (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
                let scalar = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                short(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
            }
            (Some(unit), _) => short(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 5),
            (None, _) => short(char::from(backslash), 0),
        },
        _ => short(char::from(backslash), 0),
    }
}

/// The unit of `uXXXX`.
fn unit(text: &[u8]) -> Option<u32> {
    text.get(1..5)?.iter().try_fold(0, |unit, &digit| Some(unit << 4 | u32::from(hexadecimal(digit)?)))
}

/// The unit of `\uXXXX`.
fn second_unit(text: &[u8]) -> Option<u32> {
    text.strip_prefix(b"\\").filter(|text| text.first() == Some(&b'u')).and_then(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_what_serde_json_gives() {
        for raw in [
            r"",
            r"plain",
            r#"\"\\\/\b\f\n\r\t"#,
            r"a\u0000b",
            r"\u00e9\u20AC",
            r"\ud83c\udf70!",
            r"x\\\\u0041",
            r"\\",
            r"é\/é",
        ] {
            let expected: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
            assert_eq!(unescape(raw.as_bytes()), expected.as_bytes(), "{raw}");
            assert!(Unescaped::new(raw.as_bytes()).eq(expected.bytes()), "{raw}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for raw in [r"\", r"\q", r"\u12", r"\u12g4", r"a\"] {
            assert_eq!(unescape(raw.as_bytes()), raw.as_bytes(), "{raw}");
            assert!(Unescaped::new(raw.as_bytes()).eq(raw.bytes()), "{raw}");
        }
    }
}
