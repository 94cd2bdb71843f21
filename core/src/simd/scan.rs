//! Comparing with known bytes and finding the end of a string: what learned shapes do instead of indexing.

use super::marks::{Marks, marks};

/// What a scanner looks at at once.
pub(crate) type Block = [u8; 64];

/// One way to compare and to scan.
///
/// The methods are meant to be inlined into a loop that runs inside of [`super::dispatch`], so that the whole of it is
/// compiled for the machine's features.
pub(crate) trait Scanner: Copy {
    /// What is gathered from step to step, kept wherever this scanner can add to it soonest.
    type Gathering: Copy;

    /// Nothing gathered so far.
    fn nothing(self) -> Self::Gathering;

    /// Adds four numbers: to a sum of each, and to a union of their bits.
    fn gather(self, gathering: &mut Self::Gathering, numbers: &[u64; 4]);

    /// A bit for each byte that is the same in both.
    fn equal(self, block: &Block, known: &Block) -> u64;

    /// A bit for each quote, backslash and control character; gathers whether bytes of the block are not ASCII.
    fn stops(self, block: &Block, gathering: &mut Self::Gathering) -> u64;

    /// Marks the 64 bytes of a form that begin at a place within it; behind its end nothing is marked.
    fn marks(self, form: &[u8], at: usize) -> Marks;

    /// What was gathered.
    fn gathered(self, gathering: Self::Gathering) -> Gathered;
}

/// What a scanner has gathered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gathered {
    /// The sum of each of the numbers.
    pub(crate) sums: [u64; 4],
    /// All their bits.
    pub(crate) unions: [u64; 4],
    /// A byte of the blocks that were searched for stops is not ASCII.
    pub(crate) non_ascii: bool,
}

/// What is to be done with the machine's scanner.
pub(crate) trait Scan {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<S: Scanner>(self, scanner: S) -> Self::Output;
}

/// A byte at a time; the reference for the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PortableScanner;

impl Scanner for PortableScanner {
    type Gathering = Gathered;

    #[inline(always)]
    fn nothing(self) -> Gathered {
        Gathered::default()
    }

    #[inline(always)]
    fn gather(self, gathering: &mut Gathered, numbers: &[u64; 4]) {
        for (at, number) in numbers.iter().enumerate() {
            gathering.sums[at] = gathering.sums[at].wrapping_add(*number);
            gathering.unions[at] |= number;
        }
    }

    #[inline(always)]
    fn equal(self, block: &Block, known: &Block) -> u64 {
        bits(|at| block[at] == known[at])
    }

    #[inline(always)]
    fn stops(self, block: &Block, gathering: &mut Gathered) -> u64 {
        gathering.non_ascii |= !block.is_ascii();
        bits(|at| block[at] < 0x20 || block[at] == b'"' || block[at] == b'\\')
    }

    #[inline(always)]
    fn marks(self, form: &[u8], at: usize) -> Marks {
        marks(form, at)
    }

    #[inline(always)]
    fn gathered(self, gathering: Gathered) -> Gathered {
        gathering
    }
}

/// A bit for each of 64 places.
#[inline(always)]
fn bits(is_set: impl Fn(usize) -> bool) -> u64 {
    (0..64).fold(0, |bits, at| bits | u64::from(is_set(at)) << at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simd::dispatch;

    /// Asks the machine's scanner and the portable one the same.
    struct Both<'a>(&'a [(Block, Block, [u64; 4])]);

    impl Both<'_> {
        fn answers<S: Scanner>(&self, scanner: S) -> (Vec<[u64; 5]>, Gathered) {
            let mut gathering = scanner.nothing();
            let mut answer = |(block, known, numbers): &(Block, Block, [u64; 4])| {
                scanner.gather(&mut gathering, numbers);
                let Marks { ampersand, equals, escape } = scanner.marks(&block[..numbers[0] as usize % 64 + 1], 0);
                [scanner.equal(block, known), scanner.stops(block, &mut gathering), ampersand, equals, escape]
            };
            (self.0.iter().map(&mut answer).collect(), scanner.gathered(gathering))
        }
    }

    impl Scan for Both<'_> {
        type Output = ();

        fn run<S: Scanner>(self, scanner: S) {
            assert_eq!(self.answers(scanner), self.answers(PortableScanner));
        }
    }

    fn block() -> impl Strategy<Value = Block> {
        let byte = prop_oneof![40 => proptest::sample::select(&b"ab1 ,:{}\x7f!#[]&=%+"[..]), 1 => any::<u8>()];
        proptest::collection::vec(byte, 64).prop_map(|bytes| bytes.try_into().unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn the_scanner_of_this_machine_equals_the_portable_one(
            steps in proptest::collection::vec((block(), block(), any::<[u64; 4]>()), 0..4),
            same in any::<bool>(),
            flip in 0_usize..64,
        ) {
            let mut steps = steps;
            if let Some((block, known, _)) = steps.last_mut().filter(|_| same) {
                *known = *block;
                known[flip] ^= 1;
            }
            dispatch(Both(&steps));
        }
    }

    #[test]
    fn every_byte_stops_or_does_not() {
        let steps: Vec<_> = (0..=u8::MAX).map(|byte| ([byte; 64], [byte ^ 0x80; 64], [u64::from(byte); 4])).collect();
        dispatch(Both(&steps));
        for (block, ..) in steps {
            let stops = matches!(block[0], 0..0x20 | b'"' | b'\\');
            let mut gathering = PortableScanner.nothing();
            assert_eq!(PortableScanner.stops(&block, &mut gathering), if stops { u64::MAX } else { 0 });
            assert_eq!(gathering.non_ascii, block[0] >= 0x80);
        }
    }
}
