//! The portable outliner: the reference for the others. No machine is known on which it would be faster than to go
//! without one.

use super::blocks::Masks;
use super::grammar::Planes;
use super::name_table::NameTable;
use super::outline::{BlockRoom, Outline, Outliner, outline_with};
use super::swar::{HIGH, gather, masks, prefix_xor};

/// Makes outlines on any machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct PortableOutliner;

impl Outliner for PortableOutliner {
    fn outline<'r>(self, text: &[u8], room: &'r mut BlockRoom) -> Option<(Outline<'r>, bool)> {
        Some((outline_with(text, room, planes, prefix_xor, add)?, !text.is_ascii()))
    }

    fn find_name(self, names: &NameTable, text: &[u8], start: usize, end: usize) -> usize {
        names.find(text, start, end)
    }
}

/// The masks of a block, and bits of its bytes.
fn planes(block: &[u8; 64]) -> Planes {
    let masks: Masks = masks(block);
    let [bit_0, bit_1] = [0, 1].map(|bit| {
        let words = block.as_chunks::<8>().0.iter().enumerate();
        words.fold(0, |bits, (n, word)| bits | gather(u64::from_le_bytes(*word) << (7 - bit) & HIGH) << (n * 8))
    });
    Planes { masks, bit_0, bit_1 }
}

/// Adds, with what is carried in and out.
fn add(a: u64, b: u64, carry: &mut u8) -> u64 {
    let (sum, carried) = a.carrying_add(b, *carry != 0);
    *carry = u8::from(carried);
    sum
}
