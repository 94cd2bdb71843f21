//! What becomes of a body: the verdict that a host answers, and the place for what nobody may read.

mod quarantine;
mod verdict;

pub use quarantine::QuarantineEntry;
pub use verdict::{BusyReason, IgnoredReason, QuarantineReason, ReplyOutcome, UnauthorizedReason, Verdict};

pub(crate) use quarantine::Quarantine;
