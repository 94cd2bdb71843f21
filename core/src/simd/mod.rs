//! Finding the structure of JSON text, 64 bytes at a time: the only `unsafe` of this crate.
//!
//! A kernel sorts the bytes of a block into bit masks; `Carry::structure` makes of these masks, the same way
//! for every kernel, one word that has a bit for each *token*: brackets, braces, colons and commas outside of strings,
//! quotes, the first byte of every other run outside of strings, and inside of strings every backslash that begins an
//! escape and every control character. A walker that sees only tokens thus still sees all that can be wrong.
//!
//! The portable kernel is the reference; a faster one must equal it on every input, and is chosen once, at run time.

mod blocks;
pub(crate) mod scan;
mod swar;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86;

pub(crate) use blocks::{Carry, WINDOW_BLOCKS, WINDOW_BYTES, Window};

use std::sync::OnceLock;

/// Fills a window with the tokens of the next bytes of a text.
type Index = fn(&[u8], &mut Carry, &mut Window);

/// One way to index text: a function, and the name of what it needs.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    name: &'static str,
    index: Index,
}

impl Kernel {
    /// The portable kernel, which works on eight bytes at a time.
    pub const SWAR: Self = Self { name: "swar", index: swar::index };

    /// Every kernel that this machine can run, the fastest last.
    ///
    /// ```
    /// use nexowire_core::simd::Kernel;
    ///
    /// assert_eq!(Kernel::available()[0].name(), "swar");
    /// ```
    pub fn available() -> Vec<Self> {
        let mut kernels = vec![Self::SWAR];
        #[cfg(target_arch = "x86_64")]
        kernels.extend(x86::avx2().map(|index| Self { name: "avx2", index }));
        kernels
    }

    /// The fastest kernel of this machine, chosen at the first call.
    #[inline]
    pub fn fastest() -> Self {
        static FASTEST: OnceLock<Kernel> = OnceLock::new();
        *FASTEST.get_or_init(|| Self::available().pop().unwrap_or(Self::SWAR))
    }

    /// `swar` or `avx2`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Indexes at most [`WINDOW_BYTES`] of `text`, which goes on where the last call with this `carry` ended.
    #[inline]
    pub(crate) fn index(self, text: &[u8], carry: &mut Carry, window: &mut Window) {
        debug_assert!(text.len() <= WINDOW_BYTES);
        (self.index)(text, carry, window);
    }
}

#[cfg(test)]
mod tests;
