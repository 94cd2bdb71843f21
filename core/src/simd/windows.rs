//! A text as whole blocks from anywhere in it, also where fewer bytes are left.

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::scan::Block;

const BLOCK: usize = size_of::<Block>();

/// The last bytes of a text, with zeros behind them.
pub(crate) struct Tail {
    bytes: [u8; 2 * BLOCK],
    /// Where in the text they begin, and how many they are, at most a block.
    start: usize,
    length: usize,
}

impl Tail {
    /// That of a text that is empty.
    #[inline(always)]
    pub(crate) fn empty() -> Self {
        Self { bytes: [0; 2 * BLOCK], start: 0, length: 0 }
    }

    /// Makes this, which is empty, that of `text`.
    #[inline(always)]
    pub(crate) fn fill(&mut self, text: &[u8]) {
        self.length = text.len().min(BLOCK);
        self.start = text.len() - self.length;
        match text.last_chunk::<BLOCK>() {
            Some(last) => self.bytes[..BLOCK].copy_from_slice(last),
            None => self.bytes[..text.len()].copy_from_slice(text),
        }
    }

    /// See [`Windows`]: its first three.
    #[cold]
    #[inline(never)]
    fn view(&self) -> (NonNull<u8>, usize, usize) {
        (NonNull::from(&self.bytes).cast(), self.start, self.length)
    }
}

/// Blocks of a text that are asked for from its beginning to its end.
pub(crate) struct Windows<'a> {
    /// The text, or, near the end of it, its tail.
    first: NonNull<u8>,
    /// Where in the text it begins.
    start: usize,
    /// How far behind `first` a whole block begins at most.
    last: usize,
    tail: &'a Tail,
    text: PhantomData<&'a [u8]>,
}

impl<'a> Windows<'a> {
    /// `tail` is that of `text`.
    #[inline(always)]
    pub(crate) fn new(text: &'a [u8], tail: &'a Tail) -> Self {
        let mut windows = Self { first: NonNull::from(text).cast(), start: 0, last: 0, tail, text: PhantomData };
        match text.len().checked_sub(BLOCK) {
            Some(last) => windows.last = last,
            None => (windows.first, windows.start, windows.last) = tail.view(),
        }
        windows
    }

    /// The bytes from `at` on, with zeros behind the end; `None` behind the end, and for what is before the last block
    /// once one at the end was asked for.
    #[inline(always)]
    pub(crate) fn at(&mut self, at: usize) -> Option<&'a Block> {
        let mut behind = at.wrapping_sub(self.start);
        if behind > self.last {
            (self.first, self.start, self.last) = self.tail.view();
            behind = at.wrapping_sub(self.start);
            if behind > self.last {
                return None;
            }
        }
        // SAFETY: `new` and `Tail::view` give a `last` so that a block that begins there ends with what `first` points
        // to: with the text, or with the 128 bytes of the tail, of whose length a block was set aside. Both live for
        // `'a`, in which nobody writes to them. `windows_show_the_text_and_zeros_behind_it` reads all there are.
        Some(unsafe { self.first.add(behind).cast::<Block>().as_ref() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_show_the_text_and_zeros_behind_it() {
        for length in [0, 1, 63, 64, 65, 127, 128, 129, 300] {
            let text: Vec<u8> = (0..length).map(|at| at as u8 | 1).collect();
            let padded = [&text[..], &[0; BLOCK]].concat();
            for step in [1, 3, 64] {
                let mut tail = Tail::empty();
                tail.fill(&text);
                let mut windows = Windows::new(&text, &tail);
                for at in (0..length + 2 * BLOCK).step_by(step) {
                    let expected = if at <= length { Some(&padded[at..at + BLOCK]) } else { None };
                    assert_eq!(windows.at(at).map(|block| &block[..]), expected, "{length} bytes, from {at}");
                }
                for at in [0, length.saturating_sub(BLOCK + 1), usize::MAX] {
                    let is_in_tail = at <= length && at + BLOCK >= length;
                    assert_eq!(windows.at(at).is_some(), is_in_tail, "{length} bytes, back to {at}");
                }
            }
        }
    }
}
