//! The one type that walks JSON text: it checks the grammar on the way, whether anybody wants a value or not.

use super::scalar::{check_escape, scalar_end};
use super::tokens::Tokens;
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::simd::Kernel;
use crate::span::{Encoding, Span};

/// Stands on a value, or behind one.
///
/// Each method takes the value or member it stands on, whole, and leaves the cursor behind it. What is not asked for is
/// passed by [`Cursor::skip`], which checks it just as well.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    pub(super) tokens: Tokens<'a>,
    pub(super) depth: u32,
    depth_max: u32,
    pub(super) members_left: u32,
}

/// A member's name as it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    /// The bytes between the quotes.
    pub(crate) raw: &'a [u8],
    /// Where they are, and whether they hold an escape.
    pub(crate) span: Span,
}

/// A value that was passed, and where its text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// The text between the quotes.
    String(Span),
    /// The literal.
    Number(Span),
    /// `true` or `false`.
    Boolean(Span),
    Null,
    Object,
    Array,
}

impl<'a> Cursor<'a> {
    /// Stands on the first value of `text`. Limits above [`Limits::MAX`] count as that: a depth has one bit a level.
    #[inline(always)]
    pub(crate) fn new(text: &'a [u8], limits: &Limits, kernel: Kernel) -> Self {
        Self::starting_at(text, 0, limits, kernel)
    }

    /// The same for one walk, with a cursor that stays where it is made: moving it costs as much as a short walk.
    #[inline(always)]
    pub(crate) fn walk<T>(text: &'a [u8], limits: &Limits, kernel: Kernel, walk: impl FnOnce(&mut Self) -> T) -> T {
        let mut cursor = Self::before(text, 0, limits, kernel);
        cursor.tokens.begin();
        walk(&mut cursor)
    }

    /// Walks text that has been checked before, so that no limit can be met again.
    pub(crate) fn over_valid(text: &'a [u8]) -> Self {
        Self::over_valid_from(text, 0)
    }

    /// The same from the value that begins at `start`; spans still count from the beginning of `text`.
    pub(crate) fn over_valid_from(text: &'a [u8], start: usize) -> Self {
        Self::starting_at(text, start, &Limits::MAX, Kernel::fastest())
    }

    #[inline(always)]
    fn starting_at(text: &'a [u8], start: usize, limits: &Limits, kernel: Kernel) -> Self {
        let mut cursor = Self::before(text, start, limits, kernel);
        cursor.tokens.begin();
        cursor
    }

    /// A cursor that has still to begin.
    #[inline(always)]
    fn before(text: &'a [u8], start: usize, limits: &Limits, kernel: Kernel) -> Self {
        let tokens = Tokens::starting_at(text, start, kernel);
        let depth_max = limits.depth.min(Limits::MAX.depth);
        Self { tokens, depth: 0, depth_max, members_left: limits.members.min(Limits::MAX.members) }
    }

    /// The whole text.
    #[inline]
    pub(crate) fn text(&self) -> &'a [u8] {
        self.tokens.text()
    }

    /// The place of the value that the cursor stands on; the length of the text at its end.
    #[inline(always)]
    pub(crate) fn position(&self) -> usize {
        self.tokens.position()
    }

    /// The first byte of the value that the cursor stands on; 0 at the end.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u8 {
        self.tokens.peek()
    }

    /// Passes an object and gives each member to `each`, which must pass the member's value. Anything else is skipped.
    ///
    /// Answers whether it was an object.
    #[inline(always)]
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, Name<'a>) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        if self.peek() != b'{' {
            self.skip()?;
            return Ok(false);
        }
        self.open()?;
        if self.peek() == b'}' {
            self.close();
            return Ok(true);
        }
        let mut name = self.name()?;
        loop {
            each(self, name)?;
            name = match self.next_plain_name() {
                Some(name) => name,
                None if self.peek() == b'}' => {
                    self.close();
                    return Ok(true);
                }
                None => self.next_name()?,
            };
        }
    }

    /// Passes an array and calls `each` on every element, which it must pass. Anything else is skipped.
    ///
    /// Answers whether it was an array.
    #[inline(always)]
    pub(crate) fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Error>) -> Result<bool, Error> {
        if self.peek() != b'[' {
            self.skip()?;
            return Ok(false);
        }
        self.open()?;
        if self.peek() == b']' {
            self.close();
            return Ok(true);
        }
        loop {
            each(self)?;
            match self.peek() {
                b',' => self.tokens.advance(),
                b']' => {
                    self.close();
                    return Ok(true);
                }
                _ => return Err(self.unexpected(ErrorKind::ExpectedCommaOrBracket)),
            }
        }
    }

    /// Passes a value and says what it was.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<Value, Error> {
        match self.plain_string() {
            Some(span) => Ok(Value::String(span)),
            None => self.other_value(),
        }
    }

    /// The same for what is no string, or one with escapes, or at the end of a window.
    #[inline(never)]
    fn other_value(&mut self) -> Result<Value, Error> {
        let (first, start) = (self.peek(), self.tokens.position());
        Ok(match first {
            b'"' => Value::String(self.string()?),
            b'{' => self.skip().map(|_| Value::Object)?,
            b'[' => self.skip().map(|_| Value::Array)?,
            _ => {
                let end = self.scalar()?;
                match (first, Span::new(start, end, Encoding::Plain)) {
                    (b't' | b'f', Some(span)) => Value::Boolean(span),
                    (b'-' | b'0'..=b'9', Some(span)) => Value::Number(span),
                    // Also a number that is the whole text, at byte 0, where no field can be.
                    _ => Value::Null,
                }
            }
        })
    }

    /// Passes a value and gives its text.
    pub(crate) fn raw(&mut self) -> Result<&'a [u8], Error> {
        let start = self.tokens.position();
        let end = self.skip()?;
        Ok(&self.text()[start..end])
    }

    /// Checks that nothing follows but white space, and that all of the text is UTF-8.
    #[inline]
    pub(crate) fn finish(&self) -> Result<(), Error> {
        if self.tokens.position() < self.text().len() {
            return Err(Error::new(ErrorKind::ExpectedEnd, self.tokens.position()));
        }
        if self.tokens.non_ascii() { check_utf8(self.text()) } else { Ok(()) }
    }

    #[inline(always)]
    pub(super) fn open(&mut self) -> Result<(), Error> {
        if self.depth == self.depth_max {
            return Err(Error::new(ErrorKind::TooDeep, self.tokens.position()));
        }
        self.depth += 1;
        self.tokens.advance();
        Ok(())
    }

    #[inline(always)]
    pub(super) fn close(&mut self) {
        self.depth -= 1;
        self.tokens.advance();
    }

    /// Passes a name and its colon.
    #[inline(always)]
    pub(super) fn name(&mut self) -> Result<Name<'a>, Error> {
        if self.members_left > 0
            && let Some([opening, closing, _]) = self.tokens.take(*b"\"\":")
        {
            return Ok(self.plain_name(opening, closing));
        }
        self.other_name()
    }

    /// Passes a comma, and a name without escapes and its colon; `None` says nothing.
    #[inline(always)]
    fn next_plain_name(&mut self) -> Option<Name<'a>> {
        if self.members_left == 0 {
            return None;
        }
        let [_, opening, closing, _] = self.tokens.take(*b",\"\":")?;
        Some(self.plain_name(opening, closing))
    }

    /// Passes a comma, and a name and its colon.
    #[cold]
    #[inline(never)]
    fn next_name(&mut self) -> Result<Name<'a>, Error> {
        if self.peek() != b',' {
            return Err(self.unexpected(ErrorKind::ExpectedCommaOrBrace));
        }
        self.tokens.advance();
        self.other_name()
    }

    /// The name between these quotes, which counts as one more.
    #[inline(always)]
    fn plain_name(&mut self, opening: u32, closing: u32) -> Name<'a> {
        self.members_left -= 1;
        let span = Span::between(opening, closing);
        Name { raw: span.of(self.text()), span }
    }

    /// The same for a name with escapes, at the end of a window, or where something is wrong.
    #[cold]
    #[inline(never)]
    fn other_name(&mut self) -> Result<Name<'a>, Error> {
        if self.peek() != b'"' {
            return Err(self.unexpected(ErrorKind::ExpectedName));
        }
        if self.members_left == 0 {
            return Err(Error::new(ErrorKind::TooManyMembers, self.tokens.position()));
        }
        self.members_left -= 1;
        let span = self.other_string()?;
        if self.peek() != b':' {
            return Err(self.unexpected(ErrorKind::ExpectedColon));
        }
        self.tokens.advance();
        Ok(Name { raw: span.of(self.text()), span })
    }

    /// Passes a string; the span is the text between its quotes.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Span, Error> {
        match self.plain_string() {
            Some(span) => Ok(span),
            None => self.other_string(),
        }
    }

    /// The same for a string without escapes; `None` says nothing.
    #[inline(always)]
    fn plain_string(&mut self) -> Option<Span> {
        let [opening, closing] = self.tokens.take(*b"\"\"")?;
        Some(Span::between(opening, closing))
    }

    /// The same for a string with escapes, at the end of a window, or where something is wrong.
    #[cold]
    #[inline(never)]
    fn other_string(&mut self) -> Result<Span, Error> {
        let start = self.tokens.position() + 1;
        self.tokens.advance();
        let mut encoding = Encoding::Plain;
        if self.peek() != b'"' {
            self.string_end()?;
            encoding = Encoding::Json;
        }
        let end = self.tokens.position();
        self.tokens.advance();
        Span::new(start, end, encoding).ok_or(Error::new(ErrorKind::BodyTooLarge, start))
    }

    /// Goes to the closing quote, over the escapes before it.
    fn string_end(&mut self) -> Result<(), Error> {
        loop {
            match self.peek() {
                b'"' => return Ok(()),
                b'\\' => {
                    // The second half of a pair is a token of its own, and checked with the first.
                    if check_escape(self.text(), self.tokens.position())? {
                        self.tokens.advance();
                    }
                    self.tokens.advance();
                }
                _ => return Err(self.unexpected(ErrorKind::ControlCharacter)),
            }
        }
    }

    #[inline(always)]
    pub(super) fn scalar(&mut self) -> Result<usize, Error> {
        let end = scalar_end(self.text(), self.tokens.position())?;
        self.tokens.advance();
        Ok(end)
    }

    /// An error of this kind here; at the end of the text it is the end that is wrong.
    #[cold]
    pub(super) fn unexpected(&self, kind: ErrorKind) -> Error {
        let position = self.tokens.position();
        Error::new(if position < self.text().len() { kind } else { ErrorKind::UnexpectedEnd }, position)
    }
}

/// `error`, unless a byte before it is not UTF-8: of two errors the first one is told.
#[cold]
pub(crate) fn first_error(text: &[u8], error: Error) -> Error {
    check_utf8(&text[..error.offset().min(text.len())])
        .err()
        .filter(|utf8| utf8.offset() < error.offset())
        .unwrap_or(error)
}

fn check_utf8(text: &[u8]) -> Result<(), Error> {
    match simdutf8::compat::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new(ErrorKind::ExpectedUtf8, error.valid_up_to())),
    }
}
