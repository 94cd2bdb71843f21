//! The AVX2 marker.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
};

use super::avx2::equal;
use super::marks::{Marker, Marks};

/// The marker, if this machine has what it needs: having it is the proof that it may be called.
#[inline]
pub(super) fn detected() -> Option<Marker> {
    is_x86_feature_detected!("avx2").then_some(marks)
}

fn marks(text: &[u8], at: usize) -> Marks {
    // SAFETY: this function is private and leaves this module only through `detected`, which has asked the machine for
    // AVX2. `every_marker_equals_the_definition` runs it wherever it is handed out.
    unsafe { marks_avx2(text, at) }
}

/// See [`Marker`].
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn marks_avx2(text: &[u8], at: usize) -> Marks {
    let rest = &text[at..];
    if let Some(block) = rest.first_chunk() {
        return block_marks(block);
    }
    if let Some(block) = text.last_chunk()
        && !rest.is_empty()
    {
        // The last 64 bytes of the text; those before `at` are shifted out.
        return block_marks(block).map(|bits| bits >> (64 - rest.len()));
    }
    // Two loads that overlap in the middle and reach both ends exactly.
    if let (Some(first), Some(last)) = (rest.first_chunk(), rest.last_chunk()) {
        return vector_marks(load(first)).or_behind(vector_marks(load(last)), rest.len() - 32);
    }
    if let (Some(first), Some(last)) = (rest.first_chunk(), rest.last_chunk()) {
        return half_marks(load_half(first)).or_behind(half_marks(load_half(last)), rest.len() - 16);
    }
    let short = few(rest);
    half_marks(_mm_set_epi64x((short >> 64) as i64, short as i64))
}

/// Up to fifteen bytes as a number, the first lowest. Where its parts overlap they are the same.
#[inline]
fn few(bytes: &[u8]) -> u128 {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u128::from(u64::from_le_bytes(*first))
            | u128::from(u64::from_le_bytes(*last)) << ((bytes.len() - 8) * 8);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
        return u128::from(first | last << ((bytes.len() - 4) * 8));
    }
    u128::from(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// The same of a whole block.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn block_marks(block: &[u8; 64]) -> Marks {
    let (halves, _) = block.as_chunks::<32>();
    vector_marks(load(&halves[0])).or_behind(vector_marks(load(&halves[1])), 32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn vector_marks(vector: __m256i) -> Marks {
    let bits = |vector| u64::from(_mm256_movemask_epi8(vector) as u32);
    Marks {
        ampersand: bits(equal(vector, b'&')),
        equals: bits(equal(vector, b'=')),
        escape: bits(_mm256_or_si256(equal(vector, b'%'), equal(vector, b'+'))),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn half_marks(vector: __m128i) -> Marks {
    let equal = |byte: u8| _mm_cmpeq_epi8(vector, _mm_set1_epi8(byte as i8));
    let bits = |vector| u64::from(_mm_movemask_epi8(vector) as u16);
    Marks {
        ampersand: bits(equal(b'&')),
        equals: bits(equal(b'=')),
        escape: bits(_mm_or_si128(equal(b'%'), equal(b'+'))),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers 32 readable bytes, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_half(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the reference covers 16 readable bytes, and the load asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

impl Marks {
    /// These marks and those of bytes that begin `places` behind them.
    #[inline(always)]
    fn or_behind(self, behind: Self, places: usize) -> Self {
        Self {
            ampersand: self.ampersand | behind.ampersand << places,
            equals: self.equals | behind.equals << places,
            escape: self.escape | behind.escape << places,
        }
    }

    #[inline(always)]
    fn map(self, change: impl Fn(u64) -> u64) -> Self {
        Self { ampersand: change(self.ampersand), equals: change(self.equals), escape: change(self.escape) }
    }
}
