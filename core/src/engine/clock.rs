//! The engine's time: it never goes back, and the system's never stands still. Source: `delivery.md`, section 6.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::os;
use crate::route::Clock;

/// How far a stored time may be ahead of the wall clock.
const DAY_MS: u64 = 86_400_000;

/// Whole milliseconds since 1970.
#[derive(Debug)]
pub(super) enum EngineClock {
    /// The wall clock at opening, plus what a clock that nobody can set has counted since.
    System { wall_ms: u64, boot_ms: u64 },
    /// What it was last set to.
    Manual(AtomicU64),
}

impl EngineClock {
    pub(super) fn new(clock: Clock) -> Self {
        match clock {
            Clock::System => Self::System { wall_ms: os::wall_ms(), boot_ms: os::boot_ms() },
            Clock::Manual => Self::Manual(AtomicU64::new(0)),
        }
    }

    /// A clock that goes on from the time that a store has seen last; `None` if it is the system's and does not believe
    /// that time, as it is more than a day ahead of the wall.
    pub(super) fn opened(clock: Clock, stored: u64) -> Option<Self> {
        match Self::new(clock) {
            Self::System { wall_ms, .. } if stored > wall_ms.saturating_add(DAY_MS) => None,
            Self::System { wall_ms, boot_ms } => Some(Self::System { wall_ms: wall_ms.max(stored), boot_ms }),
            Self::Manual(_) => Some(Self::Manual(AtomicU64::new(stored))),
        }
    }

    #[inline]
    pub(super) fn now(&self) -> u64 {
        match self {
            Self::System { wall_ms, boot_ms } => wall_ms.saturating_add(os::boot_ms().saturating_sub(*boot_ms)),
            // Relaxed: the number is all there is to see.
            Self::Manual(now) => now.load(Ordering::Relaxed),
        }
    }

    /// Sets a manual clock, unless to an earlier time.
    pub(super) fn set(&self, now: u64) {
        if let Self::Manual(clock) = self {
            clock.fetch_max(now, Ordering::Relaxed);
        }
    }

    /// Whether time passes by itself.
    pub(super) fn is_system(&self) -> bool {
        matches!(self, Self::System { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_never_goes_back() {
        let clock = EngineClock::new(Clock::Manual);
        assert_eq!(clock.now(), 0);
        for (set, now) in [(5, 5), (3, 5), (9, 9)] {
            clock.set(set);
            assert_eq!(clock.now(), now);
        }
    }

    #[test]
    fn a_clock_goes_on_from_a_stored_time_that_can_be_believed() {
        let now = EngineClock::new(Clock::System).now();
        let opened = |stored| EngineClock::opened(Clock::System, stored).map(|clock| clock.now());
        assert!(opened(0).is_some_and(|opened| opened >= now));
        assert!(opened(now + DAY_MS / 2).is_some_and(|opened| opened >= now + DAY_MS / 2));
        assert_eq!(opened(now + 2 * DAY_MS), None);
        assert_eq!(EngineClock::opened(Clock::Manual, 7).map(|clock| clock.now()), Some(7));
        assert_eq!(EngineClock::opened(Clock::Manual, u64::MAX).map(|clock| clock.now()), Some(u64::MAX));
    }

    #[test]
    fn a_system_clock_is_not_set() {
        let clock = EngineClock::new(Clock::System);
        let before = clock.now();
        clock.set(u64::MAX);
        assert!((before..before + 3_600_000).contains(&clock.now()));
    }
}
