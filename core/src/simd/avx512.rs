//! The AVX-512 kernel: a block is one vector, and VBMI2 moves the tokens of a block together in one step.

use std::arch::x86_64::{
    __m512i, _mm_loadu_si128, _mm512_add_epi32, _mm512_broadcast_i32x4, _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask,
    _mm512_cmplt_epu8_mask, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32, _mm512_loadu_si512,
    _mm512_mask_loadu_epi8, _mm512_maskz_compress_epi8, _mm512_movepi8_mask, _mm512_or_si512, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_shuffle_epi8, _mm512_storeu_si512,
};
use std::mem::MaybeUninit;

use super::avx2::prefix_xor;
use super::blocks::{Masks, fill_with};
use super::window::Window;

/// The kernel, if this machine has what it needs: having it is the proof that it may be called.
pub(super) fn detected() -> Option<fn(&[u8], &mut Window)> {
    let has = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("popcnt");
    has.then_some(fill)
}

fn fill(text: &[u8], window: &mut Window) {
    // SAFETY: this function is private and leaves this module only through `detected`, which has asked the machine for
    // all features. `every_kernel_equals_the_reference` runs it wherever it is handed out.
    unsafe { fill_avx512(text, window) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,pclmulqdq,bmi1,popcnt")]
fn fill_avx512(text: &[u8], window: &mut Window) {
    let add = |window: &mut Window, tokens, block: &_, start| add(window, tokens, block, start);
    fill_with(text, window, |block| masks(block), |bits| prefix_xor(bits), |rest| followed_by_spaces(rest), add);
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn masks(block: &[u8; 64]) -> Masks {
    let vector = load(block);
    let control = _mm512_cmplt_epu8_mask(vector, _mm512_set1_epi8(0x20));
    // The tables are those of the AVX2 kernel, and so is what they need: a fold, and no control characters.
    let operators = table([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 58, 123, 44, 125, 0, 0]);
    let spaces = table([32, 100, 100, 100, 17, 100, 113, 2, 100, 9, 10, 112, 100, 13, 100, 100]);
    let folded = _mm512_or_si512(vector, _mm512_set1_epi8(0x20));
    Masks {
        quote: _mm512_cmpeq_epi8_mask(vector, _mm512_set1_epi8(b'"' as i8)),
        backslash: _mm512_cmpeq_epi8_mask(vector, _mm512_set1_epi8(b'\\' as i8)),
        control,
        operator: _mm512_cmpeq_epi8_mask(folded, _mm512_shuffle_epi8(operators, vector)) & !control,
        space: _mm512_cmpeq_epi8_mask(vector, _mm512_shuffle_epi8(spaces, vector)),
        non_ascii: _mm512_movepi8_mask(vector),
    }
}

/// Equals [`Window::add`]: bytes and places are compressed to those that are tokens, and widened sixteen at a time.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
fn add(window: &mut Window, tokens: u64, block: &[u8; 64], start: u32) {
    const EVERY: [u8; 64] = {
        let (mut every, mut at) = ([0; 64], 0);
        while at < 64 {
            every[at] = at as u8;
            at += 1;
        }
        every
    };
    let (bytes, places) = window.room();
    let count = tokens.count_ones() as usize;
    let places = places.as_chunks_mut::<16>().0;
    store(bytes, _mm512_maskz_compress_epi8(tokens, load(block)));
    let (at, start) = (_mm512_maskz_compress_epi8(tokens, load(&EVERY)), _mm512_set1_epi32(start as i32));
    store(&mut places[0], _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(at))));
    if count > 16 {
        store(&mut places[1], _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(at, 1))));
    }
    if count > 32 {
        store(&mut places[2], _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(at, 2))));
        store(&mut places[3], _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(at, 3))));
    }
    // SAFETY: bytes and places have been written in sixteens, as many as hold `count`, and a word has 64 bits.
    unsafe { window.count_in(count) }
}

/// Equals the portable one, in one load.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn followed_by_spaces(rest: &[u8]) -> [u8; 64] {
    let mut block = [MaybeUninit::uninit(); 64];
    let behind = u64::MAX.checked_shl(rest.len() as u32).unwrap_or(0);
    // SAFETY: the mask holds a bit for each byte of the slice and no other, and what is masked out is not read.
    let vector = unsafe { _mm512_mask_loadu_epi8(_mm512_set1_epi8(b' ' as i8), !behind, rest.as_ptr().cast()) };
    store(&mut block, vector);
    // SAFETY: all 64 bytes have been written.
    block.map(|byte: MaybeUninit<u8>| unsafe { byte.assume_init() })
}

/// A block as a vector.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(block: &[u8; 64]) -> __m512i {
    // SAFETY: the reference covers 64 readable bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

/// The same sixteen bytes four times.
#[inline]
#[target_feature(enable = "avx512f")]
fn table(bytes: [u8; 16]) -> __m512i {
    // SAFETY: the array has 16 readable bytes, and the load asks for no alignment.
    _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

/// Writes a vector to where it just fits.
#[inline]
#[target_feature(enable = "avx512f")]
fn store<T, const N: usize>(place: &mut [MaybeUninit<T>; N], vector: __m512i) {
    const { assert!(size_of::<[T; N]>() == 64) };
    // SAFETY: the reference covers 64 writable bytes, as was asserted, and the store asks for no alignment; bytes and
    // numbers, which are what a window holds, may have any bits.
    unsafe { _mm512_storeu_si512(place.as_mut_ptr().cast(), vector) }
}
