//! The AVX2 kernel.

use std::arch::x86_64::{
    __m256i, _addcarry_u64, _bzhi_u32, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi16,
};

use super::blocks::{Masks, fill_with, followed_by_spaces};
use super::grammar::Planes;
use super::name_table::{NAME_LENGTH_MIN, NameTable, SLOT_COUNT, SLOT_LENGTH};
use super::outline::{BlockRoom, Outline, Outliner, Read, outline_with};
use super::window::Window;

/// The kernel, if this machine has what it needs: having it is the proof that it may be called.
pub(super) fn detected() -> Option<fn(&[u8], &mut Window)> {
    let has = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("popcnt");
    has.then_some(fill)
}

fn fill(text: &[u8], window: &mut Window) {
    // SAFETY: this function is private and leaves this module only through `detected`, which has asked the machine for
    // all features. `every_kernel_equals_the_reference` runs it wherever it is handed out.
    unsafe { fill_avx2(text, window) }
}

#[target_feature(enable = "avx2,pclmulqdq,bmi1,popcnt")]
fn fill_avx2(text: &[u8], window: &mut Window) {
    // A closure is compiled with the features of its function, which `Window::add` itself is not.
    let add = |window: &mut Window, tokens, block: &_, start| window.add(tokens, block, start);
    fill_with(text, window, |block| masks(block), |bits| prefix_xor(bits), followed_by_spaces, add);
}

/// Reads texts by their outlines. Having one is the proof that this machine has AVX2 and what came with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2Outliner(());

impl Avx2Outliner {
    /// The outliner, if this machine has what it needs.
    pub(super) fn detected() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        has.then_some(Self(()))
    }

    /// Runs a reader that is compiled for these features, as far as it is inlined.
    #[inline]
    pub(super) fn run<T: Read>(self, read: T) -> T::Output {
        // SAFETY: `self` exists only where `detected` has found the features that `run_avx2` is compiled for.
        // `every_outliner_makes_the_same` runs it wherever it is detected.
        unsafe { run_avx2(read, self) }
    }
}

#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt")]
fn run_avx2<T: Read>(read: T, outliner: Avx2Outliner) -> T::Output {
    read.run(outliner)
}

impl Outliner for Avx2Outliner {
    #[inline(always)]
    fn outline<'r>(self, text: &[u8], room: &'r mut BlockRoom) -> Option<(Outline<'r>, bool)> {
        // SAFETY: `self` is the proof of the features.
        unsafe { outline(text, room) }
    }

    #[inline(always)]
    fn find_name(self, names: &NameTable, text: &[u8], start: usize, end: usize) -> usize {
        // SAFETY: `self` is the proof of the features.
        unsafe { find_name(names, text, start, end) }
    }
}

/// See [`NameTable::find`].
#[inline]
#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt")]
fn find_name(names: &NameTable, text: &[u8], start: usize, end: usize) -> usize {
    let length = end.wrapping_sub(start);
    if !(NAME_LENGTH_MIN..SLOT_LENGTH).contains(&length) {
        return SLOT_COUNT;
    }
    if text.len().saturating_sub(SLOT_LENGTH - 1) <= start {
        return find_last_name(names, text, start, end);
    }
    // SAFETY: 32 bytes from `start` on lie in the text, as was just asked. `end` is behind `start` by at least 4 and by less
    // than 32, so that the 4 before it are among them. Neither load asks for alignment.
    let (vector, first, last) = unsafe {
        let start = text.as_ptr().add(start);
        (
            _mm256_loadu_si256(start.cast()),
            start.cast::<u32>().read_unaligned(),
            start.add(length - 4).cast::<u32>().read_unaligned(),
        )
    };
    let number = names.slot(u32::from_le(first), u32::from_le(last), length);
    let slot = &names.slots[number % SLOT_COUNT];
    // SAFETY: a slot has 32 readable bytes, and the load asks for no alignment.
    let same = unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(vector, _mm256_loadu_si256(slot.as_ptr().cast()))) };
    // With the closing quote, so that the known name is not longer.
    if _bzhi_u32(!same as u32, length as u32 + 1) == 0 { number } else { SLOT_COUNT }
}

/// The same near the end of a text.
#[inline(never)]
fn find_last_name(names: &NameTable, text: &[u8], start: usize, end: usize) -> usize {
    names.find(text, start, end)
}

/// See [`Outliner::outline`].
#[inline]
#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt")]
fn outline<'r>(text: &[u8], room: &'r mut BlockRoom) -> Option<(Outline<'r>, bool)> {
    let mut all = _mm256_setzero_si256();
    let add = |a, b, carry: &mut u8| {
        let mut sum = 0;
        *carry = _addcarry_u64(*carry, a, b, &mut sum);
        sum
    };
    let outline = outline_with(text, room, |block| planes(block, &mut all), |bits| prefix_xor(bits), add)?;
    Some((outline, _mm256_movemask_epi8(all) != 0))
}

/// Multiplying by all ones without carries is the exclusive or of all lower bits.
#[inline]
#[target_feature(enable = "pclmulqdq")]
pub(super) fn prefix_xor(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1), 0);
    _mm_cvtsi128_si64(product) as u64
}

#[inline]
#[target_feature(enable = "avx2")]
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

#[inline]
#[target_feature(enable = "avx2")]
fn planes(block: &[u8; 64], all: &mut __m256i) -> Planes {
    let (low, high) = (load(block, 0), load(block, 32));
    *all = _mm256_or_si256(*all, _mm256_or_si256(low, high));
    Planes {
        masks: masks(block),
        bit_0: join(_mm256_slli_epi16::<7>(low), _mm256_slli_epi16::<7>(high)),
        bit_1: join(_mm256_slli_epi16::<6>(low), _mm256_slli_epi16::<6>(high)),
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
pub(super) fn equal(vector: __m256i, byte: u8) -> __m256i {
    _mm256_cmpeq_epi8(vector, _mm256_set1_epi8(byte as i8))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn control(vector: __m256i) -> __m256i {
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
