//! What walks JSON text value by value, whoever checks it.

use super::cursor::{Cursor, Name, Value};
use crate::error::Error;

/// Stands on a value, or behind one.
///
/// Each method takes the value it stands on, whole, and leaves the walker behind it.
pub(crate) trait Walk<'a>: Sized {
    /// What can be wrong with the text.
    type Error;

    /// The whole text.
    fn text(&self) -> &'a [u8];

    /// The place of the value that the walker stands on.
    fn position(&self) -> usize;

    /// The first byte of the value that the walker stands on; 0 at the end.
    fn peek(&self) -> u8;

    /// Passes an object and gives each member to `each`, which must pass the member's value. Anything else is skipped.
    ///
    /// Answers whether it was an object.
    fn object(&mut self, each: impl FnMut(&mut Self, Name<'a>) -> Result<(), Self::Error>)
    -> Result<bool, Self::Error>;

    /// Passes an array and calls `each` on every element, which it must pass. Anything else is skipped.
    ///
    /// Answers whether it was an array.
    fn array(&mut self, each: impl FnMut(&mut Self) -> Result<(), Self::Error>) -> Result<bool, Self::Error>;

    /// Passes a value and says what it was.
    fn value(&mut self) -> Result<Value, Self::Error>;

    /// Passes a value of any kind.
    fn skip(&mut self) -> Result<(), Self::Error>;
}

impl<'a> Walk<'a> for Cursor<'a> {
    type Error = Error;

    #[inline(always)]
    fn text(&self) -> &'a [u8] {
        Cursor::text(self)
    }

    #[inline(always)]
    fn position(&self) -> usize {
        Cursor::position(self)
    }

    #[inline(always)]
    fn peek(&self) -> u8 {
        Cursor::peek(self)
    }

    #[inline(always)]
    fn object(&mut self, each: impl FnMut(&mut Self, Name<'a>) -> Result<(), Error>) -> Result<bool, Error> {
        Cursor::object(self, each)
    }

    #[inline(always)]
    fn array(&mut self, each: impl FnMut(&mut Self) -> Result<(), Error>) -> Result<bool, Error> {
        Cursor::array(self, each)
    }

    #[inline(always)]
    fn value(&mut self) -> Result<Value, Error> {
        Cursor::value(self)
    }

    #[inline(always)]
    fn skip(&mut self) -> Result<(), Error> {
        Cursor::skip(self).map(drop)
    }
}
