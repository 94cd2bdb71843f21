//! From a hash to the position of a row: segments under a directory, each of which grows, shrinks and splits for itself,
//! so that no single message pays for all the others.

use super::segment::{SLOTS_MAX, Segment};

/// How many times as long as the list of segments the directory may be, as a power of two: hashes that are no good must
/// not make it endless.
const DIRECTORY_SLACK: u32 = 4;

/// Positions of rows, by 64 bits of a keyed hash: the highest choose the segment, the lowest the slot.
pub(super) struct Index {
    /// By the highest `depth` bits of a hash: which segment.
    directory: Vec<u32>,
    depth: u32,
    segments: Vec<(Segment, u32)>,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { directory: vec![0], depth: 0, segments: vec![(Segment::default(), 0)] }
    }

    /// The first position under this hash that `is_it`.
    pub(super) fn find(&self, hash: u64, is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.segments[self.segment_of(hash)].0.find(hash, is_it)
    }

    /// Puts a position in. `hash_of` says the hash of a position that is here already.
    pub(super) fn insert(&mut self, hash: u64, position: u32, hash_of: impl Fn(u32) -> u64) {
        loop {
            let (at, depth_max) = (self.segment_of(hash), self.segments.len().ilog2() + DIRECTORY_SLACK);
            let (segment, depth) = &mut self.segments[at];
            if !segment.is_full() || segment.slots() < SLOTS_MAX || *depth >= depth_max {
                return segment.insert(hash, position);
            }
            self.split(at, hash, &hash_of);
        }
    }

    /// Takes out the first position under this hash that `is_it`, and says whether there was one.
    pub(super) fn remove(&mut self, hash: u64, is_it: impl FnMut(u32) -> bool) -> bool {
        let at = self.segment_of(hash);
        self.segments[at].0.remove(hash, is_it)
    }

    fn segment_of(&self, hash: u64) -> usize {
        self.directory[bits(hash, self.depth)] as usize
    }

    /// Makes two segments of the one to which `hash` belongs.
    fn split(&mut self, at: usize, hash: u64, hash_of: impl Fn(u32) -> u64) {
        let depth = self.segments[at].1 + 1;
        if depth > self.depth {
            self.directory = self.directory.iter().flat_map(|segment| [*segment; 2]).collect();
            self.depth += 1;
        }
        let taken = self.segments[at].0.take(|position| bits(hash_of(position), depth) & 1 == 1);
        self.segments[at].1 = depth;
        let new = self.segments.len() as u32;
        self.segments.push((taken, depth));
        // The entries with this beginning, of which the second half is the new segment's.
        let each = 1 << (self.depth - depth);
        let start = (bits(hash, depth) | 1) * each;
        self.directory[start..start + each].fill(new);
    }
}

/// The highest `count` bits.
fn bits(hash: u64, count: u32) -> usize {
    hash.checked_shr(u64::BITS - count).unwrap_or(0) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A hash of a position that is good, or all of which are alike in what chooses the segment, the slot, or both.
    fn hash(position: u32, sort: u8) -> u64 {
        let good = (u64::from(position) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let good = (good ^ good >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        match sort {
            0 => good ^ good >> 32,
            1 => good & 0x3fff,
            2 => good << 16,
            _ => 7,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_holds_what_was_put_in(sort in 0..4_u8, steps in prop::collection::vec((0..3_u8, 1..400_u32), 1..40)) {
            let mut index = Index::new();
            let (mut first, mut next) = (0_u32, 0_u32);
            for (what, count) in steps {
                // Those that are all alike take as many steps as there are of them.
                for _ in 0..if sort == 0 { count * 20 } else { count / 4 } {
                    if what < 2 {
                        index.insert(hash(next, sort), next, |position| hash(position, sort));
                        next += 1;
                    } else if first < next {
                        prop_assert!(index.remove(hash(first, sort), |position| position == first));
                        first += 1;
                    }
                }
                let step = ((next - first) / 500).max(1);
                for position in (0..next + 1).step_by(step as usize) {
                    let found = index.find(hash(position, sort), |other| other == position);
                    prop_assert_eq!(found, (first..next).contains(&position).then_some(position));
                }
            }
            for position in first..next {
                prop_assert!(index.remove(hash(position, sort), |other| other == position));
                prop_assert!(!index.remove(hash(position, sort), |other| other == position));
            }
        }
    }
}
