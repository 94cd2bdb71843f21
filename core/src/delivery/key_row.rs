//! What is kept of a message's key, so that it is known when it comes again.

/// Which of the two windows of time a key lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Window {
    /// Of messages of terminals.
    Terminal = 0,
    /// Of items of webhooks.
    Webhook = 1,
}

/// What the store keeps of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyRow {
    /// The key's keyed hash.
    pub hash: u128,
    /// The digest of the message's contents.
    pub digest: u64,
    /// When the key was first accepted, in milliseconds of the engine's time.
    pub first_at: u64,
    /// The number of the message.
    pub seq: u64,
}
