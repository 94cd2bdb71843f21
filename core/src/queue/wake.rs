//! Who is told that a token waits: threads that sleep in `wait`, and hosts that watch the descriptor.
//!
//! Whoever makes something to see (pushes a token, ends the queue) calls [`Wake::ring`] *after* it; whoever goes to
//! sleep announces that *before* it looks a last time. With a sequentially consistent fence between the two steps on
//! each side, one of the two sees the other: no wake-up is lost, and nobody pays for it who has nobody to wake.

use crate::os::Signal;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// The sleepers of one queue.
#[derive(Default)]
pub(super) struct Wake {
    /// Threads inside [`Wake::sleep`]. A busy queue has none, and then ringing is one load.
    sleepers: AtomicUsize,
    /// Counts the changes of what the sleepers sleep for, besides what they can see when they look.
    turns: AtomicU64,
    /// Guards nothing but the step between a sleeper's last look and its sleep.
    gate: Mutex<()>,
    bell: Condvar,
    /// Made when a host first asks for it.
    signal: OnceLock<Signal>,
    /// Whether `signal` is readable. Written under `arm` together with the descriptor, so that the two never differ;
    /// read without it, so that a consumer who is busy costs a producer no system call.
    raised: AtomicBool,
    arm: Mutex<()>,
}

impl Wake {
    /// Tells one sleeping thread, and the descriptor, that there is something to see. Called after it can be seen.
    pub(super) fn ring(&self) {
        // Pairs with the fences of `sleep`, `quiet` and `descriptor`: what was done before this is seen by all whom
        // the loads below do not see.
        fence(Ordering::SeqCst);
        // Relaxed, here and at `raised`: the fence has ordered it, and the value itself guards nothing.
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            self.rouse(false);
        }
        self.raise();
    }

    /// Tells everybody. For the end of the queue, which concerns all.
    #[cold]
    pub(super) fn ring_all(&self) {
        fence(Ordering::SeqCst);
        self.rouse(true);
        self.raise();
    }

    /// How often [`Wake::turn`] has been called: to be asked before whatever decides how long to sleep.
    #[inline]
    pub(super) fn turns(&self) -> u64 {
        // Acquire, paired with `turn`: who reads its number sees what it is about.
        self.turns.load(Ordering::Acquire)
    }

    /// Ends every sleep that was decided on before: there may be a deadline that its sleeper does not know.
    #[cold]
    pub(super) fn turn(&self) {
        self.turns.fetch_add(1, Ordering::Release);
        // Pairs with the fence of `sleep`, as in `ring`.
        fence(Ordering::SeqCst);
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            self.rouse(true);
        }
    }

    /// Blocks until `ready`, until there has been a turn after that of number `turn`, or until the time is over; says
    /// whether it was ready.
    pub(super) fn sleep(&self, timeout: Duration, turn: u64, ready: impl Fn() -> bool) -> bool {
        if ready() {
            return true;
        }
        // Relaxed: only the fence matters, which stands between this announcement and the last look.
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let mut was_ready = false;
        let waited = self.bell.wait_timeout_while(lock(&self.gate), timeout, |()| {
            was_ready = ready();
            !was_ready && self.turns() == turn
        });
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        // Relaxed: a ringer that still sees this sleeper rings once for nothing.
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
        // Asked again when the time is over: a bell that rang at its very end was meant for this thread, and nobody
        // else has heard it.
        was_ready || ready()
    }

    /// Makes the descriptor unreadable, unless `ready` says that there is something to see after all. Called by a poll
    /// that has found no token, and by nobody else.
    pub(super) fn quiet(&self, ready: impl Fn() -> bool) {
        // Relaxed: if another thread has raised it a moment ago, this poll leaves that to the next one.
        if !self.raised.load(Ordering::Relaxed) {
            return;
        }
        self.disarm();
        // A ringer that came before `disarm` may have found the descriptor raised and have left it at that. The fence
        // pairs with the one in `ring`: either that ringer sees `raised` false, or what it made is seen here.
        fence(Ordering::SeqCst);
        if ready() {
            self.raise();
        }
    }

    /// The descriptor, made now if nobody has asked before.
    #[cfg(unix)]
    pub(super) fn descriptor(&self, ready: impl Fn() -> bool) -> std::io::Result<std::os::fd::BorrowedFd<'_>> {
        if let Some(signal) = self.signal.get() {
            return Ok(signal.descriptor());
        }
        // Of two threads that come here at once one keeps its descriptor and the other closes its own.
        let _taken = self.signal.set(Signal::new()?);
        // Ringers before this saw no descriptor; the fence pairs with the one in `ring`.
        fence(Ordering::SeqCst);
        if ready() {
            self.raise();
        }
        // OK because it has been set above, and it is never taken out.
        Ok(self.signal.get().expect("a descriptor").descriptor())
    }

    #[cold]
    fn rouse(&self, all: bool) {
        // A sleeper is now either before its last look, and sees what there is, or asleep, and hears the bell.
        drop(lock(&self.gate));
        if all {
            self.bell.notify_all();
        } else {
            self.bell.notify_one();
        }
    }

    fn raise(&self) {
        if self.raised.load(Ordering::Relaxed) {
            return;
        }
        if let Some(signal) = self.signal.get() {
            self.arm(signal);
        }
    }

    #[cold]
    fn arm(&self, signal: &Signal) {
        let _both = lock(&self.arm);
        if !self.raised.load(Ordering::Relaxed) {
            // In this order: raising wakes a poller, who often runs at once, and in our place. It has to find the flag
            // set, and so this lock, or it would poll in vain for as long as the system lets us wait.
            self.raised.store(true, Ordering::Relaxed);
            signal.raise();
        }
    }

    #[cold]
    fn disarm(&self) {
        let _both = lock(&self.arm);
        if let Some(signal) = self.signal.get() {
            signal.drain();
            self.raised.store(false, Ordering::Relaxed);
        }
    }
}

/// Locks. Only an item's own clone or drop could panic while a lock of a queue is held; the worst that leaves is one lane
/// that stays owned, which is no reason to let every other thread panic too.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Wake;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    /// The bell rings between a sleeper's last look and its sleep.
    #[test]
    fn a_bell_at_the_last_moment_is_heard() {
        let wake = Wake::default();
        let (seen, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (last_look, now) = mpsc::channel();
        thread::scope(|scope| {
            let (wake, seen) = (&wake, &seen);
            scope.spawn(move || {
                now.recv().unwrap();
                seen.store(true, Ordering::SeqCst);
                wake.ring();
            });
            let woken = wake.sleep(Duration::from_secs(3_600), 0, || {
                let is_ready = seen.load(Ordering::SeqCst);
                if looks.fetch_add(1, Ordering::SeqCst) == 1 {
                    last_look.send(()).unwrap();
                    // Gives the ringer every chance to ring too early; one that takes the gate cannot.
                    (0..1_000).for_each(|_| thread::yield_now());
                }
                is_ready
            });
            assert!(woken);
        });
    }

    /// What came while the descriptor was being disarmed raises it again.
    #[cfg(unix)]
    #[test]
    fn a_disarmed_descriptor_is_raised_again_for_what_came_meanwhile() {
        let wake = Wake::default();
        wake.descriptor(|| true).unwrap();
        assert!(wake.raised.load(Ordering::SeqCst));
        wake.quiet(|| true);
        assert!(wake.raised.load(Ordering::SeqCst));
        wake.quiet(|| false);
        assert!(!wake.raised.load(Ordering::SeqCst));
    }
}
