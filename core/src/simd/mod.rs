//! Finding the structure of JSON text and of forms, 64 bytes at a time: the only `unsafe` of this crate.
//!
//! A kernel sorts the bytes of a block into bit masks; `Carry::structure` makes of these masks, the same way
//! for every kernel, one word that has a bit for each *token*: brackets, braces, colons and commas outside of strings,
//! quotes, the first byte of every other run outside of strings, and inside of strings every backslash that begins an
//! escape and every control character. A walker that sees only tokens thus still sees all that can be wrong.
//!
//! The kernel then writes byte and place of each token behind those of the last, into a `Window`: so the walker steps
//! from token to token without a loop, and compares several of them at once.
//!
//! Where a machine can do it in few instructions, there is a shorter way for texts of ordinary length: an `Outliner` asks
//! of all tokens of a block at once whether each may follow the one before, and keeps nothing but a few masks of each
//! block, of which a walker takes the bits it needs. It answers only whether all is right; what is wrong, and where, is
//! found by the windows.
//!
//! The portable kernel is the reference; a faster one must equal it on every input, and is chosen once, at run time.

#[allow(unsafe_code)]
pub(crate) mod ascii;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx512;
mod blocks;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod grammar;
pub(crate) mod marks;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod marks_avx2;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod name_table;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
#[allow(unsafe_code)]
mod outline;
pub(crate) mod scan;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod scan_avx2;
mod swar;
#[cfg(test)]
mod swar_outline;
#[allow(unsafe_code)]
mod window;
#[allow(unsafe_code)]
pub(crate) mod windows;

pub(crate) use grammar::OutlineBlock;
pub(crate) use name_table::NameTable;
pub(crate) use outline::{BlockRoom, Outliner, Read, Tokens};
pub(crate) use window::Window;

use std::sync::OnceLock;

/// Fills a window with the tokens that come next in a text.
type Fill = fn(&[u8], &mut Window);

/// One way to index text: a function, and the name of what it needs.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    name: &'static str,
    fill: Fill,
    /// Makes outlines, where that is faster than to go without.
    #[cfg(target_arch = "x86_64")]
    outliner: Option<avx2::Avx2Outliner>,
}

impl Kernel {
    /// The portable kernel, which works on eight bytes at a time.
    pub const SWAR: Self = Self {
        name: "swar",
        fill: swar::fill,
        #[cfg(target_arch = "x86_64")]
        outliner: None,
    };

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
        {
            let outliner = avx2::Avx2Outliner::detected();
            kernels.extend(avx2::detected().map(|fill| Self { name: "avx2", fill, outliner }));
            // Its windows cost so little that nobody has measured an outline to be faster.
            kernels.extend(avx512::detected().map(|fill| Self { name: "avx512", fill, outliner: None }));
        }
        kernels
    }

    /// The fastest kernel of this machine, chosen at the first call.
    #[inline]
    pub fn fastest() -> Self {
        static FASTEST: OnceLock<Kernel> = OnceLock::new();
        *FASTEST.get_or_init(|| Self::available().pop().unwrap_or(Self::SWAR))
    }

    /// One that makes outlines, if this machine has any.
    #[cfg(test)]
    pub(crate) fn outlining() -> Self {
        Self::available().into_iter().find(|kernel| kernel.name == "avx2").unwrap_or(Self::SWAR)
    }

    /// `swar`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Fills `window` with the tokens of `text` that come next, all of those in it having been passed.
    #[inline]
    pub(crate) fn fill(self, text: &[u8], window: &mut Window) {
        debug_assert!(window.is_passed() && u32::try_from(text.len()).is_ok());
        (self.fill)(text, window);
    }

    /// Reads a text by its outline, if this kernel makes them.
    #[inline]
    pub(crate) fn read<T: Read>(self, read: T) -> Option<T::Output> {
        #[cfg(target_arch = "x86_64")]
        if let Some(outliner) = self.outliner {
            return Some(outliner.run(read));
        }
        None
    }
}

/// Runs a scan with the fastest scanner of this machine.
#[inline]
pub(crate) fn dispatch<T: scan::Scan>(scan: T) -> T::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(scanner) = scan_avx2::Avx2Scanner::detected() {
        return scanner.run(scan);
    }
    run_portably(scan)
}

// Apart, so that where it is not needed nobody makes room for it.
#[inline(never)]
fn run_portably<T: scan::Scan>(scan: T) -> T::Output {
    scan.run(scan::PortableScanner)
}

#[cfg(test)]
mod tests;
