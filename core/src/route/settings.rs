//! What a configuration says of the store and of duplicates.

use std::time::Duration;

/// Where the store of an engine comes from, which decides what `when_full` is where nothing is said, and whether it may
/// be `spill`.
///
/// ```
/// use nexowire_core::route::{Configuration, NoResolver, StoreSource, WhenFull};
///
/// let text = "default_queue = \"a\"\n[[queue]]\nname = \"a\"";
/// let without = Configuration::parse(text, &NoResolver)?;
/// assert!(without.store().is_none());
/// assert_eq!(without.queues()[0].when_full, WhenFull::Refuse);
/// let with = Configuration::parse_with(text, &NoResolver, StoreSource::Host)?;
/// assert!(with.store().is_some());
/// assert_eq!(with.queues()[0].when_full, WhenFull::Spill);
/// # Ok::<(), nexowire_core::route::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreSource {
    /// From `[store]`; without that section there is none.
    #[default]
    Configuration,
    /// From the host, which opens it itself; `[store]` then says only what is kept in it, and for how long.
    Host,
}

/// `[store]`, with its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreSettings {
    /// The directory of the embedded store. A host that brings its own store need not look at it.
    pub path: String,
    /// How long consumed messages are kept.
    pub retention: Duration,
    /// How long dead letters are kept.
    pub dead_letter_retention: Duration,
    /// Live bytes that the store may hold.
    pub max_bytes: u64,
    /// Bytes of memory for the embedded store's cache.
    pub cache_bytes: u64,
}

impl StoreSettings {
    /// The first member in which the two differ.
    pub(super) fn first_difference(&self, other: &Self) -> Option<&'static str> {
        // Takes the struct apart so that a member that is added cannot be forgotten here.
        let Self { path, retention, dead_letter_retention, max_bytes, cache_bytes } = self;
        [
            ("path", *path != other.path),
            ("retention", *retention != other.retention),
            ("dead_letter_retention", *dead_letter_retention != other.dead_letter_retention),
            ("max_bytes", *max_bytes != other.max_bytes),
            ("cache_bytes", *cache_bytes != other.cache_bytes),
        ]
        .into_iter()
        .find_map(|(name, differs)| differs.then_some(name))
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            path: "nexowire-data".to_owned(),
            retention: Duration::from_secs(7 * DAY),
            dead_letter_retention: Duration::from_secs(30 * DAY),
            max_bytes: 10 << 30,
            cache_bytes: 32 << 20,
        }
    }
}

/// `[dedupe]`, with its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DedupeSettings {
    /// How long a terminal message is remembered, from its first acceptance; zero: not at all.
    pub terminal: Duration,
    /// How long an item of a webhook is remembered, from its first acceptance; zero: not at all.
    pub webhook: Duration,
    /// Keys that are remembered at most, of both sorts together.
    pub keys_max: u32,
}

impl Default for DedupeSettings {
    fn default() -> Self {
        Self { terminal: Duration::from_secs(2 * DAY), webhook: Duration::from_secs(30 * DAY), keys_max: 10_000_000 }
    }
}

/// Seconds of a day.
const DAY: u64 = 86_400;
