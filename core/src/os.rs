//! The only file of the crate that asks the operating system for anything: what time it is, a descriptor, which process
//! this is, and private files for the store.
//!
//! Everything else takes time as an argument (`delivery.md`, section 6). A port to another system is a change to this
//! file: where neither of the two descriptors below exists, queues work without one; where files have no modes, they have
//! those of their folder, and where a folder cannot be synced, the system does that by itself or nobody can.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use counter::Signal;
#[cfg(feature = "store")]
pub(crate) use files::{
    FileLock, file_length, forget_cached, free_disk_bytes, make_private_directory, open_private_file, remove_file,
    rename_file, sync_directory,
};
#[cfg(not(unix))]
pub(crate) use nothing::Signal;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(crate) use pair::Signal;

/// A duration in whole milliseconds, as all times are counted here; the longest for one that is longer.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The wall clock: milliseconds since 1970. A clock that stands before 1970 reads as 0.
///
/// It is read at an opening only, as somebody may set it at any time (`delivery.md`, 6.1).
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, milliseconds)
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
    milliseconds(first.elapsed())
}

/// Which process this is. A forked child has another one than its parent.
///
/// ```
/// assert_eq!(nexowire_core::os::process_id(), u64::from(std::process::id()));
/// ```
pub fn process_id() -> u64 {
    std::process::id().into()
}

/// Private files, for the embedded store.
#[cfg(feature = "store")]
mod files {
    use std::fs::{self, File, OpenOptions, TryLockError};
    use std::io;
    use std::path::Path;

    /// How many bytes the owner of this process may still write to the disk that `directory` is on, if the system says.
    pub(crate) fn free_disk_bytes(directory: &Path) -> Option<u64> {
        #[cfg(unix)]
        return rustix::fs::statvfs(directory).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        #[cfg(not(unix))]
        return Some(directory).and(None);
    }

    /// Makes a directory that only the owner can enter, and says whether it was made now.
    ///
    /// One that is there stays as it is. The parent has to be there, and its new entry is synced.
    pub(crate) fn make_private_directory(directory: &Path) -> io::Result<bool> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(directory) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            Err(error) => return Err(error),
        }
        // A mask can only have taken rights away. What the owner needs is given back; nobody else had any at any time.
        #[cfg(unix)]
        fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_directory(parent.unwrap_or(Path::new(".")))?;
        Ok(true)
    }

    /// Opens a file to read and write, and makes it if it is not there, so that only the owner can read it.
    ///
    /// One that is there stays as it is, and its modes too.
    pub(crate) fn open_private_file(path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            there => return there,
        }
        options.create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        // As above: only rights that a mask took from the owner are given back.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(file)
    }

    /// A lock on a file, which nobody else can have, in this process or another.
    pub(crate) struct FileLock(File);

    impl FileLock {
        /// Takes the lock, on a file that is made if need be. If somebody has it, that is an error of kind `WouldBlock`.
        pub(crate) fn take(path: &Path) -> io::Result<Self> {
            let file = open_private_file(path)?;
            match file.try_lock() {
                Ok(()) => Ok(Self(file)),
                Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
                // A file system without locks: whoever uses such a disk answers for who uses it.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(Self(file)),
                Err(TryLockError::Error(error)) => Err(error),
            }
        }
    }

    impl Drop for FileLock {
        fn drop(&mut self) {
            // Closing is not enough: a forked child that still lives has the same descriptor, and with it the lock.
            let _gone_with_the_process = self.0.unlock();
        }
    }

    /// Lets the system forget what it has read or written of a file, as far as it will, so that the disk is asked.
    ///
    /// After a failed sync Linux takes its pages for written: they would be read as if they were safe.
    pub(crate) fn forget_cached(file: &File) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _only_advice = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _no_way_to_ask = file;
    }

    /// The length of a file; `None` if there is none.
    pub(crate) fn file_length(path: &Path) -> io::Result<Option<u64>> {
        match fs::metadata(path) {
            Ok(about) => Ok(Some(about.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a file, which need not be there.
    pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Gives a file of this directory another name of the same directory, durably.
    pub(crate) fn rename_file(directory: &Path, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        sync_directory(directory)
    }

    /// Makes the entries of a directory durable: a synced file whose name is lost is lost.
    #[cfg(unix)]
    pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
        match File::open(directory)?.sync_all() {
            // Some file systems have nothing to sync there, and say so.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            synced => synced,
        }
    }

    /// Makes the entries of a directory durable: where directories cannot be opened, nobody can.
    #[cfg(not(unix))]
    pub(crate) fn sync_directory(_directory: &Path) -> io::Result<()> {
        Ok(())
    }
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
