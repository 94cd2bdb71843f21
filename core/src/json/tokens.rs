//! The tokens of a text, one after the other: windows of the structural index, walked token by token.

use crate::simd::{Kernel, Window};
use crate::span::Span;

/// Where the walker stands: on a token, or at the end of the text.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    kernel: Kernel,
    /// Has a token left, unless there is none in the text either.
    window: Window,
}

impl<'a> Tokens<'a> {
    /// Stands before the first token of `text` from `start` on, which must lie outside of strings and scalars;
    /// [`Tokens::begin`] comes next.
    ///
    /// What lies beyond a gigabyte, where no span reaches, is not part of the text.
    #[inline(always)]
    pub(super) fn starting_at(text: &'a [u8], start: usize, kernel: Kernel) -> Self {
        let text = &text[..text.len().min(Span::REACH)];
        Self { text, kernel, window: Window::starting_at(start.min(text.len())) }
    }

    /// Goes to the first token. To be called where the window will stay: it is too large to be moved when it is full.
    #[inline(always)]
    pub(super) fn begin(&mut self) {
        self.refill();
    }

    /// The whole text.
    #[inline(always)]
    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The place of the token we are on; the length of the text at its end.
    #[inline(always)]
    pub(super) fn position(&self) -> usize {
        self.window.place()
    }

    /// The first byte of the token we are on; 0 at the end, which no valid token begins with.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.window.peek()
    }

    /// Goes on to the next token. Must not be called at the end.
    #[inline(always)]
    pub(super) fn advance(&mut self) {
        self.window.advance();
        self.settle();
    }

    /// Passes tokens that begin with these bytes if they are the next ones, in one step, and says where they are.
    ///
    /// Nothing is said by `None`: the window may end between them.
    #[inline(always)]
    pub(super) fn take<const N: usize>(&mut self, tokens: [u8; N]) -> Option<[u32; N]> {
        let places = self.window.take(tokens)?;
        self.settle();
        Some(places)
    }

    /// Whether a byte that is not ASCII lies in what has been indexed.
    pub(super) fn non_ascii(&self) -> bool {
        self.window.non_ascii()
    }

    /// Sees to it that a token is left.
    #[inline(always)]
    fn settle(&mut self) {
        if self.window.peek() == 0 {
            self.refill();
        }
    }

    #[inline(never)]
    fn refill(&mut self) {
        while self.window.is_passed() && self.window.next < self.text.len() {
            self.kernel.fill(self.text, &mut self.window);
        }
    }
}
