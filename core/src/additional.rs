//! `Response.AdditionalResponse`, in whichever of its formats it came.
//!
//! The format mirrors the request, except when an error was raised before the request was read; a receiver cannot know,
//! so that every message is asked anew. Source: reference, sections 4 and 13.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

use crate::form;
use crate::json::{Cursor, Value, unescape};
use crate::limits::Limits;
use crate::simd::Kernel;
use crate::text::Text;

/// How an AdditionalResponse is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `key=value&key=value`
    Kvp,
    /// Base64 of a JSON object.
    Base64Json,
    /// Anything else that is not empty.
    Text,
    /// The empty string.
    Empty,
}

impl Format {
    /// `kvp`, `base64json`, `text` or `empty`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kvp => "kvp",
            Self::Base64Json => "base64json",
            Self::Text => "text",
            Self::Empty => "empty",
        }
    }
}

/// A key and its value, decoded.
pub type TextPair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// An AdditionalResponse with its format found out.
///
/// ```
/// use nexowire_core::additional::{AdditionalResponse, Format};
/// use nexowire_core::text::Text;
///
/// // {"additionalData":{"tid":"47"},"message":"CANCELLED"}
/// let text = Text::plain(b"eyJhZGRpdGlvbmFsRGF0YSI6eyJ0aWQiOiI0NyJ9LCJtZXNzYWdlIjoiQ0FOQ0VMTEVEIn0=");
/// let additional = AdditionalResponse::decode(text);
/// assert_eq!(additional.format(), Format::Base64Json);
/// assert_eq!(additional.find("tid").as_deref(), Some("47"));
/// assert_eq!(additional.additional_data(), Some(&br#"{"tid":"47"}"#[..]));
/// ```
#[derive(Clone, Debug)]
pub struct AdditionalResponse<'a> {
    text: Cow<'a, [u8]>,
    /// What the Base64 decodes to, if it is a JSON object.
    json: Option<Vec<u8>>,
    format: Format,
}

impl<'a> AdditionalResponse<'a> {
    /// Finds out the format of `text`.
    pub fn decode(text: Text<'a>) -> Self {
        let text = text.to_bytes();
        let json = json_object(&text);
        let format = match &json {
            _ if text.is_empty() => Format::Empty,
            Some(_) => Format::Base64Json,
            None if memchr(b'=', &text).is_some() => Format::Kvp,
            None => Format::Text,
        };
        Self { text, json, format }
    }

    /// How it is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The text itself, before any decoding but that of the JSON string.
    pub fn text(&self) -> Cow<'_, str> {
        form::lossy(Cow::Borrowed(&self.text))
    }

    /// The JSON object that the Base64 stands for.
    pub fn json(&self) -> Option<&[u8]> {
        self.json.as_deref()
    }

    /// The raw JSON of the member `additionalData`, if there is one and it is an object.
    pub fn additional_data(&self) -> Option<&[u8]> {
        crate::json::pointer(self.json()?, "/additionalData").filter(|raw| raw.starts_with(b"{"))
    }

    /// The pairs, in order, repeated keys and all; none of text.
    ///
    /// Of Base64 these are the object's scalar members, with those of `additionalData` standing in its place.
    pub fn pairs(&self) -> Vec<TextPair<'_>> {
        match (self.format, &self.json) {
            (Format::Kvp, _) => {
                let mut pairs = Vec::with_capacity(memchr_iter(b'&', &self.text).count() + 1);
                for pair in form::pairs(&self.text) {
                    match pair.as_they_stand() {
                        Some((key, value)) => pairs.push((key.into(), value.into())),
                        None => pairs.push((pair.key(), pair.value())),
                    }
                }
                pairs
            }
            (_, Some(json)) => scalar_members(json),
            _ => vec![],
        }
    }

    /// The value of the first pair with this key; pairs of a form are not decoded on the way to it.
    pub fn find(&self, key: &str) -> Option<Cow<'_, str>> {
        match self.format {
            Format::Kvp => form::find(&self.text, key.as_bytes()).map(form::Pair::value),
            _ => self.pairs().into_iter().find(|(other, _)| other == key).map(|(_, value)| value),
        }
    }
}

/// What `text` decodes to by the forgiving Base64 of WHATWG Infra, if that is a valid JSON object.
fn json_object(text: &[u8]) -> Option<Vec<u8>> {
    // Most are pairs, and a byte that Base64 does not have tells soonest.
    if text.is_empty() || memchr::memchr2(b'&', b'%', text).is_some() {
        return None;
    }
    let json = base64_simd::forgiving_decode_to_vec(text).ok()?;
    let mut cursor = Cursor::new(&json, &Limits::MAX, Kernel::fastest());
    let object = cursor.peek() == b'{' && cursor.skip().and_then(|_| cursor.finish()).is_ok();
    object.then_some(json)
}

/// The scalar members of an object that has been checked.
fn scalar_members(json: &[u8]) -> Vec<TextPair<'_>> {
    let mut pairs = vec![];
    let mut cursor = Cursor::over_valid(json);
    let walked = cursor.object(|cursor, name| {
        let key = unescape(name.raw);
        if *key == *b"additionalData" && cursor.peek() == b'{' {
            return cursor.object(|cursor, name| scalar_member(cursor, unescape(name.raw), &mut pairs)).map(drop);
        }
        scalar_member(cursor, key, &mut pairs)
    });
    debug_assert!(walked.is_ok());
    pairs
}

/// Adds a member if its value is text, a number or a boolean.
fn scalar_member<'a>(
    cursor: &mut Cursor<'a>,
    key: Cow<'a, [u8]>,
    pairs: &mut Vec<TextPair<'a>>,
) -> Result<(), crate::Error> {
    if let Value::String(span) | Value::Number(span) | Value::Boolean(span) = cursor.value()? {
        pairs.push((form::lossy(key), Text::at(cursor.text(), span).to_str()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_the_reference_tells_them_apart() {
        for (text, format) in [
            ("", Format::Empty),
            ("eyJhIjoiYiJ9", Format::Base64Json),
            ("ey JhIjoi\r\nYiJ9\t", Format::Base64Json),
            ("e30", Format::Base64Json),
            ("e30=", Format::Base64Json),
            ("e30==", Format::Kvp),
            ("W10=", Format::Kvp),
            ("eyJhIjoiYiJ9x", Format::Text),
            ("bm90IGpzb24", Format::Text),
            ("a=1", Format::Kvp),
            (" ", Format::Text),
            ("101 Shopper cancelled", Format::Text),
        ] {
            assert_eq!(AdditionalResponse::decode(Text::plain(text.as_bytes())).format(), format, "{text:?}");
        }
    }

    #[test]
    fn pairs_of_an_object_are_its_scalars_in_order() {
        let json =
            r#"{"z":1.50,"additionalData":{"a":"\u00e9","n":null,"o":{"x":1},"a":true},"l":[1],"additionalData":"x"}"#;
        let text = base64_simd::STANDARD.encode_to_string(json);
        let additional = AdditionalResponse::decode(Text::plain(text.as_bytes()));
        let expected = [("z", "1.50"), ("a", "é"), ("a", "true"), ("additionalData", "x")];
        let pairs = additional.pairs();
        assert!(pairs.iter().map(|(key, value)| (&**key, &**value)).eq(expected), "{pairs:?}");
        assert_eq!(additional.find("a").as_deref(), Some("é"));
    }
}
