//! The only file of the crate that asks the operating system for anything: what time it is, and a descriptor.
//!
//! Everything else takes time as an argument (`delivery.md`, section 6). A port to another system is a change to this
//! file: where neither of the two descriptors below exists, queues work without one.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use counter::Signal;
#[cfg(not(unix))]
pub(crate) use nothing::Signal;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(crate) use pair::Signal;

/// The wall clock: milliseconds since 1970. A clock that stands before 1970 reads as 0.
///
/// It is read at an opening only, as somebody may set it at any time (`delivery.md`, 6.1).
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Milliseconds of a clock that nobody can set. Only differences of two readings in one process mean anything.
///
/// It counts while the machine sleeps, where the system has such a clock (`CLOCK_BOOTTIME`), so that a receiver which
/// was suspended knows how long its messages have waited.
///
/// ```
/// let before = nexowire_core::os::boot_ms();
/// assert!(nexowire_core::os::boot_ms() >= before);
/// ```
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn boot_ms() -> u64 {
    let read = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(read.tv_sec).unwrap_or(0) * 1_000 + u64::try_from(read.tv_nsec).unwrap_or(0) / 1_000_000
}

/// Milliseconds of a clock that nobody can set. Only differences of two readings in one process mean anything.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn boot_ms() -> u64 {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let first = FIRST.get_or_init(std::time::Instant::now);
    u64::try_from(first.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// One eventfd: 8 bytes of kernel memory, and one descriptor where a pair would take two.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod counter {
    use super::io;
    use rustix::event::{EventfdFlags, eventfd};
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

    /// A descriptor that is readable from [`raise`](Self::raise) to [`drain`](Self::drain).
    pub(crate) struct Signal(OwnedFd);

    impl Signal {
        /// Asks the system for a descriptor, which it may refuse when the process has too many.
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
        }

        /// Makes it readable. It cannot fail: the counter holds 2^64 - 2 and every drain sets it to 0.
        pub(crate) fn raise(&self) {
            let wrote = rustix::io::retry_on_intr(|| rustix::io::write(&self.0, &1_u64.to_ne_bytes()));
            debug_assert_eq!(wrote, Ok(8));
        }

        /// Makes it unreadable. A host that has read the descriptor itself leaves nothing to read, which is no error.
        pub(crate) fn drain(&self) {
            let mut count = [0; 8];
            let _nothing_to_read = rustix::io::retry_on_intr(|| rustix::io::read(&self.0, &mut count));
        }

        /// The descriptor to wait for.
        pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

/// Two ends of a socket, for every unix without eventfd. Built in tests everywhere, so that it stays right.
#[cfg(all(unix, any(test, not(any(target_os = "linux", target_os = "android")))))]
mod pair {
    use super::io;
    use std::io::{Read, Write};
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::net::UnixStream;

    /// A descriptor that is readable from [`raise`](Self::raise) to [`drain`](Self::drain).
    pub(crate) struct Signal {
        read: UnixStream,
        write: UnixStream,
    }

    impl Signal {
        /// Asks the system for two descriptors, which it may refuse when the process has too many.
        pub(crate) fn new() -> io::Result<Self> {
            let (read, write) = UnixStream::pair()?;
            read.set_nonblocking(true)?;
            write.set_nonblocking(true)?;
            Ok(Self { read, write })
        }

        /// Makes it readable. A full socket is readable already, so a refused byte is no loss.
        pub(crate) fn raise(&self) {
            let _full = (&self.write).write(&[1]);
        }

        /// Makes it unreadable, whatever has been written.
        pub(crate) fn drain(&self) {
            let mut bytes = [0; 64];
            loop {
                match (&self.read).read(&mut bytes) {
                    Ok(1..) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    _ => return,
                }
            }
        }

        /// The descriptor to wait for.
        pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
            self.read.as_fd()
        }
    }
}

/// Where a descriptor cannot be had, none is ever made, and the compiler knows it.
#[cfg(not(unix))]
mod nothing {
    /// Never made.
    pub(crate) enum Signal {}

    impl Signal {
        /// Never called.
        pub(crate) fn raise(&self) {
            match *self {}
        }

        /// Never called.
        pub(crate) fn drain(&self) {
            match *self {}
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{boot_ms, counter, pair, wall_ms};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use std::os::fd::BorrowedFd;

    fn readable(descriptor: BorrowedFd<'_>) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&now)).unwrap() == 1
    }

    macro_rules! check {
        ($($name:ident)+) => {$(
            #[test]
            fn $name() {
                let signal = $name::Signal::new().unwrap();
                assert!(!readable(signal.descriptor()));
                signal.drain(); // Nothing to drain must not block.
                signal.raise();
                signal.raise();
                assert!(readable(signal.descriptor()));
                signal.drain();
                assert!(!readable(signal.descriptor()), "one drain takes all that was raised");
            }
        )+};
    }

    check!(counter pair);

    #[test]
    fn clocks_go_forward() {
        let (wall, boot) = (wall_ms(), boot_ms());
        assert!(wall > 1_700_000_000_000, "the wall clock stands before this was written");
        assert!(boot_ms() >= boot);
    }
}
