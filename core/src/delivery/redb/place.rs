//! Where the file of a store is, and who owns it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use ::redb::backends::FileBackend;
use ::redb::{Builder, Database, StorageBackend};

use super::super::store::{StoreError, StoreErrorKind, Table};
use super::failure::{guarded, translate_io};
use super::transaction::definition;
use crate::os;

/// The file with everything in it.
const FILE: &str = "messages.redb";
/// The same until it is complete: a crash while it is being made leaves nothing that looks like a store.
const UNFINISHED: &str = "messages.redb.new";
/// Whoever holds a lock on this owns the directory. redb locks its file as well, but only once there is one.
const LOCK: &str = "messages.lock";

/// A place that a database can be opened at, as often as need be.
pub(super) trait Place: Send + Sync + fmt::Display {
    /// Opens the database and verifies all of it. Only the first opening makes one where none is.
    fn open(&self, opening: Opening, cache_bytes: u64) -> Result<Opened, StoreError>;

    /// How much can still be written there.
    fn free_bytes(&self) -> Option<u64>;
}

/// Which opening of a place it is.
pub(super) enum Opening {
    First,
    /// With the lock on the directory, if it was kept.
    Again(Option<os::FileLock>),
}

/// An open database, and the lock on its directory.
pub(super) struct Opened {
    pub(super) database: Database,
    owner: Option<os::FileLock>,
}

impl Opened {
    /// Lets the file go, and answers the lock on its directory, which ends with it.
    pub(super) fn close(self) -> Option<os::FileLock> {
        // An error here, or a panic, is one of the file, which the next opening verifies.
        let _verified_later = guarded(|| self.database.close());
        self.owner
    }
}

/// Sets how every database is opened, whatever holds it.
///
/// The whole file is verified each time: redb otherwise trusts one that was closed in order, panics on some damage and
/// hands out the rest as data.
fn builder(cache_bytes: u64) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(usize::try_from(cache_bytes).unwrap_or(usize::MAX)).set_check_integrity_on_open(true);
    builder
}

/// Opens a database in `backend`, and makes one if that is empty.
fn database(backend: impl StorageBackend, cache_bytes: u64) -> Result<Database, StoreError> {
    guarded(|| builder(cache_bytes).create_with_backend(backend))
}

/// A directory of the file system.
pub(super) struct Directory(pub(super) PathBuf);

impl Directory {
    /// Makes a complete, empty store, and gives it its name then.
    fn create(&self, cache_bytes: u64) -> Result<(), StoreError> {
        let unfinished = self.0.join(UNFINISHED);
        let system = |error| translate_io(&error);
        os::remove_file(&unfinished).map_err(system)?;
        let file = os::open_private_file(&unfinished).map_err(system)?;
        let database = database(guarded(|| FileBackend::new(file))?, cache_bytes)?;
        guarded(|| {
            let transaction = database.begin_write()?;
            for table in Table::ALL {
                transaction.open_table(definition(*table))?;
            }
            transaction.commit()?;
            database.close()?;
            Ok::<_, ::redb::Error>(())
        })?;
        os::rename_file(&self.0, &unfinished, &self.0.join(FILE)).map_err(system)
    }

    fn open_owned(&self, first: bool, owner: os::FileLock, cache_bytes: u64) -> Result<Opened, StoreError> {
        let path = self.0.join(FILE);
        let system = |error| translate_io(&error);
        match os::file_length(&path).map_err(system)? {
            None if first => self.create(cache_bytes)?,
            None => return Err(StoreError::new(StoreErrorKind::Io, format!("{FILE} is gone"))),
            Some(0) => return Err(StoreError::new(StoreErrorKind::Corrupt, format!("{FILE} is empty"))),
            Some(_) => os::sync_directory(&self.0).map_err(system)?,
        }
        let file = os::open_private_file(&path).map_err(system)?;
        if !first {
            os::forget_cached(&file);
        }
        let database = database(guarded(|| FileBackend::new(file))?, cache_bytes)?;
        Ok(Opened { database, owner: Some(owner) })
    }
}

impl Place for Directory {
    fn open(&self, opening: Opening, cache_bytes: u64) -> Result<Opened, StoreError> {
        let first = matches!(opening, Opening::First);
        let lock = || os::FileLock::take(&self.0.join(LOCK));
        let owned = || match opening {
            Opening::First => os::make_private_directory(&self.0).and_then(|_| lock()),
            Opening::Again(None) => lock(),
            Opening::Again(Some(owner)) => Ok(owner),
        };
        owned()
            .map_err(|error| translate_io(&error))
            .and_then(|owner| self.open_owned(first, owner, cache_bytes))
            .map_err(|error| explain(self, error))
    }

    fn free_bytes(&self) -> Option<u64> {
        os::free_disk_bytes(&self.0)
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store in {}", self.0.display())
    }
}

/// What a host brings instead of a file.
pub(super) struct Host<F>(pub(super) F);

impl<B: StorageBackend, F: Fn() -> io::Result<B> + Send + Sync> Place for Host<F> {
    fn open(&self, _opening: Opening, cache_bytes: u64) -> Result<Opened, StoreError> {
        let backend = (self.0)().map_err(|error| translate_io(&error));
        let opened = backend.and_then(|backend| database(backend, cache_bytes));
        opened.map(|database| Opened { database, owner: None }).map_err(|error| explain(self, error))
    }

    fn free_bytes(&self) -> Option<u64> {
        None
    }
}

impl<F> fmt::Display for Host<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store")
    }
}

/// Says which store it is that could not be opened, and what that means.
fn explain(place: &impl Place, error: StoreError) -> StoreError {
    let StoreError { kind, message } = error;
    let message = match kind {
        StoreErrorKind::Locked => {
            format!("{place} belongs to another process, or to another engine of this one: a store has one owner")
        }
        StoreErrorKind::Version => format!("{place} was written by another version: {message}"),
        StoreErrorKind::Corrupt => format!("{place} is damaged: {message}"),
        StoreErrorKind::Full => format!("{place} has no room: {message}"),
        _ => format!("{place} cannot be opened: {message}"),
    };
    StoreError { kind, message }
}
