//! From a configuration, and perhaps a store, to an engine; reopening and closing.
//! Source: `delivery.md`, sections 6 and 8.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::clock::EngineClock;
use super::counters::Tally;
use super::durable::{Durable, Unwritten};
use super::endpoints::EndpointNames;
use super::pending::lock;
use super::running::{Backing, Running};
use super::{Engine, Inner};
use crate::delivery::{
    Change, DeadLetters, Dedupe, DedupeOptions, Group, Ledger, LedgerOptions, Opened, Quarantine, Store, StoreError,
    StoreErrorKind, Window,
};
use crate::os::milliseconds;
use crate::route::{Configuration, StoreSettings};

/// Why an engine was not opened. Nothing has been changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The store cannot be opened, or is damaged; or the system gives no random numbers, which keys are hashed with.
    Store(StoreError),
    /// There is no store to open again.
    NoStore,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::NoStore => f.write_str("this engine has no store"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Engine {
    /// An engine as it is configured: with the store of the section `[store]`, or without one.
    ///
    /// With a store it blocks until what the store holds is verified and its keys are in memory.
    ///
    /// # Errors
    /// When the store cannot be opened, or the system gives no random numbers.
    pub fn open(configuration: Configuration) -> Result<Self, OpenError> {
        #[cfg(feature = "store")]
        if let Some(path) = configuration.store().map(|settings| settings.path.clone()) {
            return Self::open_in(configuration, path.as_ref());
        }
        Self::make(configuration, None)
    }

    /// An engine over a store of the host's. The section `[store]`, if there is one, says how long what is kept.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn open_with(configuration: Configuration, store: Arc<dyn Store>) -> Result<Self, OpenError> {
        let queues = named(&configuration);
        let default_queue = usize::from(configuration.default_queue());
        let (ledger, opened) = Ledger::open(store, ledger_options(&configuration), &queues, default_queue)?;
        let ledger = Arc::new(ledger);
        let durable = Durable::new(Arc::clone(&ledger), configuration.limits());
        Self::make(configuration, Some((durable, opened)))
    }

    /// An engine with the embedded store in this folder. The section `[store]`, if there is one, says how long what is
    /// kept.
    ///
    /// # Errors
    /// When the store cannot be opened.
    #[cfg(feature = "store")]
    pub fn open_in(configuration: Configuration, directory: &std::path::Path) -> Result<Self, OpenError> {
        let cache_bytes = configuration.store().map_or(StoreSettings::default().cache_bytes, |store| store.cache_bytes);
        let store = crate::delivery::RedbStore::open(directory, cache_bytes)?;
        Self::open_with(configuration, Arc::new(store))
    }

    fn make(configuration: Configuration, store: Option<(Durable, Opened)>) -> Result<Self, OpenError> {
        let names = Arc::<EndpointNames>::default();
        let clock = match &store {
            None => EngineClock::new(configuration.clock()),
            Some((durable, opened)) => clock(&configuration, &durable.ledger, opened.clock_ms),
        };
        let clock_dropped = store.as_ref().map(|(_, opened)| opened.clock_ms).filter(|stored| clock.now() < *stored);
        let mut hash_key = [0; 16];
        let (mut last_seq, mut durable) = (0, None);
        let mut dedupe = Dedupe::new(dedupe_options(&configuration));
        let limits = *configuration.limits();
        let running = match store {
            None => {
                getrandom::fill(&mut hash_key).map_err(|error| no_randomness(&error))?;
                Running::first(configuration, clock, &names, None)
            }
            Some((store, opened)) => {
                hash_key = opened.hash_key;
                last_seq = opened.last_seq;
                restore_keys(&store.ledger, &mut dedupe, clock.now())?;
                let backing = Backing { ledger: &store.ledger, opened: &opened };
                let running = Running::first(configuration, clock, &names, Some(backing));
                durable = Some(store);
                running
            }
        };
        Ok(Self {
            inner: Arc::new(Inner {
                running: ArcSwap::from_pointee(running),
                reloading: Mutex::new(()),
                closing: AtomicBool::new(false),
                last_seq: AtomicU64::new(last_seq).into(),
                epoch: AtomicU64::new(0),
                reopening: AtomicBool::new(false),
                names,
                hash_key,
                dedupe: Mutex::new(dedupe),
                quarantine: Quarantine::new(limits.quarantine_bytes),
                dead_letters: DeadLetters::new(limits.quarantine_bytes),
                tally: Tally::default(),
                clock_dropped,
                durable,
            }),
        })
    }

    /// A restart inside the process: writes what it can, opens the store again and verifies it, and deals out what is
    /// pending, by another configuration if one is given. Answers how many deliveries are pending.
    ///
    /// Consumers stay valid and hold nothing; what they ack late counts. Meanwhile bodies are answered `Busy`. It is the
    /// way out of a store that has failed.
    ///
    /// # Errors
    /// When there is no store, or it cannot be opened. Then the engine stays as it was, and refuses.
    pub fn reopen(&self, configuration: Option<Configuration>) -> Result<u64, OpenError> {
        let inner = &*self.inner;
        let durable = inner.durable.as_ref().ok_or(OpenError::NoStore)?;
        let _one_at_a_time = inner.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        durable.pending.list().set_closed(true);
        inner.commit(durable);
        let _leading = durable.pending.leading();
        let reopened = inner.reopen(durable, configuration);
        durable.pending.list().set_closed(reopened.is_ok() && inner.closing.load(Ordering::Acquire));
        reopened
    }

    /// Takes nothing new from now on: [`Engine::accept`] answers `Busy`.
    ///
    /// Without a store polls hand out the rest, then end. With one, what waits for a commit and what is to be written
    /// is written, polls end at once, and the files are let go; completions can still be read.
    pub fn close(&self) {
        let inner = &*self.inner;
        // Release, paired with the load in `accept`: who finds a queue closed finds this set.
        inner.closing.store(true, Ordering::Release);
        let _no_reload = inner.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let running = inner.running.load_full();
        let Some(durable) = &inner.durable else {
            running.all_queues().for_each(crate::queue::Queue::close);
            return;
        };
        durable.pending.list().set_closed(true);
        inner.commit(durable);
        let _leading = durable.pending.leading();
        running.all_queues().for_each(crate::queue::Queue::shut);
        // Only now nothing more is acked; what was acked since the commit would be delivered again if it were not
        // written.
        if !durable.ledger.is_latched() {
            // What cannot be written is delivered again, like what is acked while the store is latched.
            let _ = inner.write_left_over(durable, &running);
        }
        durable.ledger.close();
    }
}

impl Inner {
    /// The caller leads, and nothing can join.
    fn reopen(&self, durable: &Durable, configuration: Option<Configuration>) -> Result<u64, OpenError> {
        let running = self.running.load_full();
        let configuration = configuration.unwrap_or_else(|| running.configuration.clone());
        if durable.ledger.is_latched() {
            // By the queues and lanes of before, which is what acks of now speak of.
            let before: Vec<_> =
                running.all_named().map(|queue| (queue.name.to_string(), queue.queue.lanes())).collect();
            durable.ledger.reopen(&before, usize::from(running.configuration.default_queue()))?;
        }
        // Only now: if the store stays as it was, its queues hand out what they have.
        self.reopening.store(true, Ordering::Release);
        running.all_queues().for_each(crate::queue::Queue::shut);
        self.write_left_over(durable, &running)?;
        durable.ledger.set_options(ledger_options(&configuration));
        let (queues, default_queue) = (named(&configuration), usize::from(configuration.default_queue()));
        let opened = durable.ledger.reopen(&queues, default_queue)?;
        let seen = opened.clock_ms.max(running.clock.now());
        let clock = clock(&configuration, &durable.ledger, seen);
        let mut dedupe = Dedupe::new(dedupe_options(&configuration));
        restore_keys(&durable.ledger, &mut dedupe, clock.now())?;
        *lock(&self.dedupe) = dedupe;
        self.last_seq.fetch_max(opened.last_seq, Ordering::Relaxed);
        durable.pending.list().set_limits(configuration.limits());
        let backing = Backing { ledger: &durable.ledger, opened: &opened };
        self.running.store(Arc::new(Running::first(configuration, clock, &self.names, Some(backing))));
        // Release, paired with the load of consumers, which then look for their queues anew.
        self.epoch.fetch_add(1, Ordering::Release);
        self.reopening.store(false, Ordering::Release);
        Ok(opened.pending)
    }

    /// Writes acks that counted, and moves what died, while the store could not be written, or since the last commit.
    /// The caller leads, and the queues have been shut: what moves is published by whoever opens the store next.
    fn write_left_over(&self, durable: &Durable, running: &Running) -> Result<(), StoreError> {
        let mut unwritten = lock(&durable.unwritten);
        running.take_changes(&self.names, &mut unwritten, false);
        // What a commit that failed has moved all the same is there no more.
        let mut moves = vec![];
        for moved in std::mem::take(&mut unwritten.moves) {
            let Change::Done { queue, seq, .. } = moved.leaves else { continue };
            if durable.ledger.delivery(queue, seq)?.is_some() {
                moves.push(moved);
            }
        }
        unwritten.moves = moves;
        if unwritten.is_empty() {
            return Ok(());
        }
        let moved = self.number_moves(&unwritten.moves);
        let group = Group {
            now: running.clock.now(),
            last_seq: self.last_seq.load(Ordering::Relaxed),
            messages: unwritten.new_messages(&moved).collect(),
            quarantined: vec![],
            changes: &unwritten.all_changes(),
            forget_keys_before: [0; 2],
        };
        durable.ledger.commit(&group)?;
        drop(group);
        *unwritten = Unwritten::default();
        Ok(())
    }
}

/// The clock of an opening. A stored time that cannot be believed is forgotten.
fn clock(configuration: &Configuration, ledger: &Ledger, seen_ms: u64) -> EngineClock {
    EngineClock::opened(configuration.clock(), seen_ms).unwrap_or_else(|| {
        ledger.drop_clock();
        EngineClock::new(configuration.clock())
    })
}

fn restore_keys(ledger: &Ledger, dedupe: &mut Dedupe, now: u64) -> Result<(), StoreError> {
    ledger.for_each_key(&mut |window: Window, row| dedupe.restore(window, row, now))
}

fn named(configuration: &Configuration) -> Vec<(String, u32)> {
    configuration.queues().iter().map(|queue| (queue.name.clone(), queue.lanes)).collect()
}

pub(super) fn ledger_options(configuration: &Configuration) -> LedgerOptions {
    let default = StoreSettings::default();
    let store = configuration.store().unwrap_or(&default);
    let dedupe = dedupe_options(configuration);
    LedgerOptions {
        retention_ms: milliseconds(store.retention),
        dead_letter_retention_ms: milliseconds(store.dead_letter_retention),
        max_bytes: store.max_bytes,
        quarantine_bytes: u64::from(configuration.limits().quarantine_bytes),
        terminal_window_ms: dedupe.terminal_ms,
        webhook_window_ms: dedupe.webhook_ms,
    }
}

pub(super) fn dedupe_options(configuration: &Configuration) -> DedupeOptions {
    let dedupe = configuration.dedupe();
    let [terminal_ms, webhook_ms] = [dedupe.terminal, dedupe.webhook].map(milliseconds);
    DedupeOptions { terminal_ms, webhook_ms, keys_max: dedupe.keys_max }
}

fn no_randomness(error: &getrandom::Error) -> OpenError {
    OpenError::Store(StoreError::new(StoreErrorKind::Io, format!("the system gives no random numbers: {error}")))
}
