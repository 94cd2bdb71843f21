//! What becomes of a body: the verdict that a host answers, and the place for what nobody may read.

mod key_row;
mod ledger;
mod memory;
mod quarantine;
#[cfg(feature = "store")]
mod redb;
mod store;
mod verdict;

pub use memory::MemoryStore;
pub use quarantine::QuarantineEntry;
#[cfg(feature = "store")]
pub use redb::RedbStore;
pub use store::{Reader, Store, StoreError, StoreErrorKind, Table, Writer};
pub use verdict::{BusyReason, IgnoredReason, QuarantineReason, ReplyOutcome, UnauthorizedReason, Verdict};

pub(crate) use quarantine::Quarantine;
