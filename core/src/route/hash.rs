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
pub(super) const fn mix(a: u64, b: u64) -> u64 {
    let product = (a ^ SEED) as u128 * (b ^ FACTOR) as u128;
    (product as u64) ^ (product >> 64) as u64
}

/// The hash of a text.
#[inline]
pub(super) fn hash_text(text: &[u8]) -> u64 {
    let mut hash = text.len() as u64;
    let mut rest = text;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        hash = mix(hash, u64::from_le_bytes(*chunk));
        rest = after;
    }
    mix(hash, tail(rest))
}

/// Up to seven bytes as a number. Their count is part of the hash already, so nothing needs to mark the end.
#[inline]
fn tail(rest: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    rest.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
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
