//! When it is worth trying at all: traffic that is never learned shall cost hardly more than the general walk alone.

use std::sync::atomic::{AtomicU32, Ordering};

/// Failures in a row before the first rest, and before each longer one.
const FAILURES: u32 = 16;

/// The longest rest is two to this power, in messages.
const REST_POWER_MAX: u32 = 6;

/// How many messages in a row had no known layout, and how many more are left to the general walk because of it.
///
/// Threads share it without care: what one of them overwrites costs a try or a rest. A hit after a hit writes nothing.
#[derive(Debug, Default)]
pub(super) struct Patience {
    pub(super) failures: AtomicU32,
    rest: AtomicU32,
}

impl Patience {
    /// Whether this message is to be left alone; counts it then.
    #[inline]
    pub(super) fn rests(&self) -> bool {
        let rest = self.rest.load(Ordering::Relaxed);
        if rest > 0 {
            self.rest.store(rest - 1, Ordering::Relaxed);
        }
        rest > 0
    }

    /// A message had a known layout.
    #[inline]
    pub(super) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// A message had none, or could not be tried.
    pub(super) fn failed(&self) {
        let failures = self.failures.load(Ordering::Relaxed).saturating_add(1);
        self.failures.store(failures, Ordering::Relaxed);
        if let Some(power) = (failures / FAILURES).checked_sub(1) {
            self.rest.store(1 << power.min(REST_POWER_MAX), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many messages are tried, if none of them has a known layout.
    fn tried(patience: &Patience, messages: u32) -> usize {
        let try_one = |_: &u32| {
            let is_tried = !patience.rests();
            if is_tried {
                patience.failed();
            }
            is_tried
        };
        (0..messages).filter(try_one).count()
    }

    #[test]
    fn what_fails_for_long_is_tried_rarely_and_a_hit_ends_that() {
        let patience = Patience::default();
        assert_eq!(tried(&patience, FAILURES), FAILURES as usize, "at first all are");
        tried(&patience, 10_000);
        let rest = 1 << REST_POWER_MAX;
        assert_eq!(tried(&patience, 10 * (rest + 1)), 10);
        while patience.rests() {}
        patience.succeeded();
        assert_eq!(tried(&patience, FAILURES - 1), FAILURES as usize - 1);
    }
}
