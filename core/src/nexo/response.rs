//! `Response` wherever a body may have it, and the answer that a TransactionStatusResponse repeats.

use super::draft::{Draft, text};
use super::names::{BodyName, Seen, canonical};
use super::{Field, Flags};
use crate::error::Error;
use crate::json::Cursor;
use crate::span::{Encoding, Span};

/// The own Response of a body.
///
/// It stands in `Response`, else in `InputResult`, else in an `OutputResult`; as members come in any order, the place
/// of the one that was taken is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer {
    place: Option<Place>,
    pub(crate) result: Option<Span>,
    pub(crate) error_condition: Option<Span>,
    pub(crate) additional_response: Option<Span>,
    /// `InputResult.Input`, raw.
    pub(crate) input: Option<Span>,
}

/// The places where a body may have its Response, the first before the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Response,
    InputResult,
    OutputResult,
}

impl Answer {
    /// Whether an object Response was found.
    pub(crate) fn is_there(&self) -> bool {
        self.place.is_some()
    }

    /// Passes the value of a body's member if it may hold the Response; answers whether it did so.
    #[inline(always)]
    pub(crate) fn member(
        &mut self,
        cursor: &mut Cursor<'_>,
        name: &[u8],
        seen: &mut Seen,
        flags: &mut Flags,
    ) -> Result<bool, Error> {
        match name {
            b"Response" if seen.first(0, flags) => self.response(cursor, Place::Response, flags)?,
            b"InputResult" if seen.first(1, flags) => self.input_result(cursor, flags)?,
            b"OutputResult" if seen.first(2, flags) => self.output_result(cursor, flags)?,
            b"Response" | b"InputResult" | b"OutputResult" => drop(cursor.skip()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn response(&mut self, cursor: &mut Cursor<'_>, place: Place, flags: &mut Flags) -> Result<(), Error> {
        let mut seen = Seen::default();
        let (mut result, mut error_condition, mut additional_response) = (None, None, None);
        let is_object = cursor.object(|cursor, name| {
            match canonical(name) {
                b"Result" if seen.first(0, flags) => result = text(cursor)?,
                b"ErrorCondition" if seen.first(1, flags) => error_condition = text(cursor)?,
                b"AdditionalResponse" if seen.first(2, flags) => additional_response = text(cursor)?,
                _ => drop(cursor.skip()?),
            }
            Ok(())
        })?;
        if is_object && self.place.is_none_or(|taken| place < taken) {
            *self = Self { place: Some(place), result, error_condition, additional_response, ..*self };
        }
        Ok(())
    }

    fn input_result(&mut self, cursor: &mut Cursor<'_>, flags: &mut Flags) -> Result<(), Error> {
        let mut seen = Seen::default();
        cursor
            .object(|cursor, name| match canonical(name) {
                b"Response" if seen.first(0, flags) => self.response(cursor, Place::InputResult, flags),
                b"Input" if seen.first(1, flags) => {
                    self.input = raw(cursor)?;
                    Ok(())
                }
                _ => cursor.skip().map(drop),
            })
            .map(drop)
    }

    fn output_result(&mut self, cursor: &mut Cursor<'_>, flags: &mut Flags) -> Result<(), Error> {
        if cursor.peek() == b'{' {
            return self.output(cursor, flags);
        }
        cursor.array(|cursor| self.output(cursor, flags)).map(drop)
    }

    /// Of several outputs the first one with a Response counts, as a place is taken once.
    fn output(&mut self, cursor: &mut Cursor<'_>, flags: &mut Flags) -> Result<(), Error> {
        let mut seen = Seen::default();
        cursor
            .object(|cursor, name| match canonical(name) {
                b"Response" if seen.first(0, flags) => self.response(cursor, Place::OutputResult, flags),
                _ => cursor.skip().map(drop),
            })
            .map(drop)
    }
}

/// Passes a value; the span of its raw JSON, quotes and braces included.
pub(crate) fn raw(cursor: &mut Cursor<'_>) -> Result<Option<Span>, Error> {
    let start = cursor.position();
    let end = cursor.skip()?;
    Ok(Span::new(start, end, Encoding::Plain))
}

/// Passes RepeatedMessageResponse: the answer to the message that was asked for.
pub(crate) fn repeated_message_response(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Error> {
    let mut seen = Seen::default();
    cursor
        .object(|cursor, name| match canonical(name) {
            b"MessageHeader" if seen.first(0, draft.flags()) => repeated_header(cursor, draft),
            b"RepeatedResponseMessageBody" if seen.first(1, draft.flags()) => repeated_body(cursor, draft),
            _ => cursor.skip().map(drop),
        })
        .map(drop)
}

fn repeated_header(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Error> {
    let mut seen = Seen::default();
    cursor
        .object(|cursor, name| match canonical(name) {
            b"MessageCategory" if seen.first(0, draft.flags()) => {
                let category = text(cursor)?;
                draft.fields.set(Field::RepeatedCategory, category);
                Ok(())
            }
            _ => cursor.skip().map(drop),
        })
        .map(drop)
}

/// The first member that has a Response of its own counts.
fn repeated_body(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Error> {
    let (mut names, mut found) = (Seen::default(), Answer::default());
    cursor.object(|cursor, name| {
        if BodyName::of(name).is_some_and(|name| !names.first(name.bit(), draft.flags())) {
            return cursor.skip().map(drop);
        }
        let (mut seen, mut answer) = (Seen::default(), Answer::default());
        cursor.object(|cursor, name| {
            if !answer.member(cursor, canonical(name), &mut seen, draft.flags())? {
                cursor.skip()?;
            }
            Ok(())
        })?;
        if !found.is_there() {
            found = answer;
        }
        Ok(())
    })?;
    draft.fields.set(Field::RepeatedResult, found.result);
    draft.fields.set(Field::RepeatedErrorCondition, found.error_condition);
    draft.fields.set(Field::RepeatedAdditionalResponse, found.additional_response);
    Ok(())
}
