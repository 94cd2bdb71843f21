//! The text of a field, read only when somebody asks for it.

use std::borrow::Cow;

use crate::form;
use crate::json::{Unescaped, unescape};
use crate::span::{Encoding, Span};

/// The bytes of one field, and how they are to be read.
///
/// Nothing is decoded or copied before a method asks for it; a field without escapes is borrowed as it stands.
///
/// ```
/// use nexowire_core::text::Text;
///
/// let text = Text::plain(b"V400m-346403161");
/// assert_eq!(text.to_str(), "V400m-346403161");
/// assert!(text.equals(b"V400m-346403161"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    raw: &'a [u8],
    encoding: Encoding,
}

impl<'a> Text<'a> {
    /// Text that is written as it is read.
    pub fn plain(raw: &'a [u8]) -> Self {
        Self { raw, encoding: Encoding::Plain }
    }

    /// These bytes, read this way.
    #[inline]
    pub(crate) fn new(raw: &'a [u8], encoding: Encoding) -> Self {
        Self { raw, encoding }
    }

    /// The text at `span` of `body`.
    #[inline]
    pub(crate) fn at(body: &'a [u8], span: Span) -> Self {
        Self { raw: span.of(body), encoding: span.encoding() }
    }

    /// The bytes as they stand in the body, between the quotes.
    #[inline]
    pub fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// How the raw bytes are to be read.
    #[inline]
    pub fn encoding(self) -> Encoding {
        self.encoding
    }

    /// The bytes of the text, escapes resolved; borrowed if it has none.
    pub fn to_bytes(self) -> Cow<'a, [u8]> {
        match self.encoding {
            Encoding::Plain => Cow::Borrowed(self.raw),
            Encoding::Json => unescape(self.raw),
            Encoding::Form => form::decode(self.raw),
        }
    }

    /// The text, escapes resolved; bytes that are not UTF-8, which only a form can hold, read as U+FFFD.
    pub fn to_str(self) -> Cow<'a, str> {
        form::lossy(self.to_bytes())
    }

    /// The bytes of the text one after the other, without allocating.
    pub fn bytes(self) -> Bytes<'a> {
        match self.encoding {
            Encoding::Plain => Bytes::Plain(self.raw.iter().copied()),
            Encoding::Json => Bytes::Json(Unescaped::new(self.raw)),
            Encoding::Form => Bytes::Form(form::Decoded::new(self.raw.iter().copied())),
        }
    }

    /// Whether the text is `other`.
    #[inline]
    pub fn equals(self, other: &[u8]) -> bool {
        match self.encoding {
            Encoding::Plain => self.raw == other,
            _ => self.bytes().eq(other.iter().copied()),
        }
    }

    /// The bytes of the text: borrowed if it has no escape, else decoded into `scratch` as far as that reaches.
    ///
    /// A text that is longer than `scratch` fills all of it.
    #[inline]
    pub fn decode_into<'b>(self, scratch: &'b mut [u8]) -> &'b [u8]
    where
        'a: 'b,
    {
        if self.encoding == Encoding::Plain {
            return self.raw;
        }
        let mut length = 0;
        for (place, byte) in scratch.iter_mut().zip(self.bytes()) {
            *place = byte;
            length += 1;
        }
        &scratch[..length]
    }
}

/// What [`Text::bytes`] gives.
#[derive(Clone, Debug)]
pub enum Bytes<'a> {
    /// As they are.
    Plain(std::iter::Copied<std::slice::Iter<'a, u8>>),
    /// From a JSON string.
    Json(Unescaped<'a>),
    /// From a form.
    Form(form::Decoded<std::iter::Copied<std::slice::Iter<'a, u8>>>),
}

impl Iterator for Bytes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        match self {
            Self::Plain(bytes) => bytes.next(),
            Self::Json(bytes) => bytes.next(),
            Self::Form(bytes) => bytes.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_reads_the_same_in_every_way() {
        for (raw, encoding, expected) in [
            (&b"caf%c3%a9+a"[..], Encoding::Form, "café a"),
            (b"caf\\u00e9 a", Encoding::Json, "café a"),
            ("café a".as_bytes(), Encoding::Plain, "café a"),
            (b"%ff", Encoding::Form, "\u{fffd}"),
        ] {
            let text = Text { raw, encoding };
            assert_eq!(text.to_str(), expected);
            assert!(text.bytes().eq(text.to_bytes().iter().copied()));
            assert!(text.equals(&text.to_bytes()) && !text.equals(b"caf"));
            assert_eq!(text.decode_into(&mut [0; 64]), &*text.to_bytes());
        }
    }

    #[test]
    fn a_long_text_fills_the_scratch() {
        let text = Text { raw: b"a\\nbcdef", encoding: Encoding::Json };
        assert_eq!(text.decode_into(&mut [0; 4]), b"a\nbc");
    }
}
