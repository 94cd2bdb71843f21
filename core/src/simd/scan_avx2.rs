//! The AVX2 scanner.

use std::arch::x86_64::{
    _blsmsk_u32, _bzhi_u32, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
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
    fn goes_on_with(self, text: &[u8], at: usize, known: &[u8], length: usize) -> bool {
        let Some(rest) = text.get(at..) else { return false };
        // SAFETY: `self` is the proof of the features.
        unsafe { begins_with(rest, known, length) }
    }

    #[inline(always)]
    fn string_stop(self, text: &[u8], at: usize) -> Option<(usize, bool)> {
        // SAFETY: `self` is the proof of the features.
        unsafe { string_stop(text, at) }
    }
}

/// Whether `rest` begins with the first `length` bytes of `known`.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn begins_with(rest: &[u8], known: &[u8], length: usize) -> bool {
    if length + 32 > rest.len() || length + 32 > known.len() {
        return rest.len() >= length && equal_slices(&rest[..length], &known[..length]);
    }
    let mut at = 0;
    loop {
        // SAFETY: `at` is at most `length`, and both slices have 32 bytes more.
        let same = unsafe {
            let vector = _mm256_loadu_si256(rest.as_ptr().add(at).cast());
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(vector, _mm256_loadu_si256(known.as_ptr().add(at).cast())))
        };
        if length - at <= 32 {
            return _bzhi_u32(!same as u32, (length - at) as u32) == 0;
        }
        if same != -1 {
            return false;
        }
        at += 32;
    }
}

/// Whether two slices of one length are equal, where no vector may reach beyond them.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn equal_slices(text: &[u8], known: &[u8]) -> bool {
    text == known
}

/// The first quote, backslash or control character from `at` on, and whether a byte before it is not ASCII.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn string_stop(text: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut non_ascii = 0;
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
        let (stop, high) = stops(block);
        if stop != 0 {
            // The bits up to the lowest one of `stop`, which is ASCII itself.
            non_ascii |= high & _blsmsk_u32(stop);
            return Some((at + stop.trailing_zeros() as usize, non_ascii != 0));
        }
        non_ascii |= high;
        at += 32;
    }
    // The last 32 bytes once more, without those before `at`.
    let Some(block) = text.last_chunk::<32>().filter(|_| at < text.len()) else {
        let (stop, more) = PortableScanner.string_stop(text, at)?;
        return Some((stop, more || non_ascii != 0));
    };
    let (stop, high) = stops(block);
    let passed = (at + 32 - text.len()) as u32;
    let (stop, high) = (stop >> passed, high >> passed);
    non_ascii |= high & _blsmsk_u32(stop);
    (stop != 0).then(|| (at + stop.trailing_zeros() as usize, non_ascii != 0))
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
