//! At most 64 bytes a live key, also while the index grows.
#![allow(unsafe_code)] // An allocator cannot be declared without it; see the SAFETY comments.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crate::dedupe::{Dedupe, DedupeOptions};
use crate::{ENDLESS, cases, key, learn};

struct Counting;

thread_local! {
    /// Bytes of this thread, and the most there have been. Const and without a destructor, so that they always work.
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    HELD.with(|held| {
        held.set(held.get() + bytes);
        PEAK.with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every method hands its arguments to the system's allocator as they came, and gives back what that answers;
// counting beside that touches only numbers of this thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as in `alloc`; the pointer came from `System`, as all of this allocator's do.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes that are held more than before the work, and the most there were in it.
fn measured(work: impl FnOnce()) -> (i64, i64) {
    let before = HELD.get();
    PEAK.set(before);
    work();
    (HELD.get() - before, PEAK.get() - before)
}

/// What a few keys cost more: a chunk of rows and its spare in each window, and lists that begin.
const SMALL_CHANGE: i64 = 4 * 24_000;

#[test]
fn a_live_key_takes_at_most_64_bytes() {
    let mut dedupe = Dedupe::new(ENDLESS);
    let (mut held, mut known, mut worst) = (0, 0, 0.0_f64);
    let last = if cases(0) > 0 { 10_000_000 } else { 1_200_000 };
    // Every size from a thousand on by steps of a thirtieth: what is worst lies just behind a growth.
    let mut next = 1_000;
    while next <= last {
        let (more, peak) = measured(|| learn(&mut dedupe, known, next));
        let (most, keys) = (held + peak, next as i64);
        held += more;
        assert!(held <= 64 * keys + SMALL_CHANGE, "{held} bytes for {keys} keys");
        assert!(most <= 64 * keys + SMALL_CHANGE, "{most} bytes on the way to {keys} keys");
        if keys >= 100_000 {
            assert!(most <= 64 * keys, "{most} bytes on the way to {keys} keys");
            worst = worst.max(most as f64 / keys as f64);
        }
        known = next;
        next += next / 30;
    }
    println!("at most {worst:.1} bytes a key, growth included; {:.1} at {known}", held as f64 / known as f64);
}

#[test]
fn a_window_that_slides_stays_as_it_is() {
    const KEYS: u64 = 200_000;
    let mut dedupe = Dedupe::new(DedupeOptions { terminal_ms: KEYS, webhook_ms: KEYS, keys_max: 1 << 30 });
    let (held, _) = measured(|| learn(&mut dedupe, 0, 2 * KEYS));
    let (more, peak) = measured(|| learn(&mut dedupe, 2 * KEYS, 5 * KEYS));
    assert!(held + peak <= 64 * KEYS as i64, "{held} + {peak} bytes");
    assert!(more.abs() < held / 10, "{more} bytes more than {held}");
    assert!(dedupe.len() <= KEYS + 4);
    // And all of it goes when nothing is live.
    let (less, _) = measured(|| while dedupe.advance(u64::MAX) {});
    assert!(dedupe.len() == 0 && held + more + less < held / 20 + SMALL_CHANGE, "{less} of {held} bytes");
}

#[test]
fn keys_that_make_room_leave_no_memory_behind() {
    const KEYS: u64 = 100_000;
    let mut dedupe = Dedupe::new(DedupeOptions { keys_max: KEYS as u32, ..ENDLESS });
    let (held, peak) = measured(|| learn(&mut dedupe, 0, 4 * KEYS));
    assert!(held <= peak && peak <= 64 * KEYS as i64 + SMALL_CHANGE, "{peak} bytes");
    assert_eq!((dedupe.len(), dedupe.left()), (KEYS, 3 * KEYS));
    let (variants, _) = measured(|| {
        for digest in 0..KEYS {
            dedupe.learn(&key(5 * KEYS), digest, 5 * KEYS + digest, 5 * KEYS);
        }
    });
    assert!(variants <= SMALL_CHANGE && dedupe.len() == KEYS, "{variants} bytes more");
}
