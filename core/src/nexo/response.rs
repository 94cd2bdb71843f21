//! `Response` wherever a body may have it, and the answer that a TransactionStatusResponse repeats.

use super::draft::{Draft, text};
use super::header::header_field;
use super::names::{BodyName, Seen, canonical, namesakes};
use super::{Field, Flags};
use crate::json::Walk;
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
    /// Where `InputResult.Input` begins.
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
    pub(crate) fn member<'a, W: Walk<'a>>(
        &mut self,
        cursor: &mut W,
        name: &[u8],
        seen: &mut Seen,
        flags: &mut Flags,
    ) -> Result<bool, W::Error> {
        match name {
            b"Response" if seen.first(0, flags) => self.response(cursor, Place::Response, flags)?,
            b"InputResult" if seen.first(1, flags) => self.input_result(cursor, flags)?,
            b"OutputResult" if seen.first(2, flags) => self.output_result(cursor, flags)?,
            b"Response" | b"InputResult" | b"OutputResult" => cursor.skip()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn response<'a, W: Walk<'a>>(&mut self, cursor: &mut W, place: Place, flags: &mut Flags) -> Result<(), W::Error> {
        let mut seen = Seen::default();
        let (mut result, mut error_condition, mut additional_response) = (None, None, None);
        let is_object = cursor.object(|cursor, name| {
            match canonical(name) {
                b"Result" if seen.first(0, flags) => result = text(cursor)?,
                b"ErrorCondition" if seen.first(1, flags) => error_condition = text(cursor)?,
                b"AdditionalResponse" if seen.first(2, flags) => additional_response = text(cursor)?,
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        if is_object && self.place.is_none_or(|taken| place < taken) {
            *self = Self { place: Some(place), result, error_condition, additional_response, ..*self };
        }
        Ok(())
    }

    fn input_result<'a, W: Walk<'a>>(&mut self, cursor: &mut W, flags: &mut Flags) -> Result<(), W::Error> {
        let mut seen = Seen::default();
        cursor
            .object(|cursor, name| match canonical(name) {
                b"Response" if seen.first(0, flags) => self.response(cursor, Place::InputResult, flags),
                b"Input" if seen.first(1, flags) => self.input(cursor, flags),
                _ => cursor.skip(),
            })
            .map(drop)
    }

    /// The customer's answer is read when somebody asks; that it can be read in one way only is known at once.
    fn input<'a, W: Walk<'a>>(&mut self, cursor: &mut W, flags: &mut Flags) -> Result<(), W::Error> {
        const ANSWERS: [&[u8]; 6] =
            [b"ConfirmedFlag", b"DigitInput", b"FunctionKey", b"MenuEntryNumber", b"Password", b"TextInput"];
        let mut seen = Seen::default();
        if cursor.peek() == b'{' {
            self.input = Span::new(cursor.position(), cursor.position() + 1, Encoding::Plain);
        }
        cursor
            .object(|cursor, name| {
                let name = canonical(name);
                if let Some(at) = ANSWERS.iter().position(|answer| *answer == name) {
                    seen.first(at as u32, flags);
                }
                cursor.skip()
            })
            .map(drop)
    }

    fn output_result<'a, W: Walk<'a>>(&mut self, cursor: &mut W, flags: &mut Flags) -> Result<(), W::Error> {
        if cursor.peek() == b'{' {
            return self.output(cursor, flags);
        }
        cursor.array(|cursor| self.output(cursor, flags)).map(drop)
    }

    /// Of several outputs the first one with a Response counts, as a place is taken once.
    fn output<'a, W: Walk<'a>>(&mut self, cursor: &mut W, flags: &mut Flags) -> Result<(), W::Error> {
        let mut seen = Seen::default();
        cursor
            .object(|cursor, name| match canonical(name) {
                b"Response" if seen.first(0, flags) => self.response(cursor, Place::OutputResult, flags),
                _ => cursor.skip(),
            })
            .map(drop)
    }
}

/// Passes RepeatedMessageResponse: the answer to the message that was asked for.
pub(crate) fn repeated_message_response<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    let mut seen = Seen::default();
    cursor
        .object(|cursor, name| match canonical(name) {
            b"MessageHeader" if seen.first(0, draft.flags()) => repeated_header(cursor, draft),
            b"RepeatedResponseMessageBody" if seen.first(1, draft.flags()) => repeated_body(cursor, draft),
            _ => cursor.skip(),
        })
        .map(drop)
}

fn repeated_header<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    let mut seen = Seen::default();
    cursor
        .object(|cursor, name| match header_field(cursor.text(), name) {
            Some(field) if seen.first(field as u32, draft.flags()) && field == Field::MessageCategory => {
                let category = text(cursor)?;
                draft.fields.set(Field::RepeatedCategory, category);
                Ok(())
            }
            _ => cursor.skip(),
        })
        .map(drop)
}

/// Members with an own Response but a hidden name (below) that are looked into before the message counts as ambiguous:
/// each costs a walk over those before it.
const HIDDEN_MAX: u32 = 8;

/// The first member that has a Response of its own counts. Those behind it are passed without a look.
fn repeated_body<'a, W: Walk<'a>>(cursor: &mut W, draft: &mut Draft) -> Result<(), W::Error> {
    let start = cursor.position();
    let (mut names, mut found, mut chosen, mut hidden) = (Seen::default(), Answer::default(), None, 0);
    cursor.object(|cursor, name| {
        let body_name = BodyName::of(name);
        let again = body_name.is_some_and(|name| !names.first(name.bit(), draft.flags()));
        if again || found.is_there() || hidden > HIDDEN_MAX {
            return cursor.skip();
        }
        let value = cursor.position();
        let (mut seen, mut answer) = (Seen::default(), Answer::default());
        cursor.object(|cursor, name| {
            if !answer.member(cursor, canonical(name), &mut seen, draft.flags())? {
                cursor.skip()?;
            }
            Ok(())
        })?;
        // A name that nobody expects may have come before: then that one, which had no Response, hides this one.
        if answer.is_there() && body_name.is_none() && namesakes(cursor.text(), start, name, value) > 1 {
            hidden += 1;
        } else if answer.is_there() {
            (found, chosen) = (answer, Some((name, body_name)));
        }
        Ok(())
    })?;
    let ambiguous = match chosen {
        Some((name, None)) => namesakes(cursor.text(), start, name, usize::MAX) > 1,
        _ => hidden > HIDDEN_MAX,
    };
    if ambiguous {
        draft.flags().insert(Flags::REPEATED_MEMBER);
    }
    draft.fields.set(Field::RepeatedResult, found.result);
    draft.fields.set(Field::RepeatedErrorCondition, found.error_condition);
    draft.fields.set(Field::RepeatedAdditionalResponse, found.additional_response);
    Ok(())
}
