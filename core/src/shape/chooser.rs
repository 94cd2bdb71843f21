//! Which edge of a state to try: bytes that tell its literals apart are hashed.

use std::collections::BTreeSet;

/// States with fewer edges try one after the other.
const EDGES_MIN: usize = 3;

/// Pairs of places that are held against each other, at most, which bounds what a lesson costs.
const PLACES_MAX: usize = 12;

/// Bytes of a window.
const WINDOW: usize = 8;

/// Two windows into what a literal may be, and how many buckets their hash has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chooser {
    places: [u32; 2],
    /// The bytes of a window that all literals have.
    mask: u64,
    /// Bits that a hash is shifted to the right to give its bucket; 0: there is one bucket.
    shift: u32,
}

impl Chooser {
    /// One that tells these literals apart as well as two windows can.
    pub(super) fn of(literals: &[&[u8]]) -> Self {
        let shortest = literals.iter().map(|literal| literal.len()).min().unwrap_or(0);
        let one = Self { places: [0; 2], mask: u64::MAX, shift: 0 };
        if literals.len() < EDGES_MIN || shortest == 0 {
            return one;
        }
        let mask = if shortest < WINDOW { (1 << (8 * shortest)) - 1 } else { u64::MAX };
        let bits = (2 * literals.len()).next_power_of_two().trailing_zeros();
        let chooser = |places| Self { places, mask, shift: 64 - bits };
        let places = places(literals, shortest.saturating_sub(WINDOW));
        let told_apart = |chooser: &Self| {
            let mut buckets: Vec<_> = literals.iter().map(|literal| chooser.bucket_of(literal)).collect();
            buckets.sort_unstable();
            buckets.dedup();
            buckets.len()
        };
        let best = |choosers: &mut dyn Iterator<Item = Self>| choosers.max_by_key(told_apart).unwrap_or(one);
        let [first, _] = best(&mut places.iter().map(|&place| chooser([place; 2]))).places;
        best(&mut places.iter().map(|&place| chooser([first, place])))
    }

    /// How many buckets there are.
    pub(super) fn buckets(&self) -> usize {
        if self.shift == 0 { 1 } else { 1 << (64 - self.shift) }
    }

    /// The bucket of a literal that this was made for.
    pub(super) fn bucket_of(&self, literal: &[u8]) -> usize {
        let mut padded = [0; WINDOW];
        let padded = match literal.get(..WINDOW) {
            Some(_) => literal,
            // What a window reads behind a short literal is masked, but must be there.
            None => {
                padded[..literal.len()].copy_from_slice(literal);
                &padded
            }
        };
        self.choose(padded, 0).unwrap_or(0)
    }

    /// The bucket of what stands at `at`; `None` if there are not enough bytes, or there is nothing to choose.
    #[inline(always)]
    pub(super) fn choose(&self, text: &[u8], at: usize) -> Option<usize> {
        if self.shift == 0 {
            return None;
        }
        let [first, second] = self.places.map(|place| at + place as usize);
        let first = u64::from_le_bytes(*text.get(first..)?.first_chunk()?) & self.mask;
        let second = u64::from_le_bytes(*text.get(second..)?.first_chunk()?) & self.mask;
        // Odd numbers without a pattern: the golden ratio, and one of SplitMix64.
        let hash =
            first.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ second.wrapping_mul(0x94D0_49BB_1331_11EB).rotate_left(17);
        Some((hash >> self.shift) as usize)
    }
}

/// Places for a window, up to `last`: where literals that are neighbours by their bytes begin to differ.
fn places(literals: &[&[u8]], last: usize) -> Vec<u32> {
    let mut sorted = literals.to_vec();
    sorted.sort_unstable();
    let same = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let places: BTreeSet<usize> = sorted.windows(2).map(|pair| same(pair[0], pair[1]).min(last)).collect();
    let every = places.len().div_ceil(PLACES_MAX);
    places.into_iter().step_by(every.max(1)).map(|place| place as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_literals_share_a_bucket() {
        let spaces = ["", "\n", "\n  ", "\n\t", "\r\n    "];
        let names = ["EventNotification", "DisplayRequest", "MessageHeader", "PrintRequest"];
        let both = spaces
            .iter()
            .flat_map(|space| names.map(|name| format!("{{{space}\"SaleToPOIRequest\":{{{space}\"{name}")));
        let literals: Vec<String> = both.collect();
        let literals: Vec<&[u8]> = literals.iter().map(|literal| literal.as_bytes()).collect();
        let chooser = Chooser::of(&literals);
        let mut used = vec![0; chooser.buckets()];
        for literal in &literals {
            let followed = [literal, &b"whatever comes behind"[..]].concat();
            let bucket = chooser.choose(&followed, 0).unwrap();
            used[bucket] += 1;
        }
        assert!(used.iter().all(|count| *count <= 4), "{used:?}");
    }

    #[test]
    fn what_stands_behind_a_short_literal_does_not_matter() {
        let literals: [&[u8]; 4] = [b"\":1", b"\",", b"\"}", b"\"] and more"];
        let chooser = Chooser::of(&literals);
        for literal in literals {
            let buckets =
                [&b"0123456789"[..], b"abcdefghij"].map(|behind| chooser.choose(&[literal, behind].concat(), 0));
            assert!(buckets[0].is_some() && buckets[0] == buckets[1], "{}", literal.escape_ascii());
        }
        assert_eq!(chooser.choose(b"\":1", 0), None);
    }
}
