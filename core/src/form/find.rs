//! One pair by its key: only keys are looked at.

use super::{Marks, Pair, Pairs, end_marked};
use crate::simd::marks::fastest_marker;

/// The value of the first pair with this key, without decoding the others.
///
/// ```
/// use nexowire_core::form::find;
///
/// let pair = find(b"a=1&psp%52eference=NC6HT9CRT65ZGN82", b"pspReference").unwrap();
/// assert_eq!(pair.value(), "NC6HT9CRT65ZGN82");
/// ```
#[inline]
pub fn find<'a>(text: &'a [u8], key: &[u8]) -> Option<Pair<'a>> {
    find_with(text, key, fastest_marker())
}

/// The same with a way to mark. Only keys are looked at, and only where one begins like this one or has an escape is a pair
/// made.
#[inline(always)]
pub(crate) fn find_with<'a>(text: &'a [u8], key: &[u8], marks: impl Fn(&[u8], usize) -> Marks) -> Option<Pair<'a>> {
    // Where the part begins that we are in, and whether we are still in its key.
    let (mut start, mut in_key) = (0, true);
    for block in (0..text.len()).step_by(64) {
        let Marks { mut ampersand, equals, escape } = end_marked(marks(text, block), text.len() - block);
        let mut stops = ampersand | equals | escape;
        loop {
            if in_key {
                if stops == 0 {
                    break;
                }
                let at = block + stops.trailing_zeros() as usize;
                let lowest = stops & stops.wrapping_neg();
                let may_be_it = at - start == key.len() && text[start..at] == *key;
                if may_be_it && equals & lowest != 0 && ampersand != 0 {
                    // It ends in this block, as most do.
                    let value_escaped = escape & (ampersand - 1) & !ampersand & !(lowest - 1) != 0;
                    let end = block + ampersand.trailing_zeros() as usize;
                    return Some(Pair::new(text, [start, at, end], [false, value_escaped]));
                }
                if may_be_it || escape & lowest != 0 {
                    // Empty parts and keys that decode to others are passed, and what follows is read the plain way.
                    return find_plainly(text, start, key);
                }
                stops ^= lowest;
                in_key = ampersand & lowest != 0;
                if in_key {
                    (start, ampersand) = (at + 1, ampersand ^ lowest);
                    continue;
                }
            }
            if ampersand == 0 {
                break;
            }
            let behind = !(ampersand ^ (ampersand - 1));
            start = block + ampersand.trailing_zeros() as usize + 1;
            (ampersand, stops, in_key) = (ampersand & behind, stops & behind, true);
        }
    }
    // A key that goes on to the end of whole blocks.
    if in_key { find_plainly(text, start, key) } else { None }
}

/// The same from `start` on, pair by pair.
#[cold]
fn find_plainly<'a>(text: &'a [u8], start: usize, key: &[u8]) -> Option<Pair<'a>> {
    Pairs::starting_at(text, start, fastest_marker()).find(|pair| pair.has_key(key))
}
