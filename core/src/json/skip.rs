//! Passing values that nobody asks for: they are checked as completely as the others.

use super::cursor::Cursor;
use crate::error::{Error, ErrorKind};

impl Cursor<'_> {
    /// Passes a value of any kind; answers where it ends.
    #[inline]
    pub(crate) fn skip(&mut self) -> Result<usize, Error> {
        match self.peek() {
            b'{' | b'[' => self.skip_container(),
            _ => self.skip_flat(),
        }
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
                            self.names()?;
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
                            self.names()?;
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

    /// Passes members whose values are strings without escapes, as far as others follow, and the next one's name.
    #[inline(always)]
    fn names(&mut self) -> Result<(), Error> {
        while self.members_left > 0 && self.tokens.take(*b"\"\":\"\",").is_some() {
            self.members_left -= 1;
        }
        self.name().map(drop)
    }
}
