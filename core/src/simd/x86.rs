//! The AVX2 kernel.

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cmpeq_epi8, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_movemask_epi8,
    _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8, _mm256_setr_epi8, _mm256_shuffle_epi8,
};

use super::blocks::{Carry, Masks, Window, index_with};
use super::scan::{Scan, Scanner};

/// The kernel, if this machine has what it needs: having it is the proof that it may be called.
pub(super) fn avx2() -> Option<fn(&[u8], &mut Carry, &mut Window)> {
    let has = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("pclmulqdq");
    has.then_some(index_avx2_detected)
}

fn index_avx2_detected(text: &[u8], carry: &mut Carry, window: &mut Window) {
    // SAFETY: this function is private and leaves this module only through `avx2`, which has asked the machine for
    // both features. `every_kernel_equals_the_reference` runs it wherever it is handed out.
    unsafe { index_avx2(text, carry, window) }
}

#[target_feature(enable = "avx2,pclmulqdq")]
fn index_avx2(text: &[u8], carry: &mut Carry, window: &mut Window) {
    index_with(text, carry, window, |block| masks(block), |bits| prefix_xor(bits));
}

/// Multiplying by all ones without carries is the exclusive or of all lower bits.
#[inline]
#[target_feature(enable = "avx2,pclmulqdq")]
fn prefix_xor(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1), 0);
    _mm_cvtsi128_si64(product) as u64
}

#[inline]
#[target_feature(enable = "avx2,pclmulqdq")]
fn masks(block: &[u8; 64]) -> Masks {
    let (low, high) = (load(block, 0), load(block, 32));
    let control = join(control(low), control(high));
    Masks {
        quote: join(equal(low, b'"'), equal(high, b'"')),
        backslash: join(equal(low, b'\\'), equal(high, b'\\')),
        control,
        // Setting bit 5 also turns 0x0C into a comma and 0x1A into a colon.
        operator: join(operator(low), operator(high)) & !control,
        space: join(space(low), space(high)),
        non_ascii: join(low, high),
    }
}

/// 32 bytes of the block from byte `at`.
#[inline]
#[target_feature(enable = "avx2")]
fn load(block: &[u8; 64], at: usize) -> __m256i {
    let half: &[u8; 32] = block[at..at + 32].try_into().expect("OK because both halves of 64 bytes have 32");
    // SAFETY: the reference covers 32 readable bytes, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(half.as_ptr().cast()) }
}

/// The high bits of 64 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn join(low: __m256i, high: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal(vector: __m256i, byte: u8) -> __m256i {
    _mm256_cmpeq_epi8(vector, _mm256_set1_epi8(byte as i8))
}

#[inline]
#[target_feature(enable = "avx2")]
fn control(vector: __m256i) -> __m256i {
    _mm256_cmpeq_epi8(_mm256_min_epu8(vector, _mm256_set1_epi8(0x1F)), vector)
}

/// The low four bits choose the one operator that a byte can be, once bit 5 is set; a byte of 0x80 and above chooses 0.
#[inline]
#[target_feature(enable = "avx2")]
fn operator(vector: __m256i) -> __m256i {
    let table = _mm256_setr_epi8(
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 58, 123, 44, 125, 0, 0, //
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 58, 123, 44, 125, 0, 0,
    );
    let folded = _mm256_or_si256(vector, _mm256_set1_epi8(0x20));
    _mm256_cmpeq_epi8(folded, _mm256_shuffle_epi8(table, vector))
}

/// The low four bits choose the one white space that a byte can be; the other places hold what cannot be chosen there.
#[inline]
#[target_feature(enable = "avx2")]
fn space(vector: __m256i) -> __m256i {
    let table = _mm256_setr_epi8(
        32, 100, 100, 100, 17, 100, 113, 2, 100, 9, 10, 112, 100, 13, 100, 100, //
        32, 100, 100, 100, 17, 100, 113, 2, 100, 9, 10, 112, 100, 13, 100, 100,
    );
    _mm256_cmpeq_epi8(vector, _mm256_shuffle_epi8(table, vector))
}

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
    let (stop, more) = super::scan::PortableScanner.string_stop(text, at)?;
    Some((stop, more || non_ascii != 0))
}
