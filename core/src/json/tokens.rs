//! The tokens of a text, one after the other: a window of the structural index, walked bit by bit.

use crate::simd::{Carry, Kernel, WINDOW_BLOCKS, WINDOW_BYTES, Window};

/// Where the walker stands: on a token, or at the end of the text.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    kernel: Kernel,
    carry: Carry,
    window: Window,
    /// The first byte of the window in the text.
    window_start: usize,
    /// The block in the window that `bits` came from.
    block: usize,
    /// The tokens of this block that are not behind us; its lowest bit is the token we are on.
    bits: u64,
    /// The token we are on; the length of the text at its end.
    position: usize,
}

impl<'a> Tokens<'a> {
    /// Stands on the first token of `text` from `start` on, which must lie outside of strings and scalars.
    #[inline]
    pub(super) fn starting_at(text: &'a [u8], start: usize, kernel: Kernel) -> Self {
        let mut tokens = Self {
            text,
            kernel,
            carry: Carry::default(),
            window: [0; WINDOW_BLOCKS],
            window_start: 0,
            block: 0,
            bits: 0,
            position: 0,
        };
        tokens.fill(start);
        tokens.bits = tokens.window[0];
        tokens.settle();
        tokens
    }

    /// The whole text.
    #[inline(always)]
    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The place of the token we are on; the length of the text at its end.
    #[inline(always)]
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The first byte of the token we are on; 0 at the end, which no valid token begins with.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.text.get(self.position).copied().unwrap_or(0)
    }

    /// Goes on to the next token. Must not be called at the end.
    #[inline(always)]
    pub(super) fn advance(&mut self) {
        debug_assert!(self.position < self.text.len());
        self.bits &= self.bits.wrapping_sub(1);
        self.settle();
    }

    /// Whether a byte that is not ASCII lies in what has been indexed.
    pub(super) fn non_ascii(&self) -> bool {
        self.carry.non_ascii()
    }

    /// Finds the lowest token that is left.
    #[inline(always)]
    fn settle(&mut self) {
        while self.bits == 0 {
            self.block += 1;
            if self.block == WINDOW_BLOCKS {
                self.fill(self.window_start + WINDOW_BYTES);
            }
            self.bits = self.window[self.block % WINDOW_BLOCKS];
        }
        self.position = self.window_start + self.block * 64 + self.bits.trailing_zeros() as usize;
    }

    /// Indexes the window that begins at `start`, and sets a bit behind the last byte of the text, so that `settle`
    /// always finds one.
    #[inline(never)]
    fn fill(&mut self, start: usize) {
        let rest = &self.text[start.min(self.text.len())..];
        let part = &rest[..rest.len().min(WINDOW_BYTES)];
        self.kernel.index(part, &mut self.carry, &mut self.window);
        if rest.len() < WINDOW_BYTES {
            // A block that the text fills in part has only zeros behind it; a whole one is followed by an old word.
            let (block, bit) = (rest.len() / 64, rest.len() % 64);
            let word = &mut self.window[block];
            *word = if bit == 0 { 1 } else { *word | 1 << bit };
        }
        self.window_start = start;
        self.block = 0;
    }
}
