//! What becomes of a body: the verdict that a host answers, and the place for what nobody may read.

// For the merger: the engine uses both as soon as it drops duplicates.
#[allow(dead_code)]
mod dedupe;
#[allow(dead_code)]
mod key_row;
mod quarantine;
mod store;
mod verdict;

pub use quarantine::QuarantineEntry;
pub use store::{Reader, Store, StoreError, StoreErrorKind, Table, Writer};
pub use verdict::{BusyReason, IgnoredReason, QuarantineReason, ReplyOutcome, UnauthorizedReason, Verdict};

#[allow(unused_imports)]
pub(crate) use dedupe::{Dedupe, DedupeOptions, Key, Seen};
#[allow(unused_imports)]
pub(crate) use key_row::{KeyRow, Window};
pub(crate) use quarantine::Quarantine;
