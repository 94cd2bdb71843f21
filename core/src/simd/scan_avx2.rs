//! The AVX2 scanner.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_storeu_si256,
};

use std::sync::OnceLock;

use super::avx2::{control, join, load};
use super::marks::Marks;
use super::marks_avx2::{block_marks, marks_avx2};
use super::scan::{Block, Gathered, Scan, Scanner};

/// Scans 64 bytes at a time. Having one is the proof that this machine has AVX2, BMI1, BMI2 and POPCNT.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2Scanner(());

impl Avx2Scanner {
    /// The scanner, if this machine has what it needs.
    #[inline]
    pub(super) fn detected() -> Option<Self> {
        // Asked once, as four questions are a part of a short message's time.
        static HAS_ALL: OnceLock<bool> = OnceLock::new();
        let has_all = *HAS_ALL.get_or_init(|| {
            is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("popcnt")
        });
        has_all.then_some(Self(()))
    }

    /// Runs a scan that is compiled for these features, as far as it is inlined.
    #[inline]
    pub(super) fn run<T: Scan>(self, scan: T) -> T::Output {
        // SAFETY: `self` exists only where `detected` has found the features that `run_avx2` is compiled for.
        // `the_scanner_of_this_machine_equals_the_portable_one` runs it wherever it is detected.
        unsafe { run_avx2(scan, self) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn run_avx2<T: Scan>(scan: T, scanner: Avx2Scanner) -> T::Output {
    scan.run(scanner)
}

/// See [`Gathered`], in registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gathering {
    sums: __m256i,
    unions: __m256i,
    bytes: __m256i,
}

impl Scanner for Avx2Scanner {
    type Gathering = Gathering;

    #[inline(always)]
    fn nothing(self) -> Gathering {
        // SAFETY: `self` is the proof of the features.
        unsafe { nothing() }
    }

    #[inline(always)]
    fn gather(self, gathering: &mut Gathering, numbers: &[u64; 4]) {
        // SAFETY: `self` is the proof of the features.
        unsafe { gather(gathering, numbers) }
    }

    #[inline(always)]
    fn equal(self, block: &Block, known: &Block) -> u64 {
        // SAFETY: `self` is the proof of the features.
        unsafe { equal(block, known) }
    }

    #[inline(always)]
    fn stops(self, block: &Block, gathering: &mut Gathering) -> u64 {
        // SAFETY: `self` is the proof of the features.
        unsafe { stops(block, gathering) }
    }

    #[inline(always)]
    fn marks(self, form: &[u8], at: usize) -> Marks {
        // SAFETY: `self` is the proof of the features.
        unsafe {
            match form.get(at..).and_then(<[u8]>::first_chunk) {
                Some(block) => block_marks(block),
                None => marks_avx2(form, at),
            }
        }
    }

    #[inline(always)]
    fn gathered(self, gathering: Gathering) -> Gathered {
        // SAFETY: `self` is the proof of the features.
        unsafe { gathered(gathering) }
    }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn nothing() -> Gathering {
    let zero = _mm256_setzero_si256();
    Gathering { sums: zero, unions: zero, bytes: zero }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn gather(gathering: &mut Gathering, numbers: &[u64; 4]) {
    // SAFETY: the reference covers 32 readable bytes, and the load asks for no alignment.
    let numbers = unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) };
    gathering.sums = _mm256_add_epi64(gathering.sums, numbers);
    gathering.unions = _mm256_or_si256(gathering.unions, numbers);
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn equal(block: &Block, known: &Block) -> u64 {
    join(_mm256_cmpeq_epi8(load(block, 0), load(known, 0)), _mm256_cmpeq_epi8(load(block, 32), load(known, 32)))
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn stops(block: &Block, gathering: &mut Gathering) -> u64 {
    let (low, high) = (load(block, 0), load(block, 32));
    gathering.bytes = _mm256_or_si256(gathering.bytes, _mm256_or_si256(low, high));
    join(stop(low), stop(high))
}

/// The low four bits choose the one of quote and backslash that a byte can be; all others choose what they are not.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn stop(bytes: __m256i) -> __m256i {
    const QUOTE: i8 = b'"' as i8;
    const BACKSLASH: i8 = b'\\' as i8;
    // A byte of 0x80 and above chooses 0, which it is not; 0 itself stops anyway.
    let table = _mm256_setr_epi8(
        0, 0, QUOTE, 0, 0, 0, 0, 0, 0, 0, 0, 0, BACKSLASH, 0, 0, 0, //
        0, 0, QUOTE, 0, 0, 0, 0, 0, 0, 0, 0, 0, BACKSLASH, 0, 0, 0,
    );
    _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, bytes), bytes), control(bytes))
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn gathered(gathering: Gathering) -> Gathered {
    let numbers = |vector| {
        let mut numbers = [0; 4];
        // SAFETY: `numbers` has room for 32 bytes, and the store asks for no alignment.
        unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), vector) }
        numbers
    };
    Gathered {
        sums: numbers(gathering.sums),
        unions: numbers(gathering.unions),
        non_ascii: _mm256_movemask_epi8(gathering.bytes) != 0,
    }
}
