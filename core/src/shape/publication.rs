//! How an automaton comes to its readers: each thread keeps the one that it read last, and asks only whether it is still
//! the newest, which writes to no memory that others read.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::automaton::Automaton;

/// An automaton, and the number that no other one in this process has; 0 has nothing learned.
#[derive(Default)]
struct Numbered {
    number: u64,
    automaton: Automaton,
}

thread_local! {
    /// What this thread read last: it keeps at most this one alive, also when its engine is gone.
    static LAST: RefCell<Option<Arc<Numbered>>> = const { RefCell::new(None) };
}

/// The newest automaton of an engine.
#[derive(Default)]
pub(super) struct Publication {
    newest: ArcSwap<Numbered>,
    number: AtomicU64,
}

impl Publication {
    /// Replaces the newest one. Only one thread at a time may do this.
    pub(super) fn publish(&self, automaton: Automaton) {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed) + 1;
        self.newest.store(Arc::new(Numbered { number, automaton }));
        // Release, so that who sees the number finds the automaton; who sees the automaton first asks again.
        self.number.store(number, Ordering::Release);
    }

    /// Reads the newest one; `None` if nothing has been learned.
    #[inline(always)]
    pub(super) fn read<T>(&self, mut read: impl FnMut(&Automaton) -> T) -> Option<T> {
        let number = self.number.load(Ordering::Acquire);
        if number == 0 {
            return None;
        }
        let of_thread = LAST.try_with(|last| {
            // Nobody reads in the midst of reading, so that it is always free.
            let mut last = last.try_borrow_mut().ok()?;
            match &*last {
                Some(last) if last.number == number => Some(read(&last.automaton)),
                _ => Some(read(&last.insert(self.newest.load_full()).automaton)),
            }
        });
        // A thread that ends has no last one any more.
        Some(of_thread.ok().flatten().unwrap_or_else(|| read(&self.newest.load().automaton)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_size(literal_bytes: usize) -> Automaton {
        Automaton { literal_bytes, ..Automaton::default() }
    }

    #[test]
    fn every_thread_reads_what_was_published_last() {
        let (one, other) = (Publication::default(), Publication::default());
        let size = |publication: &Publication| publication.read(|automaton| automaton.literal_bytes);
        assert_eq!(size(&one), None);
        for length in 1..4 {
            one.publish(of_size(length));
            other.publish(of_size(10 * length));
            for _ in 0..2 {
                assert_eq!((size(&one), size(&other)), (Some(length), Some(10 * length)));
            }
            std::thread::scope(|scope| {
                let found = scope.spawn(|| (size(&one), size(&other))).join().unwrap();
                assert_eq!(found, (Some(length), Some(10 * length)));
            });
        }
        drop(one);
        assert_eq!(size(&other), Some(30));
    }

    #[test]
    fn a_reading_in_a_reading_is_answered_too() {
        let publication = Publication::default();
        publication.publish(of_size(7));
        let inner = publication.read(|_| publication.read(|automaton| automaton.literal_bytes));
        assert_eq!(inner, Some(Some(7)));
    }
}
