//! What is kept of a dedupe key, in memory and in the store.

/// Which of the two windows a key lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Window {
    /// Terminal messages: `dedupe.terminal`.
    Terminal = 0,
    /// Items of webhooks: `dedupe.webhook`.
    Webhook = 1,
}

/// One accepted message, by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyRow {
    /// The keyed hash of the key.
    pub(crate) hash: u128,
    /// What tells the variants of a key apart.
    pub(crate) digest: u64,
    /// When the key was first accepted, in milliseconds of engine time.
    pub(crate) first_at: u64,
    /// The number of the message.
    pub(crate) seq: u64,
}
