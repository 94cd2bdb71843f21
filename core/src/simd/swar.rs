//! The portable kernel: eight bytes in a register. It is the reference for the others.

use super::blocks::{Masks, fill_with, followed_by_spaces};
use super::window::Window;

const LOW: u64 = 0x0101_0101_0101_0101;
pub(super) const HIGH: u64 = 0x8080_8080_8080_8080;

/// Fills a window on any machine.
pub(super) fn fill(text: &[u8], window: &mut Window) {
    fill_with(text, window, masks, prefix_xor, followed_by_spaces, Window::add);
}

/// Each bit is the exclusive or of all bits up to it.
pub(super) fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The masks of a block, eight bytes at a time.
pub(super) fn masks(block: &[u8; 64]) -> Masks {
    let mut masks = Masks::default();
    for (n, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        let at = n * 8;
        // Setting bit 5 turns `[` into `{` and `]` into `}`, and nothing else into them.
        let folded = word | (LOW * 0x20);
        let operator = equal(folded, b'{') | equal(folded, b'}') | equal(word, b':') | equal(word, b',');
        let space = equal(word, b' ') | equal(word, b'\t') | equal(word, b'\n') | equal(word, b'\r');
        masks.quote |= gather(equal(word, b'"')) << at;
        masks.backslash |= gather(equal(word, b'\\')) << at;
        masks.control |= gather(below_space(word)) << at;
        masks.operator |= gather(operator) << at;
        masks.space |= gather(space) << at;
        masks.non_ascii |= gather(word & HIGH) << at;
    }
    masks
}

/// The high bit of each byte that equals `byte`, exactly: no borrow crosses from byte to byte.
pub(super) fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (LOW * u64::from(byte));
    !(((difference & !HIGH) + !HIGH) | difference) & HIGH
}

/// The high bit of each byte below 0x20.
fn below_space(word: u64) -> u64 {
    // Such a byte has none of its upper three bits.
    equal(word & (LOW * 0xE0), 0)
}

/// Moves the high bits of the eight bytes together, the first byte's lowest.
pub(super) fn gather(high_bits: u64) -> u64 {
    // The product adds shifted copies that never meet in a bit, and collects all eight in the highest byte.
    ((high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56
}
