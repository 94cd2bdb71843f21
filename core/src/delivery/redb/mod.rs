//! The store that comes with nexowire: one file, kept by redb.

mod failure;
mod place;
mod transaction;

use std::fmt;
use std::io;
use std::mem;
use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use ::redb::{ReadableDatabase, StorageBackend};

use self::failure::guarded;
use self::place::{Directory, Host, Opened, Opening, Place};
use self::transaction::{RedbReader, RedbWriter};
use super::store::{Reader, Store, StoreError, StoreErrorKind, Writer};
use crate::os;

/// A store in one file of a directory of its own. Source: `delivery.md`, section 8; design, section 10.
///
/// # Durability
///
/// A transaction is one sync, and one more when the file grows. Its pages are written beside those of the last one, and a
/// header with checksums of both states is synced together with them: after a crash the newer state counts if all of it
/// is right, else the older. (redb can sync the pages first and the header then, which tells a torn transaction from one
/// whose pages rotted after the crash. Here both are taken back: 1 more sync a transaction was thought too much for that,
/// as a verdict waits for it.)
///
/// # Opening
///
/// Every opening reads and verifies the whole file, after a crash or not: 3 to 4 s per GB of what is stored if the system
/// has the file in memory, 6 s if it comes from the disk (Intel Xeon, family 6, model 167, 2 busy cores; 1.4 GB of
/// messages of 700 bytes; 2026-11). redb can also note in each transaction what it needs to open at once after a crash:
/// that costs a second sync and 0.5 to 0.7 ms a transaction (0.6 ms without, for one message), and what it opens is not
/// verified.
///
/// # Damage
///
/// A file that was changed from outside does not open ([`StoreErrorKind::Corrupt`]), unless only unused bytes were, or
/// only the last transaction of a process that was killed: that one is gone then. Between openings pages are not verified
/// again. Where redb panics on what it reads, the panic is caught and the store answers `Corrupt`; the panic hook is told
/// all the same. A host built with `panic = "abort"` ends there.
///
/// # Failure
///
/// After the first refusal of the disk every call answers its kind, until [`reopen`](Store::reopen). What `reopen` finds
/// is whole: every transaction that was answered `Ok`, and possibly the one that failed. On Linux it asks the system to
/// forget the file first, as after a failed sync pages that are on no disk would be read as if they were.
///
/// # Threads and processes
///
/// One transaction writes at a time; others wait. `reopen` and `close` wait until all transactions are out, so a
/// transaction must not call its store: it could wait for itself. The directory belongs to one store in one process. In a
/// forked child every call answers [`StoreErrorKind::Forked`], and dropping the store there leaks it: no file is touched
/// and no lock given up. A child that lives on has the descriptors, though, so that after the death of its parent nobody
/// can open the store until the child has ended, or has become another program.
///
/// ```
/// use nexowire_core::delivery::{RedbStore, Store, StoreErrorKind, Table};
///
/// let directory = tempfile::tempdir()?;
/// let store = RedbStore::open(&directory.path().join("store"), 32 << 20)?;
/// store.write(&mut |writer| writer.insert(Table::Meta, b"key", b"value"))?;
/// let mut found = Vec::<u8>::new();
/// store.read(&mut |reader| reader.get(Table::Meta, b"key", &mut |value| found.extend(value)).map(drop))?;
/// assert_eq!(found, b"value");
///
/// let second = RedbStore::open(&directory.path().join("store"), 32 << 20);
/// assert_eq!(second.unwrap_err().kind, StoreErrorKind::Locked);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct RedbStore {
    place: Box<dyn Place>,
    cache_bytes: u64,
    /// Says which process this is, and which it was when the store was opened.
    process: fn() -> u64,
    opened_in: u64,
    /// Calls share it; opening and closing wait until they are out.
    opened: RwLock<Option<Opened>>,
    /// What redb refused first since the last opening.
    failure: Mutex<Option<StoreError>>,
}

impl RedbStore {
    /// Opens the store in `directory`, or makes one there, and verifies all of it. It keeps at most `cache_bytes` of pages
    /// in memory, besides those of a transaction that is under way.
    ///
    /// A new directory has mode 0700, and new files have 0600, whatever the mask is, from their first moment; what is
    /// there keeps its modes. The parent has to be there. A new store gets its name when it is complete, so that an empty
    /// `messages.redb` is one that was cut off.
    ///
    /// # Errors
    /// [`Locked`](StoreErrorKind::Locked): somebody has it, in this process or another.
    /// [`Corrupt`](StoreErrorKind::Corrupt): the file is damaged, or no store.
    /// [`Version`](StoreErrorKind::Version): a redb that is too new or too old has written it.
    /// [`Full`](StoreErrorKind::Full) and [`Io`](StoreErrorKind::Io): what the system says. Every message names the
    /// directory; nothing was changed but what redb mends after a crash.
    pub fn open(directory: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        Self::at(Box::new(Directory(directory.to_owned())), cache_bytes, os::process_id)
    }

    /// Opens a store over what `backend` makes, which every opening calls again.
    ///
    /// It is for disks that are simulated, and is not shown as it names a type of redb, which a release of nexowire may
    /// replace. A backend that is empty becomes a new store, at a reopening as well; who owns it is its own affair.
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    #[doc(hidden)]
    pub fn over<B: StorageBackend>(
        backend: impl Fn() -> io::Result<B> + Send + Sync + 'static,
        cache_bytes: u64,
    ) -> Result<Self, StoreError> {
        Self::at(Box::new(Host(backend)), cache_bytes, os::process_id)
    }

    /// The same store, which asks `process` which process this is, as a host knows better that notes its forks
    /// ([`process_id`](os::process_id) is a system call). What it answers now is the process that owns the store.
    #[must_use]
    pub fn in_process(mut self, process: fn() -> u64) -> Self {
        self.process = process;
        self.opened_in = process();
        self
    }

    fn at(place: Box<dyn Place>, cache_bytes: u64, process: fn() -> u64) -> Result<Self, StoreError> {
        let opened = place.open(Opening::First, cache_bytes)?;
        Ok(Self {
            place,
            cache_bytes,
            process,
            opened_in: process(),
            opened: RwLock::new(Some(opened)),
            failure: Mutex::new(None),
        })
    }

    fn is_forked(&self) -> bool {
        (self.process)() != self.opened_in
    }

    /// Answers before any lock is touched, which a thread that is not in this process may hold.
    fn refuse_forks(&self) -> Result<(), StoreError> {
        if self.is_forked() {
            let message = format!("{} was opened by another process, of which this one is a fork", self.place);
            return Err(StoreError::new(StoreErrorKind::Forked, message));
        }
        Ok(())
    }

    /// Holds the store open for one transaction, if it may have one.
    fn hold(&self) -> Result<RwLockReadGuard<'_, Option<Opened>>, StoreError> {
        self.refuse_forks()?;
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            let message = format!("it has to be opened again, as it failed before: {}", first.message);
            return Err(StoreError::new(first.kind, message));
        }
        if opened.is_none() {
            return Err(StoreError::new(StoreErrorKind::Closed, format!("{} is closed", self.place)));
        }
        Ok(opened)
    }

    /// Keeps the first failure: redb can go on after some, but what it would write then nobody has thought through.
    fn latch(&self, failure: StoreError) -> StoreError {
        let StoreError { kind, message } = failure;
        let failure = StoreError::new(kind, format!("{} has failed: {message}", self.place));
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure).clone()
    }

    fn set_failure(&self, failure: Option<StoreError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// Carries out one transaction of an open database. The first error is the host's, the second redb's.
fn transact(
    opened: &Opened,
    changes: &mut dyn FnMut(&mut dyn Writer) -> Result<(), StoreError>,
) -> Result<Result<(), StoreError>, StoreError> {
    let transaction = guarded(|| opened.database.begin_write())?;
    let mut writer = RedbWriter::new(&transaction);
    let changed = changes(&mut writer);
    if let Some(failure) = writer.finish() {
        let _of_a_failed_store = guarded(|| transaction.abort());
        return Err(failure);
    }
    match changed {
        Ok(()) => guarded(|| transaction.commit())?,
        Err(_) => guarded(|| transaction.abort())?,
    }
    Ok(changed)
}

impl Store for RedbStore {
    fn write(&self, changes: &mut dyn FnMut(&mut dyn Writer) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let opened = self.hold()?;
        let Some(opened) = &*opened else { return Ok(()) };
        transact(opened, changes).unwrap_or_else(|failure| Err(self.latch(failure)))
    }

    fn read(&self, look: &mut dyn FnMut(&dyn Reader) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let opened = self.hold()?;
        let Some(opened) = &*opened else { return Ok(()) };
        let transaction = guarded(|| opened.database.begin_read()).map_err(|failure| self.latch(failure))?;
        let reader = RedbReader::new(&transaction);
        let looked = look(&reader);
        if let Some(failure) = reader.finish() {
            return Err(self.latch(failure));
        }
        looked
    }

    fn reopen(&self) -> Result<(), StoreError> {
        self.refuse_forks()?;
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        // The directory stays ours meanwhile.
        let owner = opened.take().and_then(Opened::close);
        let again = self.place.open(Opening::Again(owner), self.cache_bytes);
        self.set_failure(again.as_ref().err().cloned());
        *opened = Some(again?);
        Ok(())
    }

    fn close(&self) {
        if self.is_forked() {
            return;
        }
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        opened.take().and_then(Opened::close);
        self.set_failure(None);
    }

    fn free_bytes(&self) -> Option<u64> {
        self.place.free_bytes()
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        let opened = self.opened.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if self.is_forked() {
            // Closing would write to the file, and give up locks that the parent holds by the same descriptors.
            mem::forget(opened);
        } else {
            opened.and_then(Opened::close);
        }
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedbStore({})", self.place)
    }
}
