//! The rivals in C and C++, of which each is three functions in `foreign/`. The only `unsafe` of this crate.

use std::ffi::c_void;
use std::ptr::NonNull;

use nexowire_bench::PADDING;
// Only linked: the functions below call what these two have compiled.
use simdjson_sys as _;
use yyjson_sys as _;

// SAFETY: it asks for nothing; called by `Foreign::new` alone.
type New = unsafe extern "C" fn() -> *mut c_void;
// SAFETY: it takes what `New` of the same rival answered, once; called by `Drop` alone.
type Free = unsafe extern "C" fn(*mut c_void);
// SAFETY: it takes that too, and a message with its length and how many bytes may be read; called by `Foreign::sum` alone.
type Sum = unsafe extern "C" fn(*mut c_void, *const u8, usize, usize) -> usize;

// SAFETY: these are the functions of `foreign/`, with the types that they have there; called as said above.
unsafe extern "C" {
    fn rival_simdjson_dom_new() -> *mut c_void;
    fn rival_simdjson_dom_free(state: *mut c_void);
    fn rival_simdjson_dom_sum(state: *mut c_void, message: *const u8, length: usize, capacity: usize) -> usize;
    fn rival_simdjson_ondemand_new() -> *mut c_void;
    fn rival_simdjson_ondemand_free(state: *mut c_void);
    fn rival_simdjson_ondemand_sum(state: *mut c_void, message: *const u8, length: usize, capacity: usize) -> usize;
    fn rival_yyjson_new() -> *mut c_void;
    fn rival_yyjson_free(state: *mut c_void);
    fn rival_yyjson_sum(state: *mut c_void, message: *const u8, length: usize, capacity: usize) -> usize;
}

/// A parser in C or C++ with its memory, which it uses again for every message.
pub(crate) struct Foreign {
    /// Invariant: what `New` of the same rival has answered, not yet given to its `Free`.
    state: NonNull<c_void>,
    sum: Sum,
    free: Free,
}

impl Foreign {
    pub(crate) fn simdjson_dom() -> Self {
        Self::new(rival_simdjson_dom_new, rival_simdjson_dom_sum, rival_simdjson_dom_free)
    }

    pub(crate) fn simdjson_ondemand() -> Self {
        Self::new(rival_simdjson_ondemand_new, rival_simdjson_ondemand_sum, rival_simdjson_ondemand_free)
    }

    pub(crate) fn yyjson() -> Self {
        Self::new(rival_yyjson_new, rival_yyjson_sum, rival_yyjson_free)
    }

    /// The three functions of one rival.
    fn new(new: New, sum: Sum, free: Free) -> Self {
        // SAFETY: it asks for nothing and answers its own allocation.
        let state = NonNull::new(unsafe { new() }).expect("there is memory for a parser");
        Self { state, sum, free }
    }

    /// The sum of the lengths of what it extracts; `None` if it does not take the message.
    #[inline]
    pub(crate) fn sum(&mut self, padded: &[u8]) -> Option<u64> {
        let length = padded.len() - PADDING;
        // SAFETY: the state is this rival's own, by the invariant of the field, and borrowed for this call alone. It
        // reads `length` bytes, and at most `PADDING` bytes behind them, all of which are in `padded`; none of the
        // three writes there or keeps the pointer for longer than the call.
        let sum = unsafe { (self.sum)(self.state.as_ptr(), padded.as_ptr(), length, padded.len()) };
        (sum != usize::MAX).then_some(sum as u64)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // SAFETY: by the invariant of the field; nobody uses the state after this.
        unsafe { (self.free)(self.state.as_ptr()) }
    }
}
