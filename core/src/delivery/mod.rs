//! What becomes of a body: the verdict that a host answers, and the place for what nobody may read.

mod dedupe;
mod kept;
mod key_row;
mod ledger;
mod memory;
#[cfg(feature = "store")]
mod redb;
mod store;
mod verdict;

pub use kept::{DeadLetter, QuarantineEntry};
pub use memory::MemoryStore;
#[cfg(feature = "store")]
pub use redb::RedbStore;
pub use store::{Reader, Store, StoreError, StoreErrorKind, Table, Writer};
pub use verdict::{BusyReason, IgnoredReason, QuarantineReason, ReplyOutcome, UnauthorizedReason, Verdict};

pub(crate) use dedupe::{Dedupe, DedupeOptions, Key, Seen};
pub(crate) use kept::{DeadLetters, Quarantine};
pub(crate) use key_row::{KeyRow, Window};
pub(crate) use ledger::{
    Bounds, Change, DeadNote, Group, Ledger, LedgerOptions, LoggedMessage, NewEntry, NewMessage, Opened, QUEUE_GONE,
    Record, StoredBody, StoredDead, StoredEntry, StoredMessage,
};
