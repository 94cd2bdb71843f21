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
    tokens: Tokens<'a>,
    depth: u32,
    depth_max: u32,
    members_left: u32,
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
    #[inline]
    pub(crate) fn new(text: &'a [u8], limits: &Limits, kernel: Kernel) -> Self {
        let tokens = Tokens::starting_at(text, 0, kernel);
        let depth_max = limits.depth.min(Limits::MAX.depth);
        Self { tokens, depth: 0, depth_max, members_left: limits.members.min(Limits::MAX.members) }
    }

    /// Walks text that has been checked before, so that no limit can be met again.
    pub(crate) fn over_valid(text: &'a [u8]) -> Self {
        Self::over_valid_from(text, 0)
    }

    /// The same from the value that begins at `start`; spans still count from the beginning of `text`.
    pub(crate) fn over_valid_from(text: &'a [u8], start: usize) -> Self {
        let tokens = Tokens::starting_at(text, start, Kernel::fastest());
        Self { tokens, depth: 0, depth_max: Limits::MAX.depth, members_left: Limits::MAX.members }
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
        loop {
            let name = self.name()?;
            each(self, name)?;
            match self.peek() {
                b',' => self.tokens.advance(),
                b'}' => {
                    self.close();
                    return Ok(true);
                }
                _ => return Err(self.unexpected(ErrorKind::ExpectedCommaOrBrace)),
            }
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
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value, Error> {
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

    /// Passes a value of any kind; answers where it ends.
    #[inline]
    pub(crate) fn skip(&mut self) -> Result<usize, Error> {
        match self.peek() {
            b'{' | b'[' => self.skip_container(),
            _ => self.skip_flat(),
        }
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
    fn skip_flat(&mut self) -> Result<usize, Error> {
        if self.peek() == b'"' {
            let span = self.string()?;
            return Ok(span.start() + span.length() + 1);
        }
        self.scalar()
    }

    /// Passes nested containers without recursion: one bit a level says whether it is an object.
    #[inline(never)]
    fn skip_container(&mut self) -> Result<usize, Error> {
        let (outside, mut objects) = (self.depth, 0_u64);
        loop {
            match self.peek() {
                first @ (b'{' | b'[') => {
                    self.open()?;
                    objects = objects << 1 | u64::from(first == b'{');
                    // In ASCII a closing bracket stands two behind its opening one.
                    if self.peek() != first + 2 {
                        if first == b'{' {
                            self.name()?;
                        }
                        continue;
                    }
                }
                _ => {
                    self.skip_flat()?;
                }
            }
            loop {
                let in_object = objects & 1 == 1;
                match self.peek() {
                    b',' => {
                        self.tokens.advance();
                        if in_object {
                            self.name()?;
                        }
                        break;
                    }
                    b'}' if in_object => {}
                    b']' if !in_object => {}
                    _ if in_object => return Err(self.unexpected(ErrorKind::ExpectedCommaOrBrace)),
                    _ => return Err(self.unexpected(ErrorKind::ExpectedCommaOrBracket)),
                }
                let end = self.tokens.position() + 1;
                self.close();
                objects >>= 1;
                if self.depth == outside {
                    return Ok(end);
                }
            }
        }
    }

    #[inline(always)]
    fn open(&mut self) -> Result<(), Error> {
        if self.depth == self.depth_max {
            return Err(Error::new(ErrorKind::TooDeep, self.tokens.position()));
        }
        self.depth += 1;
        self.tokens.advance();
        Ok(())
    }

    #[inline(always)]
    fn close(&mut self) {
        self.depth -= 1;
        self.tokens.advance();
    }

    /// Passes a name and its colon.
    #[inline(always)]
    fn name(&mut self) -> Result<Name<'a>, Error> {
        if self.peek() != b'"' {
            return Err(self.unexpected(ErrorKind::ExpectedName));
        }
        if self.members_left == 0 {
            return Err(Error::new(ErrorKind::TooManyMembers, self.tokens.position()));
        }
        self.members_left -= 1;
        let span = self.string()?;
        if self.peek() != b':' {
            return Err(self.unexpected(ErrorKind::ExpectedColon));
        }
        self.tokens.advance();
        Ok(Name { raw: span.of(self.text()), span })
    }

    /// Passes a string; the span is the text between its quotes.
    #[inline(always)]
    fn string(&mut self) -> Result<Span, Error> {
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
    #[inline(never)]
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
    fn scalar(&mut self) -> Result<usize, Error> {
        let end = scalar_end(self.text(), self.tokens.position())?;
        self.tokens.advance();
        Ok(end)
    }

    /// An error of this kind here; at the end of the text it is the end that is wrong.
    #[cold]
    fn unexpected(&self, kind: ErrorKind) -> Error {
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
