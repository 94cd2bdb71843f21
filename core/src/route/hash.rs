//! The hash behind sets of texts and behind the table's index.
//!
//! Not keyed, and it need not be: only the configuration, which is trusted, puts anything into a set. A message can
//! only look up, and however its texts are chosen, a look-up takes no longer than the longest run the configuration has
//! made. What a look-up finds is always compared to the letter afterwards.

use std::hash::{BuildHasher, Hasher};

/// An odd constant with its bits well spread: the fraction of the golden ratio.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Another one, from the digits of pi.
const FACTOR: u64 = 0xa409_3822_299f_31d1;

/// Mixes two numbers into one: the halves of their product, folded.
#[inline]
const fn mix(a: u64, b: u64) -> u64 {
    let product = (a ^ SEED) as u128 * (b ^ FACTOR) as u128;
    (product as u64) ^ (product >> 64) as u64
}

/// A number spread over all bits, the upper and the lower ones alike; 0 stays 0.
#[inline]
pub(super) const fn spread(number: u64) -> u64 {
    number.wrapping_mul(SEED)
}

/// A hash of several numbers that are well spread themselves, by one more of them. Of the first it is that number.
#[inline]
pub(super) const fn append(hash: u64, number: u64) -> u64 {
    hash.wrapping_mul(FACTOR).wrapping_add(number)
}

/// The hash of a text: sixteen bytes a step, so that most names of terminals take one or two.
#[inline]
pub(super) fn hash_text(text: &[u8]) -> u64 {
    // The count of bytes is in the hash from the start, so nothing needs to mark the end, and the last step may take
    // some bytes a second time. It is spread, or a letter could undo it.
    let mut hash = spread(text.len() as u64);
    let mut rest = text;
    while rest.len() > 16
        && let Some((chunk, after)) = rest.split_first_chunk::<16>()
    {
        hash = step(hash, halves(*chunk));
        rest = after;
    }
    step(hash, text.last_chunk().map_or_else(|| ends(text), |last| halves(*last)))
}

#[inline]
const fn step(hash: u64, (a, b): (u64, u64)) -> u64 {
    mix(hash ^ a, b)
}

#[inline]
const fn halves(chunk: [u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(chunk);
    (both as u64, (both >> 64) as u64)
}

/// Fewer than sixteen bytes as two numbers, from both ends.
#[inline]
fn ends(text: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
    }
    (text.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)), 0)
}

/// [`hash_text`] for the standard library's sets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TextHasher(u64);

impl BuildHasher for TextHasher {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for TextHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0 = mix(self.0, hash_text(bytes));
    }

    /// The length that slices write before their bytes; their hash has it already.
    #[inline]
    fn write_usize(&mut self, _: usize) {}

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::hash_text;

    #[test]
    fn texts_that_differ_have_hashes_that_differ() {
        let mut seen = HashSet::new();
        let mut texts: Vec<Vec<u8>> = (0..20).map(|len| vec![0; len]).collect();
        texts.extend((0..50_000).map(|i| format!("V400m-{i:09}").into_bytes()));
        texts.extend((0..50_000).map(|i| format!("{i}").into_bytes()));
        for text in &texts {
            assert!(seen.insert(hash_text(text)), "{text:?}");
        }
        // The index takes the upper bits for a slot and compares the lower ones: both must spread.
        let upper: HashSet<u64> = seen.iter().map(|hash| hash >> 44).collect();
        let lower: HashSet<u64> = seen.iter().map(|hash| hash & 0xfffff).collect();
        assert!(upper.len() > 94_000 && lower.len() > 94_000, "{} {}", upper.len(), lower.len());
    }
}
