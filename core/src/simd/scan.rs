//! Comparing with known bytes and finding the end of a string: what learned shapes do instead of indexing.

/// One way to compare and to scan.
///
/// The methods are meant to be inlined into a loop that runs inside of [`super::dispatch`], so that the whole of it is
/// compiled for the machine's features.
pub(crate) trait Scanner: Copy {
    /// Whether `text` goes on at `at` with the `length` bytes of `known` from `start` on, which must be there. Of what
    /// stands behind them nothing is asked, but with 32 bytes more it is sooner done.
    fn goes_on_with(self, text: &[u8], at: usize, known: &[u8], start: u32, length: u32) -> bool;

    /// The first quote, backslash or control character from `at` on, and which one it is; and whether a byte of the
    /// text may not be ASCII, which is true if one before it is not.
    fn string_stop(self, text: &[u8], at: usize) -> Option<(usize, u8, bool)>;
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
    #[inline(always)]
    fn goes_on_with(self, text: &[u8], at: usize, known: &[u8], start: u32, length: u32) -> bool {
        text.get(at..).is_some_and(|rest| rest.starts_with(&known[start as usize..][..length as usize]))
    }

    #[inline(always)]
    fn string_stop(self, text: &[u8], at: usize) -> Option<(usize, u8, bool)> {
        let mut non_ascii = false;
        for (offset, &byte) in text.get(at..)?.iter().enumerate() {
            if byte < 0x20 || byte == b'"' || byte == b'\\' {
                return Some((at + offset, byte, non_ascii));
            }
            non_ascii |= byte >= 0x80;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simd::dispatch;

    /// Asks the machine's scanner and the portable one the same.
    struct Both<'a>(&'a [u8], usize, &'a [u8]);

    impl Scan for Both<'_> {
        type Output = ();

        fn run<S: Scanner>(self, scanner: S) {
            let Self(text, at, literal) = self;
            let [found, expected] = [scanner.string_stop(text, at), PortableScanner.string_stop(text, at)];
            let place = |stop: (usize, u8, bool)| (stop.0, stop.1);
            assert_eq!(found.map(place), expected.map(place), "{text:?} from {at}");
            if let (Some((_, _, found)), Some((_, _, expected))) = (found, expected) {
                assert!(found >= expected && found <= !text.is_ascii(), "{text:?} from {at}");
            }
            for end in 0..=literal.len() as u32 {
                let expected = PortableScanner.goes_on_with(text, at, literal, 0, end);
                for known in [&literal[..end as usize], literal, &[literal, &[0; 32]].concat()] {
                    let behind = [b"known", known].concat();
                    assert_eq!(
                        scanner.goes_on_with(text, at, &behind, 5, end),
                        expected,
                        "{text:?} from {at}: {known:?}"
                    );
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn the_scanner_of_this_machine_equals_the_portable_one(
            text in proptest::collection::vec(prop_oneof![
                40 => proptest::sample::select(&b"ab1 ,:{}"[..]),
                1 => proptest::sample::select(&b"\"\\\x00\x1f\x7f\x80\xff"[..]),
            ], 0..200),
            at in 0_usize..220,
            length in 0_usize..150,
            flip in proptest::option::of(0_usize..150),
        ) {
            let mut literal = text.get(at..).unwrap_or_default().to_vec();
            literal.truncate(length);
            if let Some(byte) = flip.and_then(|flip| literal.get_mut(flip)) {
                *byte ^= 1;
            }
            dispatch(Both(&text, at, &literal));
            literal.push(b'x');
            dispatch(Both(&text, at, &literal));
        }
    }
}
