//! The outline of a text: for each 64 bytes what its tokens are, once it is known that they follow each other rightly.
//!
//! What it needs lives on the stack and is never cleared: clearing it would cost as much as reading a short message.

use std::mem::MaybeUninit;

use super::grammar::{Block, Grammar, Planes};
use super::name_table::NameTable;

/// Blocks of the longest text that has an outline.
const BLOCKS_MAX: usize = 512;

/// Where the blocks of an outline are kept.
#[derive(Debug)]
pub(crate) struct BlockRoom([MaybeUninit<Block>; BLOCKS_MAX]);

impl BlockRoom {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self([MaybeUninit::uninit(); BLOCKS_MAX])
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
    pub(crate) blocks: &'r [Block],
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
    let places = room.0.get_mut(..text.len().div_ceil(64))?;
    let (blocks, rest) = text.as_chunks::<64>();
    let mut grammar = Grammar::new();
    for (number, (block, place)) in blocks.iter().zip(&mut *places).enumerate() {
        let (block, oddities) = grammar.block(planes_of(block), &prefix_xor, &add);
        place.write(block);
        if oddities.any() && !oddities.are_right(text, number * 64) {
            return None;
        }
    }
    // The last bytes are looked at with those before them, as no more than the text can be read.
    if let Some(place) = places.get_mut(blocks.len()) {
        let planes = planes_of(last).behind(64 - rest.len() as u32);
        let (block, oddities) = grammar.block(planes, &prefix_xor, &add);
        place.write(block);
        if oddities.any() && !oddities.are_right(text, text.len() - rest.len()) {
            return None;
        }
    }
    // SAFETY: every one of these has been written, for each whole block of the text and for the rest that is left, if
    // any. `every_outliner_makes_the_same` reads all of them.
    let blocks = unsafe { places.assume_init_ref() };
    Some(Outline { blocks, has_backslashes: grammar.has_backslashes() })
}
