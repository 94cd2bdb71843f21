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

/// A store in one file of a directory of its own.
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
    /// Opens the store in `directory`, or makes one there, and verifies all of it.
    pub fn open(directory: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        Self::at(Box::new(Directory(directory.to_owned())), cache_bytes, os::process_id)
    }

    /// Opens a store over what `backend` makes.
    #[doc(hidden)]
    pub fn over<B: StorageBackend>(
        backend: impl Fn() -> io::Result<B> + Send + Sync + 'static,
        cache_bytes: u64,
    ) -> Result<Self, StoreError> {
        Self::at(Box::new(Host(backend)), cache_bytes, os::process_id)
    }

    /// The same store, which asks `process` which process this is.
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
