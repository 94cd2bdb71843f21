//! The AVX2 scanner.

use std::arch::x86_64::{_bzhi_u32, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256};

use super::avx2::{control, equal};
use super::scan::{PortableScanner, Scan, Scanner};

/// Scans 32 bytes at a time. Having one is the proof that this machine has AVX2, BMI1 and BMI2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2Scanner(());

impl Avx2Scanner {
    /// The scanner, if this machine has what it needs.
    #[inline]
    pub(super) fn detected() -> Option<Self> {
        let has =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
        has.then_some(Self(()))
    }

    /// Runs a scan that is compiled for these features, as far as it is inlined.
    #[inline]
    pub(super) fn run<T: Scan>(self, scan: T) -> T::Output {
        // SAFETY: `self` exists only where `detected` has found the features that `run_avx2` is compiled for.
        // `the_scanner_of_this_machine_equals_the_portable_one` runs it wherever it is detected.
        unsafe { run_avx2(scan, self) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
fn run_avx2<T: Scan>(scan: T, scanner: Avx2Scanner) -> T::Output {
    scan.run(scanner)
}

impl Scanner for Avx2Scanner {
    #[inline(always)]
    fn goes_on_with(self, text: &[u8], at: usize, known: &[u8], start: u32, length: u32) -> bool {
        // SAFETY: `self` is the proof of the features.
        unsafe { goes_on_with(text, at, known, start, length) }
    }

    #[inline(always)]
    fn string_stop(self, text: &[u8], at: usize) -> Option<(usize, u8, bool)> {
        // SAFETY: `self` is the proof of the features.
        unsafe { string_stop(text, at) }
    }
}

/// See [`Scanner::goes_on_with`].
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn goes_on_with(text: &[u8], at: usize, known: &[u8], start: u32, length: u32) -> bool {
    let (start, length) = (start as usize, length as usize);
    let Some(rest) = text.get(at..) else { return false };
    if length + 32 > rest.len() || start + length + 32 > known.len() {
        return begins_with(rest, &known[start..][..length]);
    }
    let mut passed = 0;
    loop {
        // SAFETY: `passed` is at most `length`, so that there are 32 bytes from there on in both slices.
        let same = unsafe {
            let vector = _mm256_loadu_si256(rest.as_ptr().add(passed).cast());
            let known = _mm256_loadu_si256(known.as_ptr().add(start + passed).cast());
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(vector, known))
        };
        if length - passed <= 32 {
            return _bzhi_u32(!same as u32, (length - passed) as u32) == 0;
        }
        if same != -1 {
            return false;
        }
        passed += 32;
    }
}

/// The same where no vector may reach behind the literal.
#[inline(never)]
fn begins_with(rest: &[u8], literal: &[u8]) -> bool {
    rest.starts_with(literal)
}

/// See [`Scanner::string_stop`].
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn string_stop(text: &[u8], mut at: usize) -> Option<(usize, u8, bool)> {
    let mut non_ascii = 0;
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
        let (stop, high) = stops(block);
        non_ascii |= high;
        if stop != 0 {
            let passed = stop.trailing_zeros() as usize;
            return Some((at + passed, block[passed % 32], non_ascii != 0));
        }
        at += 32;
    }
    last_string_stop(text, at, non_ascii != 0)
}

/// The same in the last bytes of a text.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn last_string_stop(text: &[u8], at: usize, non_ascii: bool) -> Option<(usize, u8, bool)> {
    let Some(block) = text.last_chunk::<32>().filter(|_| at < text.len()) else {
        let (stop, byte, more) = PortableScanner.string_stop(text, at)?;
        return Some((stop, byte, more || non_ascii));
    };
    // All 32 once more, without those before `at`.
    let (stop, high) = stops(block);
    let stop = stop >> (at + 32 - text.len());
    let end = at + stop.trailing_zeros() as usize;
    (stop != 0).then(|| (end, text[end], non_ascii || high != 0))
}

/// Where quotes, backslashes and control characters are, and bytes that are not ASCII.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn stops(block: &[u8; 32]) -> (u32, u32) {
    // SAFETY: the reference covers 32 readable bytes, and the load asks for no alignment.
    let vector = unsafe { _mm256_loadu_si256(block.as_ptr().cast()) };
    let stop = _mm256_or_si256(_mm256_or_si256(equal(vector, b'"'), equal(vector, b'\\')), control(vector));
    (_mm256_movemask_epi8(stop) as u32, _mm256_movemask_epi8(vector) as u32)
}
