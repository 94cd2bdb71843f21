//! A configuration that has been checked.

use std::collections::BTreeMap;
use std::time::Duration;

use super::check;
use super::error::{ConfigError, ReloadConflict, Warning};
use super::matcher::Matcher;
use super::pattern::Patterns;
use super::read;
use super::resolver::{NoResolver, Resolver};
use super::settings::{DedupeSettings, StoreSettings, StoreSource};
use crate::limits::Limits;

/// A configuration: checked as a whole, every name turned into an index, every default filled in.
///
/// ```
/// use nexowire_core::route::{Configuration, NoResolver, WhenFull};
///
/// let configuration = Configuration::parse(
///     r#"
///     default_queue = "other"
///     [[queue]]
///     name = "other"
///     [[queue]]
///     name = "audit"
///     when_full = "drop-oldest"
///     "#,
///     &NoResolver,
/// )?;
/// assert_eq!(configuration.queues()[1].when_full, WhenFull::DropOldest);
/// assert_eq!(configuration.queues()[1].lanes, 8);
/// # Ok::<(), nexowire_core::route::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Configuration {
    pub(super) default_queue: u16,
    pub(super) shapes: bool,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) delivery: Delivery,
    pub(super) dedupe: DedupeSettings,
    pub(super) store: Option<StoreSettings>,
    pub(super) queues: Vec<Queue>,
    pub(super) rules: Vec<Rule>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) summary: BTreeMap<String, String>,
    pub(super) warnings: Vec<Warning>,
}

/// `[delivery]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery {
    pub(super) answer_within: Duration,
    pub(super) ack_wait: Duration,
    pub(super) max_attempts: u32,
    pub(super) retry: Duration,
    pub(super) retry_max: Duration,
}

impl Configuration {
    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place.
    pub fn from_toml(text: &str, resolver: &dyn Resolver) -> Result<Self, ConfigError> {
        check::configuration(read::toml(text)?, text, read::Format::Toml, resolver, StoreSource::Configuration)
    }

    /// Reads JSON: the same members.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place.
    ///
    /// ```
    /// use nexowire_core::route::{Configuration, NoResolver};
    ///
    /// let text = r#"{"default_queue": "a", "queue": [{"name": "a"}]}"#;
    /// assert_eq!(Configuration::from_json(text, &NoResolver)?.queues().len(), 1);
    /// # Ok::<(), nexowire_core::route::ConfigError>(())
    /// ```
    pub fn from_json(text: &str, resolver: &dyn Resolver) -> Result<Self, ConfigError> {
        check::configuration(read::json(text)?, text, read::Format::Json, resolver, StoreSource::Configuration)
    }

    /// Reads JSON if the first byte that is not blank is `{`, which begins no TOML, else TOML.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str, resolver: &dyn Resolver) -> Result<Self, ConfigError> {
        Self::parse_with(text, resolver, StoreSource::Configuration)
    }

    /// Reads JSON or TOML as [`parse`](Self::parse) does, for an engine whose store comes from `store`.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place.
    pub fn parse_with(text: &str, resolver: &dyn Resolver, store: StoreSource) -> Result<Self, ConfigError> {
        if text.trim_ascii_start().starts_with('{') {
            check::configuration(read::json(text)?, text, read::Format::Json, resolver, store)
        } else {
            check::configuration(read::toml(text)?, text, read::Format::Toml, resolver, store)
        }
    }

    /// What is used where no configuration is given.
    ///
    /// ```
    /// let configuration = nexowire_core::route::Configuration::embedded();
    /// let names: Vec<_> = configuration.queues().iter().map(|queue| &*queue.name).collect();
    /// assert_eq!(names, ["payments", "terminals", "tender", "webhooks", "other"]);
    /// ```
    pub fn embedded() -> Self {
        Self::embedded_with(StoreSource::Configuration)
    }

    /// The same for an engine whose store comes from `store`: with one, the queues spill.
    ///
    /// ```
    /// use nexowire_core::route::{Configuration, StoreSource, WhenFull};
    ///
    /// let configuration = Configuration::embedded_with(StoreSource::Host);
    /// assert!(configuration.queues().iter().all(|queue| queue.when_full == WhenFull::Spill));
    /// ```
    pub fn embedded_with(store: StoreSource) -> Self {
        // OK because a test loads this very text.
        Self::parse_with(include_str!("embedded.toml"), &NoResolver, store).expect("the embedded configuration loads")
    }

    /// Where a message goes that no rule fits: an index into [`queues`](Self::queues).
    pub fn default_queue(&self) -> u16 {
        self.default_queue
    }

    /// Whether layouts are learned. Without effect so far.
    pub fn shapes(&self) -> bool {
        self.shapes
    }

    /// What moves time.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The same configuration with another clock: simulations and tests move time themselves, whatever is written.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The bounds, none above [`Limits::MAX`].
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How long a sender may wait before it is answered Busy. Without effect so far.
    pub fn answer_within(&self) -> Duration {
        self.delivery.answer_within
    }

    /// After how long an unacknowledged message comes again; `None`: never.
    pub fn ack_wait(&self) -> Option<Duration> {
        (!self.delivery.ack_wait.is_zero()).then_some(self.delivery.ack_wait)
    }

    /// The failure with which a message goes to the dead letters, at least 1.
    pub fn max_attempts(&self) -> u32 {
        self.delivery.max_attempts
    }

    /// The pause after the first failure; each further one doubles it.
    pub fn retry(&self) -> Duration {
        self.delivery.retry
    }

    /// The longest pause after a failure, the first included.
    pub fn retry_max(&self) -> Duration {
        self.delivery.retry_max
    }

    /// How long which keys are remembered, so that a repeated message is known as one.
    pub fn dedupe(&self) -> &DedupeSettings {
        &self.dedupe
    }

    /// What the store keeps and where; `None`: there is no store.
    pub fn store(&self) -> Option<&StoreSettings> {
        self.store.as_ref()
    }

    /// The queues, in the order of the configuration. There is always one.
    pub fn queues(&self) -> &[Queue] {
        &self.queues
    }

    /// The index of the queue of this name.
    pub fn queue(&self, name: &str) -> Option<u16> {
        self.queues.iter().position(|queue| queue.name == name).map(|index| index as u16)
    }

    /// The rules, in the order in which they are tried.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The endpoints: first `default`, then the others by name.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The index of the endpoint of this name.
    ///
    /// ```
    /// let configuration = nexowire_core::route::Configuration::embedded();
    /// assert_eq!(configuration.endpoint("default"), Some(0));
    /// assert_eq!(configuration.endpoint("shop"), None);
    /// ```
    pub fn endpoint(&self, name: &str) -> Option<u16> {
        self.endpoints.iter().position(|endpoint| endpoint.name == name).map(|index| index as u16)
    }

    /// The texts for staff, by word, placeholders not filled in.
    pub fn summary(&self) -> &BTreeMap<String, String> {
        &self.summary
    }

    /// What is odd and loads all the same, in the order in which it was found.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What `new` changes although only a reopening can, if anything. Source: `delivery.md`, section 7.
    ///
    /// Queues are compared by name; one that is only here or only there is no conflict.
    pub fn reload_conflict(&self, new: &Self) -> Option<ReloadConflict> {
        if self.clock != new.clock {
            return Some(ReloadConflict { member: "clock".to_owned() });
        }
        if let Some(name) = self.limits.first_difference(&new.limits) {
            return Some(ReloadConflict { member: format!("limits.{name}") });
        }
        match (&self.store, &new.store) {
            (None, None) => {}
            (Some(old), Some(new)) => {
                if let Some(name) = old.first_difference(new) {
                    return Some(ReloadConflict { member: format!("store.{name}") });
                }
            }
            _ => return Some(ReloadConflict { member: "store".to_owned() }),
        }
        self.queues.iter().find_map(|old| {
            let new = &new.queues[usize::from(new.queue(&old.name)?)];
            let member = match () {
                () if old.lanes != new.lanes => "lanes",
                () if old.capacity != new.capacity => "capacity",
                () => return None,
            };
            Some(ReloadConflict { member: format!("{member} of queue `{}`", old.name) })
        })
    }
}

/// What moves time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// `system`: the machine's clock.
    #[default]
    System,
    /// `manual`: only `advance()`, for tests and simulations.
    Manual,
}

/// What a queue does with a message that finds no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// `refuse`: the sender is told that the engine is busy. The default without a store.
    #[default]
    Refuse,
    /// `spill`: the message waits in the store, and enters its lane in order. Needs a store, and is then the default.
    Spill,
    /// `drop-oldest`: the oldest message leaves.
    DropOldest,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Queue {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Its lanes, at least one.
    pub lanes: u32,
    /// Messages that one lane holds, at least one.
    pub capacity: u32,
    /// What it does with a message that finds no room.
    pub when_full: WhenFull,
    /// The queue that takes its dead letters, never one that refuses; `None`: the built-in list.
    pub dead_letter: Option<u16>,
}

/// A rule: which messages go where.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, or `rule 1` and so on by its place.
    pub name: String,
    /// Indexes of queues, each once, in the order of the configuration.
    pub queues: Vec<u16>,
    /// `continue`: the next rules are tried too.
    pub goes_on: bool,
    pub(super) matchers: Vec<Matcher>,
}

/// Where messages come in, and for whom they may speak.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// Whether somebody else's software sends here.
    pub third_party: bool,
    /// The merchant accounts it may speak for; empty: any.
    pub merchant_accounts: Patterns,
    /// The SaleIDs it may speak for; empty: any.
    pub sale_ids: Patterns,
    /// The POIIDs it may speak for; empty: any.
    pub poiids: Patterns,
    /// All three are empty.
    pub(super) speaks_for_all: bool,
}

impl Endpoint {
    /// Whether it may speak for anybody: then nobody need be asked for.
    #[inline]
    pub fn speaks_for_all(&self) -> bool {
        self.speaks_for_all
    }

    /// Whether it may speak for all of these. What the message lacks fits. Source: design, section 9.
    ///
    /// ```
    /// use nexowire_core::route::{Configuration, NoResolver};
    ///
    /// let configuration = Configuration::parse("[endpoint.default]\nsale_ids = [\"Till*\"]", &NoResolver)?;
    /// let endpoint = &configuration.endpoints()[0];
    /// assert!(endpoint.speaks_for(None, Some(b"Till7"), Some(b"V400m-1")));
    /// assert!(endpoint.speaks_for(None, None, None));
    /// assert!(!endpoint.speaks_for(None, Some(b"Bar"), None));
    /// # Ok::<(), nexowire_core::route::ConfigError>(())
    /// ```
    pub fn speaks_for(&self, merchant_account: Option<&[u8]>, sale_id: Option<&[u8]>, poiid: Option<&[u8]>) -> bool {
        let within =
            |limit: &Patterns, text: Option<&[u8]>| limit.is_empty() || text.is_none_or(|text| limit.contains(text));
        within(&self.merchant_accounts, merchant_account)
            && within(&self.sale_ids, sale_id)
            && within(&self.poiids, poiid)
    }
}
