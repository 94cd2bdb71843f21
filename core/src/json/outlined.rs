//! Walking a text by its outline: what tokens follow each other is known to be right, and that brackets match is seen on
//! the way. What is wrong, and where, is not said.

use super::cursor::{Name, Value};
use super::scalar::{escape_end, is_common_literal, scalar_end};
use super::walk::Walk;
use crate::limits::Limits;
use crate::simd::{BlockRoom, Kernel, NameTable, OutlineBlock, Outliner, Read, Tokens};
use crate::span::{Encoding, Span};

/// The text is not right after all, or beyond a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unfit;

/// What is to be done with a text that has an outline.
pub(crate) trait WalkOutlined<'a> {
    /// Does it; `walker` stands on the root, an object or an array. Answers whether nothing was wrong.
    fn walk<O: Outliner>(self, walker: Outlined<'a, '_, O>) -> bool;
}

/// Checks `text` while it is walked, and answers whether nothing was wrong; `None` if it was not walked at all, as it has
/// no outline. What is wrong, if anything is, is for the cursor to find.
#[inline]
pub(crate) fn walk_outlined<'a>(
    text: &'a [u8],
    limits: &Limits,
    kernel: Kernel,
    walk: impl WalkOutlined<'a>,
) -> Option<bool> {
    // Without white space behind it, the text ends with the closing bracket of its root.
    let blank = text.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    let text = &text[..text.len() - blank];
    if !matches!(text.last(), Some(b'}' | b']')) {
        return None;
    }
    kernel.read(Reading { text, limits, walk }).flatten()
}

/// A text to be read, and what to do with it then.
struct Reading<'a, 'l, W> {
    text: &'a [u8],
    limits: &'l Limits,
    walk: W,
}

impl<'a, W: WalkOutlined<'a>> Read for Reading<'a, '_, W> {
    type Output = Option<bool>;

    #[inline(always)]
    fn run<O: Outliner>(self, outliner: O) -> Option<bool> {
        let Self { text, limits, walk } = self;
        let mut room = BlockRoom::new();
        let (outline, non_ascii) = outliner.outline(text, &mut room)?;
        let (blocks, has_escapes) = (outline.blocks, outline.has_backslashes);
        if text.len() / MEMBER_LENGTH_MIN >= limits.members as usize && members(blocks) > limits.members {
            return None;
        }
        let is_right = scalars_are_right(text, blocks)
            && (!has_escapes || escapes_are_right(text))
            && (!non_ascii || simdutf8::basic::from_utf8(text).is_ok());
        if !is_right {
            return None;
        }
        let (tokens, bits) = (outline.tokens, outline.tokens.from(0).unwrap_or(0));
        let depth_left = limits.depth.min(Limits::MAX.depth);
        let mut walker = Outlined { text, blocks, tokens, start: 0, bits, at: 0, depth_left, has_escapes, outliner };
        walker.advance();
        matches!(walker.peek(), b'{' | b'[').then(|| walk.walk(walker))
    }
}

/// Bytes of the shortest member, with its comma: `"":1,`.
const MEMBER_LENGTH_MIN: usize = 5;

/// How many members all objects have together: each has its colon.
#[cold]
fn members(blocks: &[OutlineBlock]) -> u32 {
    blocks.iter().map(|block| block.in_object.count_ones()).sum()
}

/// Whether numbers and literals are what they should be.
#[inline(always)]
fn scalars_are_right(text: &[u8], blocks: &[OutlineBlock]) -> bool {
    let mut start = 0;
    for block in blocks {
        let mut scalars = block.scalars;
        while scalars != 0 {
            let at = start + scalars.trailing_zeros() as usize;
            if !is_common_literal(text, at) && scalar_end(text, at).is_err() {
                return false;
            }
            scalars &= scalars - 1;
        }
        start += 64;
    }
    true
}

/// Whether all escapes are right, if no backslash stands outside of strings.
#[cold]
fn escapes_are_right(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(before) = text.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        match escape_end(text, at + before) {
            Ok(end) => at = end,
            Err(_) => return false,
        }
    }
    true
}

/// Stands on a value of a text that has an outline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlined<'a, 'o, O> {
    text: &'a [u8],
    blocks: &'o [OutlineBlock],
    tokens: Tokens<'o>,
    /// Where some bytes begin that we are in: as many as [`Tokens::from`] tells of.
    start: usize,
    /// Their tokens that are left.
    bits: u64,
    /// The token we are on; the length of the text at its end.
    at: usize,
    /// How many containers more may be around.
    depth_left: u32,
    /// Whether any string may hold an escape.
    has_escapes: bool,
    outliner: O,
}

impl<'a, O: Outliner> Outlined<'a, '_, O> {
    /// Goes on to the next token, or to the end.
    #[inline(always)]
    fn advance(&mut self) {
        while self.bits == 0 {
            self.start = (self.start | 7) + 57;
            let Some(bits) = self.tokens.from(self.start) else {
                self.at = self.text.len();
                return;
            };
            self.bits = bits;
        }
        self.at = self.start + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
    }

    /// Has the next bytes begin at the token we are on, so that what belongs together is found without another look. Where
    /// blocks end nobody can foresee.
    #[inline(always)]
    pub(crate) fn begin_here(&mut self) {
        let bits = self.tokens.from(self.at).unwrap_or(0);
        (self.start, self.bits) = (self.at, bits & bits.wrapping_sub(1));
    }

    /// Whether any string may hold an escape.
    #[inline(always)]
    pub(crate) fn has_escapes(&self) -> bool {
        self.has_escapes
    }

    /// Whether all has been passed.
    #[inline(always)]
    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Goes into a container.
    #[inline(always)]
    pub(crate) fn open(&mut self) -> Result<(), Unfit> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or(Unfit)?;
        self.advance();
        Ok(())
    }

    /// Goes out of a container.
    #[inline(always)]
    pub(crate) fn close(&mut self) {
        self.depth_left += 1;
        self.advance();
    }

    /// Passes a string; the places of its quotes are the answer.
    #[inline(always)]
    pub(crate) fn quotes(&mut self) -> (usize, usize) {
        let opening = self.at;
        self.advance();
        let closing = self.at;
        self.advance();
        (opening, closing)
    }

    /// Passes a name and its colon; the places of the name's quotes are the answer.
    #[inline(always)]
    pub(crate) fn name_quotes(&mut self) -> Result<(usize, usize), Unfit> {
        let quotes = self.quotes();
        if self.peek() != b':' {
            return Err(Unfit);
        }
        self.advance();
        Ok(quotes)
    }

    /// The slot in `names` of the name between `start` and `end`, where its closing quote stands.
    #[inline(always)]
    pub(crate) fn find_name(&self, names: &NameTable, start: usize, end: usize) -> usize {
        self.outliner.find_name(names, self.text, start, end)
    }

    /// The text between two quotes.
    #[inline(always)]
    fn span(&self, (opening, closing): (usize, usize)) -> Span {
        if self.has_escapes && memchr::memchr(b'\\', &self.text[opening..closing]).is_some() {
            return Span::within(opening + 1, closing, Encoding::Json);
        }
        Span::between(opening as u32, closing as u32)
    }

    /// Passes a container and sees to it that all brackets in it match.
    #[inline(always)]
    fn skip_container(&mut self) -> Result<(), Unfit> {
        let (text, blocks) = (self.text, self.blocks);
        // The lowest bit tells whether an object is around, the next one whether one is around that, and so on.
        let (mut objects, mut depth) = (u64::from(self.peek() == b'{'), 1);
        let mut wrong = u64::from(depth > self.depth_left);
        let (mut start, mut passed) = (self.at / 64 * 64, u64::MAX >> (63 - self.at % 64));
        loop {
            let block = blocks.get(start / 64).ok_or(Unfit)?;
            let mut brackets = block.brackets & !passed;
            // What may not stand in the container around.
            let foreign = |objects: u64| if objects & 1 == 1 { block.in_array } else { block.in_object };
            while brackets != 0 {
                let place = start + brackets.trailing_zeros() as usize;
                let upto = brackets ^ (brackets - 1) | passed;
                wrong |= foreign(objects) & upto & !passed;
                passed = upto;
                brackets &= brackets - 1;
                let bracket = *text.get(place).ok_or(Unfit)?;
                // In ASCII bit 1 tells opening brackets, bit 5 braces.
                let is_object = u64::from(bracket >> 5 & 1);
                if bracket & 2 != 0 {
                    (objects, depth) = (objects << 1 | is_object, depth + 1);
                    wrong |= u64::from(depth > self.depth_left);
                } else {
                    wrong |= objects & 1 ^ is_object;
                    (objects, depth) = (objects >> 1, depth - 1);
                    if depth == 0 {
                        self.at = place;
                        self.begin_here();
                        self.advance();
                        return if wrong == 0 { Ok(()) } else { Err(Unfit) };
                    }
                }
            }
            wrong |= foreign(objects) & !passed;
            (start, passed) = (start + 64, 0);
        }
    }

    /// Passes a value of any kind.
    #[inline(always)]
    pub(crate) fn pass(&mut self) -> Result<(), Unfit> {
        match self.peek() {
            b'{' | b'[' => return self.skip_container(),
            b'"' => {
                self.advance();
                self.advance();
            }
            _ => self.advance(),
        }
        Ok(())
    }

    /// Passes a number or literal and says what it was.
    #[inline(never)]
    fn scalar(&mut self) -> Value {
        let (first, start) = (self.peek(), self.at);
        self.advance();
        let end = scalar_end(self.text, start).unwrap_or(start);
        let span = Span::within(start, end, Encoding::Plain);
        match first {
            b't' | b'f' => Value::Boolean(span),
            b'n' => Value::Null,
            _ => Value::Number(span),
        }
    }
}

impl<'a, O: Outliner> Walk<'a> for Outlined<'a, '_, O> {
    type Error = Unfit;

    #[inline(always)]
    fn text(&self) -> &'a [u8] {
        self.text
    }

    #[inline(always)]
    fn position(&self) -> usize {
        self.at
    }

    #[inline(always)]
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn object(&mut self, mut each: impl FnMut(&mut Self, Name<'a>) -> Result<(), Unfit>) -> Result<bool, Unfit> {
        if self.peek() != b'{' {
            self.pass()?;
            return Ok(false);
        }
        self.open()?;
        while self.peek() == b'"' {
            let span = self.name_quotes().map(|quotes| self.span(quotes))?;
            each(self, Name { raw: span.of(self.text), span })?;
        }
        if self.peek() != b'}' {
            return Err(Unfit);
        }
        self.close();
        Ok(true)
    }

    #[inline(always)]
    fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Unfit>) -> Result<bool, Unfit> {
        if self.peek() != b'[' {
            self.pass()?;
            return Ok(false);
        }
        self.open()?;
        while self.peek() != b']' {
            // Behind an element, a colon would make a member of it.
            if matches!(self.peek(), b':' | b'}' | 0) {
                return Err(Unfit);
            }
            each(self)?;
        }
        self.close();
        Ok(true)
    }

    #[inline(always)]
    fn value(&mut self) -> Result<Value, Unfit> {
        Ok(match self.peek() {
            b'"' => {
                let quotes = self.quotes();
                Value::String(self.span(quotes))
            }
            b'{' => self.skip_container().map(|()| Value::Object)?,
            b'[' => self.skip_container().map(|()| Value::Array)?,
            _ => self.scalar(),
        })
    }

    #[inline(always)]
    fn skip(&mut self) -> Result<(), Unfit> {
        self.pass()
    }
}

#[cfg(test)]
mod tests;
