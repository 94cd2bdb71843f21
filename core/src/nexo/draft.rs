//! What the walk has found so far, and what the classification will ask.

use super::names::BodyName;
use super::{Fields, Flags, Kind};
use crate::json::{Value, Walk};
use crate::span::Span;

/// A message in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) fields: Fields,
    /// The envelope has an object MessageHeader.
    pub(crate) has_header: bool,
    /// What the body's name says, if it is the name of a body.
    pub(crate) body_name: Option<BodyName>,
    /// An output is for the cashier's display, or refers to pairs.
    pub(crate) is_notification: bool,
    /// The ReferenceID that was noted holds pairs.
    pub(crate) reference_holds_pairs: bool,
}

impl Draft {
    /// Nothing found yet.
    #[inline]
    pub(crate) fn new() -> Self {
        let fields = Fields::of_json(Kind::Foreign);
        Self { fields, has_header: false, body_name: None, is_notification: false, reference_holds_pairs: false }
    }

    /// The flags, for those who look for repeated members.
    #[inline(always)]
    pub(crate) fn flags(&mut self) -> &mut Flags {
        &mut self.fields.flags
    }
}

/// Passes a value; a string's text or a number's literal is the answer, anything else has no text.
#[inline]
pub(crate) fn text<'a, W: Walk<'a>>(cursor: &mut W) -> Result<Option<Span>, W::Error> {
    Ok(match cursor.value()? {
        Value::String(span) | Value::Number(span) => Some(span),
        _ => None,
    })
}

/// The same, and `true` and `false` have text too.
#[inline]
pub(crate) fn text_or_boolean<'a, W: Walk<'a>>(cursor: &mut W) -> Result<Option<Span>, W::Error> {
    Ok(match cursor.value()? {
        Value::String(span) | Value::Number(span) | Value::Boolean(span) => Some(span),
        _ => None,
    })
}

/// Passes a value; only a string has text.
#[inline]
pub(crate) fn string<'a, W: Walk<'a>>(cursor: &mut W) -> Result<Option<Span>, W::Error> {
    Ok(match cursor.value()? {
        Value::String(span) => Some(span),
        _ => None,
    })
}
