//! The tokens of a stretch of text, one behind the other: what a kernel fills and a walker reads.
//!
//! A window lives on the stack and is never cleared: clearing it would cost as much as indexing a short message.

use std::mem::MaybeUninit;

use super::blocks::Carry;

/// Room for tokens. With their places this is less than a page, so that no two of its parts share the low bits of
/// their addresses.
pub(super) const ROOM: usize = 640;

/// Zeros behind the last token.
const PADDING: usize = 8;

/// What a whole block may add, and the padding behind it.
const BLOCK_ROOM: usize = 64 + PADDING;

/// A bounded number of tokens: for each the byte it begins with, and its place in the text.
///
/// Behind the last token stands the byte 0, which no valid token begins with, and the length of the text.
#[derive(Debug)]
pub(crate) struct Window {
    /// Initialised as far as `count + PADDING`; those from `count` on are 0.
    bytes: [MaybeUninit<u8>; ROOM],
    /// Initialised as far as `count`, that one included.
    places: [MaybeUninit<u32>; ROOM],
    /// How many tokens there are, at most `ROOM - PADDING`.
    count: usize,
    /// The token we are on; `count` at the end, and never more.
    at: usize,
    /// What the next block must know of those before it.
    pub(super) carry: Carry,
    /// The first byte of the text that has not been indexed.
    pub(crate) next: usize,
}

impl Window {
    /// No token yet; those of the text from `start` on will come first.
    #[inline(always)]
    pub(crate) fn starting_at(start: usize) -> Self {
        // Written piece by piece, so that the compiler sees what is left out when it moves a new window.
        let (mut bytes, mut places) = ([MaybeUninit::uninit(); ROOM], [MaybeUninit::uninit(); ROOM]);
        bytes[..PADDING].fill(MaybeUninit::new(0));
        // If the text ends here, this is its end.
        places[0].write(start as u32);
        Self { bytes, places, count: 0, at: 0, carry: Carry::default(), next: start }
    }

    /// The first byte of the token we are on; 0 behind the last one.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u8 {
        debug_assert!(self.at <= self.count);
        // SAFETY: `at` is at most `count`, which `take` and `advance` see to, and the byte at `count` is initialised and
        // in bounds, which `end` sees to. `a_window_reads_only_what_was_written` reads one to its end.
        unsafe { self.bytes.get_unchecked(self.at).assume_init() }
    }

    /// The place of the token we are on; the length of the text behind the last one.
    #[inline(always)]
    pub(crate) fn place(&self) -> usize {
        debug_assert!(self.at <= self.count);
        // SAFETY: as in `peek`; the place at `count` is initialised too.
        unsafe { self.places.get_unchecked(self.at).assume_init() as usize }
    }

    /// Goes on by one token, unless it begins with the byte 0: no valid one does, and the end may be there.
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        // The caller knows what the token is, so that this costs nothing.
        if self.peek() != 0 {
            self.at += 1;
        }
    }

    /// Passes tokens that begin with these bytes, if they are the next ones, and says where they are.
    ///
    /// Tokens that go on in the next window are not found.
    #[inline(always)]
    pub(crate) fn take<const N: usize>(&mut self, tokens: [u8; N]) -> Option<[u32; N]> {
        const { assert!(N <= PADDING) };
        debug_assert!(self.at <= self.count && !tokens.contains(&0));
        let mut wanted = [0; PADDING];
        wanted[..N].copy_from_slice(&tokens);
        let shift = 64 - 8 * N as u32;
        // SAFETY: eight bytes from `at` end in the padding at the latest, as `at` is at most `count` (see `peek`), and
        // the padding is in bounds and initialised, which `end` sees to.
        let found = unsafe { self.bytes.as_ptr().add(self.at).cast::<[u8; PADDING]>().read() };
        if u64::from_le_bytes(found) << shift != u64::from_le_bytes(wanted) << shift {
            return None;
        }
        // SAFETY: none of the wanted bytes is 0, and all of the padding is, so that these N tokens lie before `count`,
        // as far as which every place is initialised.
        let places = unsafe { self.places.as_ptr().add(self.at).cast::<[u32; N]>().read() };
        self.at += N;
        Some(places)
    }

    /// Whether a byte that is not ASCII lies in what has been indexed.
    pub(crate) fn non_ascii(&self) -> bool {
        self.carry.non_ascii()
    }

    /// Passes all tokens that are left and gives the byte and the place of each; a byte of 0 is not the end here.
    #[cfg(test)]
    pub(super) fn drain(&mut self) -> Vec<(u8, usize)> {
        let mut tokens = vec![];
        while self.at < self.count {
            tokens.push((self.peek(), self.place()));
            self.at += 1;
        }
        tokens
    }

    /// Forgets the tokens, all of which have been passed.
    pub(super) fn clear(&mut self) {
        (self.at, self.count) = (0, 0);
    }

    /// Whether there is no token left.
    pub(crate) fn is_passed(&self) -> bool {
        self.at == self.count
    }

    /// Whether a whole block still has room.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        self.count <= ROOM - BLOCK_ROOM
    }

    /// Adds the tokens of the block that begins at `start`, for which there must be room: a bit stands for a byte.
    ///
    /// Four at a time and up to three too many, because how many come is hard to predict.
    #[inline(always)]
    pub(super) fn add(&mut self, tokens: u64, block: &[u8; 64], start: u32) {
        let (bytes, places) = self.room();
        let (count, mut left) = (tokens.count_ones() as usize, tokens);
        let fours = bytes.as_chunks_mut::<4>().0.iter_mut().zip(places.as_chunks_mut::<4>().0);
        for (bytes, places) in fours.take(count.div_ceil(4)) {
            for (byte, place) in bytes.iter_mut().zip(places) {
                let at = left.trailing_zeros();
                byte.write(block[at as usize % 64]);
                place.write(start + at);
                left &= left.wrapping_sub(1);
            }
        }
        // SAFETY: the loop above has written at least as many as there are bits.
        unsafe { self.count_in(count) }
    }

    /// Where the tokens of the next block go, of which [`Window::count_in`] then tells how many have been written.
    #[inline(always)]
    pub(super) fn room(&mut self) -> (&mut [MaybeUninit<u8>; 64], &mut [MaybeUninit<u32>; 64]) {
        let range = self.count..self.count + 64;
        let bytes = (&mut self.bytes[range.clone()]).try_into().expect("OK because the range has 64");
        let places = (&mut self.places[range]).try_into().expect("OK because the range has 64");
        (bytes, places)
    }

    /// Counts tokens that have been written into the room.
    ///
    /// # Safety
    /// - The first `count` of both halves of [`Window::room`] have been written since it was asked for.
    /// - There are at most 64.
    #[inline(always)]
    pub(super) unsafe fn count_in(&mut self, count: usize) {
        debug_assert!(count <= 64 && self.has_room());
        self.count += count;
    }

    /// Ends the tokens that have been added, in a text that ends at `length`.
    #[inline(always)]
    pub(super) fn end(&mut self, length: usize) {
        self.bytes[self.count..][..PADDING].fill(MaybeUninit::new(0));
        self.places[self.count].write(length as u32);
    }
}
