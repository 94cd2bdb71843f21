//! The outline of a text: for each 64 bytes what its tokens are, once it is known that they follow each other rightly.
//!
//! What it needs lives on the stack and is never cleared: clearing it would cost as much as reading a short message.

use std::mem::MaybeUninit;

use super::grammar::{Grammar, OutlineBlock, Planes};
use super::name_table::NameTable;

/// Blocks of the longest text that has an outline.
const BLOCKS_MAX: usize = 512;

/// Where an outline is kept.
#[derive(Debug)]
pub(crate) struct BlockRoom {
    blocks: [MaybeUninit<OutlineBlock>; BLOCKS_MAX],
    tokens: [MaybeUninit<[u8; 8]>; BLOCKS_MAX + 1],
}

impl BlockRoom {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self { blocks: [MaybeUninit::uninit(); BLOCKS_MAX], tokens: [MaybeUninit::uninit(); BLOCKS_MAX + 1] }
    }
}

/// Where tokens are: quotes, brackets, colons, and the first bytes of scalars. Bit `i` of byte `n` stands for byte
/// `8 * n + i` of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tokens<'r> {
    /// Behind the bytes that stand for the text are eight zeros.
    bytes: &'r [u8],
    /// How many stand for the text.
    length: usize,
}

impl<'r> Tokens<'r> {
    /// The tokens of these blocks, of which the last one is empty.
    #[inline(always)]
    fn new(blocks: &'r [[u8; 8]]) -> Self {
        let bytes = blocks.as_flattened();
        Self { bytes, length: bytes.len().saturating_sub(8) }
    }

    /// All of them.
    #[cfg(test)]
    pub(super) fn to_vec(self) -> Vec<u8> {
        self.bytes.to_vec()
    }

    /// The tokens of at least 57 bytes of the text, of which `at` is the first; `None` behind the last block.
    #[inline(always)]
    pub(crate) fn from(self, at: usize) -> Option<u64> {
        let number = at / 8;
        if number >= self.length {
            return None;
        }
        // SAFETY: eight bytes follow the `length` ones, as `Tokens::new` has seen to, so that eight of them can be read from
        // any of these. `tokens_are_read_from_everywhere` asks for every one.
        let eight = unsafe { self.bytes.as_ptr().add(number).cast::<[u8; 8]>().read() };
        Some(u64::from_le_bytes(eight) >> (at % 8))
    }
}

/// One way to make outlines.
///
/// Its methods are meant to be inlined into a reader that is run by [`super::Kernel::read`], so that the whole of it is
/// compiled for the machine's features.
pub(crate) trait Outliner: Copy {
    /// The outline of `text`, and whether any byte is not ASCII; `None` if its tokens do not follow each other rightly, or
    /// it is too short or too long.
    fn outline<'r>(self, text: &[u8], room: &'r mut BlockRoom) -> Option<(Outline<'r>, bool)>;

    /// [`NameTable::find`].
    fn find_name(self, names: &NameTable, text: &[u8], start: usize, end: usize) -> usize;
}

/// What is to be done with a kernel's outliner.
pub(crate) trait Read {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<O: Outliner>(self, outliner: O) -> Self::Output;
}

/// The blocks of a text, checked as far as one token tells of the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline<'r> {
    /// What is known of each 64 bytes.
    pub(crate) blocks: &'r [OutlineBlock],
    /// Where its tokens are.
    pub(crate) tokens: Tokens<'r>,
    /// Whether any byte is a backslash.
    pub(crate) has_backslashes: bool,
}

/// Makes the outline of `text`, which must have 64 bytes at least and have its place in the room; `None` also if its
/// tokens do not follow each other rightly.
///
/// `planes_of`, `prefix_xor` and `add` go into [`Grammar::block`].
#[inline(always)]
pub(super) fn outline_with<'r>(
    text: &[u8],
    room: &'r mut BlockRoom,
    mut planes_of: impl FnMut(&[u8; 64]) -> Planes,
    prefix_xor: impl Fn(u64) -> u64,
    add: impl Fn(u64, u64, &mut u8) -> u64,
) -> Option<Outline<'r>> {
    let last = text.last_chunk::<64>()?;
    let count = text.len().div_ceil(64);
    let places = room.blocks.get_mut(..count)?;
    let all_tokens = room.tokens.get_mut(..=count)?;
    let (blocks, rest) = text.as_chunks::<64>();
    let mut grammar = Grammar::new();
    for (number, (block, (place, kept))) in blocks.iter().zip(places.iter_mut().zip(&mut *all_tokens)).enumerate() {
        let (tokens, block, oddities) = grammar.block(planes_of(block), &prefix_xor, &add);
        place.write(block);
        kept.write(tokens.to_le_bytes());
        if oddities.any() && !oddities.are_right(text, number * 64) {
            return None;
        }
    }
    // The last bytes are looked at with those before them, as no more than the text can be read.
    if let Some(place) = places.get_mut(blocks.len()) {
        let planes = planes_of(last).behind(64 - rest.len() as u32);
        let (tokens, block, oddities) = grammar.block(planes, &prefix_xor, &add);
        place.write(block);
        all_tokens[blocks.len()].write(tokens.to_le_bytes());
        if oddities.any() && !oddities.are_right(text, text.len() - rest.len()) {
            return None;
        }
    }
    all_tokens[count].write([0; 8]);
    // SAFETY: every one of these has been written, for each whole block of the text and for the rest that is left, if
    // any, and the zeros behind them. `every_outliner_makes_the_same` reads all of them.
    let (blocks, tokens) = unsafe { (places.assume_init_ref(), all_tokens.assume_init_ref()) };
    Some(Outline { blocks, tokens: Tokens::new(tokens), has_backslashes: grammar.has_backslashes() })
}
