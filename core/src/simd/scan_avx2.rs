//! The AVX2 scanner.

use std::arch::x86_64::{
    _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_or_si256,
};

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
    fn goes_on_with(self, text: &[u8], at: usize, literal: &[u8]) -> bool {
        let Some(rest) = text.get(at..).filter(|rest| rest.len() >= literal.len()) else { return false };
        // SAFETY: `self` is the proof of the features, and `rest` has as many bytes as `literal`.
        unsafe { equal_prefix(rest, literal) }
    }

    #[inline(always)]
    fn string_stop(self, text: &[u8], at: usize) -> Option<(usize, bool)> {
        // SAFETY: `self` is the proof of the features.
        unsafe { string_stop(text, at) }
    }
}

/// Whether `rest` begins with `literal`.
///
/// # Safety
/// - The machine has AVX2.
/// - `rest` is at least as long as `literal`.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
unsafe fn equal_prefix(rest: &[u8], literal: &[u8]) -> bool {
    debug_assert!(rest.len() >= literal.len());
    let (length, text, known) = (literal.len(), rest.as_ptr(), literal.as_ptr());
    if length < 16 {
        return rest[..length] == *literal;
    }
    if length < 32 {
        // Two loads of 16 bytes overlap in the middle and reach both ends exactly.
        // SAFETY: both slices have at least `length` bytes, and `length` is at least 16.
        let same = unsafe {
            let first = _mm_cmpeq_epi8(_mm_loadu_si128(text.cast()), _mm_loadu_si128(known.cast()));
            let last = length - 16;
            let last = _mm_cmpeq_epi8(_mm_loadu_si128(text.add(last).cast()), _mm_loadu_si128(known.add(last).cast()));
            _mm_movemask_epi8(first) & _mm_movemask_epi8(last)
        };
        return same == 0xFFFF;
    }
    // The last load overlaps the one before it, so that no byte behind the end is read.
    let mut at = 0;
    loop {
        // SAFETY: `at` is at most `length - 32`, and both slices have at least `length` bytes.
        let same = unsafe {
            let vector = _mm256_loadu_si256(text.add(at).cast());
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(vector, _mm256_loadu_si256(known.add(at).cast())))
        };
        if same != -1 {
            return false;
        }
        if at + 32 == length {
            return true;
        }
        at = (at + 32).min(length - 32);
    }
}

/// The first quote, backslash or control character from `at` on, and whether a byte before it is not ASCII.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn string_stop(text: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut non_ascii = 0;
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
        // SAFETY: the reference covers 32 readable bytes, and the load asks for no alignment.
        let vector = unsafe { _mm256_loadu_si256(block.as_ptr().cast()) };
        let stop = _mm256_or_si256(_mm256_or_si256(equal(vector, b'"'), equal(vector, b'\\')), control(vector));
        let (stop, high) = (_mm256_movemask_epi8(stop) as u32, _mm256_movemask_epi8(vector) as u32);
        if stop != 0 {
            // The bits below the lowest one of `stop`.
            non_ascii |= high & (stop ^ stop.wrapping_sub(1)) & !stop;
            return Some((at + stop.trailing_zeros() as usize, non_ascii != 0));
        }
        non_ascii |= high;
        at += 32;
    }
    let (stop, more) = PortableScanner.string_stop(text, at)?;
    Some((stop, more || non_ascii != 0))
}
