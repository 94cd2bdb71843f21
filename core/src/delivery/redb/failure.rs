//! What redb says, in words of a store.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::store::{StoreError, StoreErrorKind};

/// How redb begins the message on a file that a later redb has written. It has no error of its own for that.
const LATER_FORMAT: &str = "Expected file format version";

/// Calls redb, and takes a panic of it for damage.
///
/// redb trusts pages that it has verified once. If they change under an open file, it may answer an error, the wrong bytes
/// or a panic; the host must not die of the last (design, section 14). Its own text goes to the panic hook only.
pub(super) fn guarded<T, E: Into<::redb::Error>>(call: impl FnOnce() -> Result<T, E>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => answer.map_err(|error| translate(error.into())),
        Err(_panic) => {
            Err(StoreError::new(StoreErrorKind::Corrupt, "the store is damaged: redb gave up on what it read"))
        }
    }
}

/// An error of redb, as one of a store.
pub(super) fn translate(error: ::redb::Error) -> StoreError {
    use ::redb::Error;
    let kind = match &error {
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => {
            return StoreError::new(StoreErrorKind::Locked, "it is in use");
        }
        Error::UpgradeRequired(_) => StoreErrorKind::Version,
        Error::Corrupted(message) if message.starts_with(LATER_FORMAT) => StoreErrorKind::Version,
        Error::Io(error) => return translate_io(error),
        Error::PreviousIo | Error::LockPoisoned(_) => StoreErrorKind::Io,
        Error::DatabaseClosed => StoreErrorKind::Closed,
        _ => StoreErrorKind::Corrupt,
    };
    StoreError::new(kind, error.to_string())
}

/// An error of the system, as one of a store.
pub(super) fn translate_io(error: &std::io::Error) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StoreErrorKind::Full,
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => StoreErrorKind::Corrupt,
        ErrorKind::WouldBlock => StoreErrorKind::Locked,
        _ => StoreErrorKind::Io,
    };
    StoreError::new(kind, error.to_string())
}
