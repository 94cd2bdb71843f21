//! The engine: bodies in, verdicts out, messages to be polled. The only room that sees all the others.

mod accept;
mod backlog;
mod batch;
mod candidate;
mod clock;
mod completions;
mod consumer;
mod counters;
mod dead;
mod direct;
mod durable;
mod endpoints;
mod explain;
mod group;
pub mod hosts;
mod inbound;
mod judge;
mod key;
mod opening;
mod pending;
mod replay;
mod reservations;
mod running;
mod subject;

pub use accept::UnknownEndpoint;
pub use completions::Completion;
pub use consumer::{Consumer, Delivered, Queue};
pub use counters::Counters;
pub use durable::Submitted;
pub use explain::{Explained, ExplainedMessage};
pub use inbound::{Inbound, Source};
pub use opening::OpenError;
pub use replay::{Replay, ReplayError, ReplaySource};
pub use running::ReloadError;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use crossbeam_utils::CachePadded;

use crate::delivery::{DeadLetter, DeadLetters, Dedupe, Quarantine, QuarantineEntry, StoreError};
use crate::limits::UNWRITTEN_MAX;
use crate::message::Message;
use crate::nexo::View;
use crate::queue::{self, Item};
use crate::route::Configuration;

use self::counters::Tally;
use self::durable::Durable;
use self::endpoints::EndpointNames;
use self::pending::lock;
use self::running::Running;

/// What is not urgent is written when it is so old. Source: `delivery.md`, section 5.
const UNWRITTEN_AGE_MS: u64 = 1_000;

/// Takes bodies, answers what to tell their sender, and hands classified messages to consumers.
///
/// Clones are handles of the same engine; any thread may use any of them. Nothing happens by itself: time-outs of
/// consumers run with a poll, or with [`Engine::advance`].
///
/// ```
/// use nexowire_core::engine::{Engine, Inbound};
/// use nexowire_core::route::Configuration;
///
/// let engine = Engine::open(Configuration::embedded())?;
/// let body = br#"{"SaleToPOIRequest":{"EventNotification":{"EventToNotify":"Shutdown"},
///     "MessageHeader":{"POIID":"V400m-346403161"}}}"#;
/// let verdict = engine.accept(Inbound::new(body))?;
/// assert_eq!((verdict.status(), verdict.body()), (Some(200), Some("[accepted]")));
///
/// let mut consumer = engine.queue("terminals").unwrap().consumer();
/// let mut batch = Vec::new();
/// consumer.poll(64, &mut batch)?;
/// assert_eq!(batch[0].message.summary(), "Terminal V400m-346403161 is shutting down");
/// consumer.ack(&[batch[0].message.origin().seq]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// One engine, behind its handles.
struct Inner {
    running: ArcSwap<Running>,
    /// Held while a configuration is exchanged, so that two of them do not cross.
    reloading: Mutex<()>,
    closing: AtomicBool,
    /// The last number given to a message or to an entry of the quarantine.
    last_seq: CachePadded<AtomicU64>,
    /// How often the store has been opened again: consumers then look for their queues anew.
    epoch: AtomicU64,
    /// Whether queues have been shut to be opened again: that is not their end.
    reopening: AtomicBool,
    names: Arc<EndpointNames>,
    /// What keys are hashed with.
    hash_key: [u8; 16],
    /// The keys that are live.
    dedupe: Mutex<Dedupe>,
    /// Without a store: what was kept from the queues, and what could not be delivered.
    quarantine: Quarantine,
    dead_letters: DeadLetters,
    tally: Tally,
    /// The stored time that the opening did not believe.
    clock_dropped: Option<u64>,
    /// With a store: the list of what waits for a commit, and what is to be written.
    durable: Option<Durable>,
}

impl Item for Message {
    fn seq(&self) -> u64 {
        self.origin().seq
    }
}

impl Engine {
    /// Exchanges rules, endpoints, texts, `when_full` and times, and adds or removes queues, while messages flow: none
    /// is lost, and none is routed by both tables. A removed queue takes nothing new and is drained by its consumers.
    ///
    /// Answers the generation: 1 after opening, one more with each success.
    ///
    /// # Errors
    /// When the new configuration asks for what only a new engine can have. Then nothing has changed.
    pub fn reload(&self, configuration: Configuration) -> Result<u64, ReloadError> {
        let _one_at_a_time = self.inner.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let running = self.inner.running.load_full();
        if let Some(durable) = &self.inner.durable {
            self.inner.commit(durable);
        }
        let ledger = self.inner.durable.as_ref().map(|durable| &durable.ledger);
        let next =
            running.next(configuration, &self.inner.names, ledger, self.inner.last_seq.load(Ordering::Relaxed))?;
        let (generation, removed) = (next.generation, next.removed_since(&running));
        // Acquire, paired with the store in `close`, which closes what is in force after this.
        if self.inner.closing.load(Ordering::Acquire) {
            // Nobody else would close what is new, and its consumers would wait for ever.
            next.all_queues().for_each(queue::Queue::close);
        }
        if let Some(ledger) = ledger {
            ledger.set_options(opening::ledger_options(&next.configuration));
        }
        lock(&self.inner.dedupe).set_options(opening::dedupe_options(&next.configuration));
        self.inner.running.store(Arc::new(next));
        // Only now: an accept that finds a queue closed looks at the table again, and must find the new one.
        removed.iter().for_each(queue::Queue::close);
        Ok(generation)
    }

    /// 1 after opening, one more with each reload that succeeded.
    pub fn generation(&self) -> u64 {
        self.inner.running.load().generation
    }

    /// The queue of this name, also while one that a reload has removed is still being drained.
    pub fn queue(&self, name: &str) -> Option<Queue> {
        let queue = self.inner.running.load().queue(name)?;
        Some(Queue::new(Arc::clone(&self.inner), queue))
    }

    /// The names of the queues that take messages now, in the order of the configuration.
    pub fn queue_names(&self) -> Vec<String> {
        self.inner.running.load().queues.iter().map(|queue| queue.name.to_string()).collect()
    }

    /// The name of an endpoint, by the index in a message's origin.
    pub fn endpoint_name(&self, endpoint: u16) -> Option<Arc<str>> {
        self.inner.names.name(endpoint)
    }

    /// One sentence that a cashier understands, in the texts of the configuration.
    pub fn summary(&self, view: View<'_>) -> String {
        view.summary(&self.inner.running.load().texts)
    }

    /// What is in the quarantine, the oldest first, at most `max` entries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn quarantine(&self, max: usize) -> Result<Vec<QuarantineEntry>, StoreError> {
        self.commit();
        self.inner.quarantine_entries(max)
    }

    /// What could not be delivered and was not moved to a queue, the oldest first, at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn dead_letters(&self, max: usize) -> Result<Vec<DeadLetter>, StoreError> {
        self.commit();
        self.inner.dead_letter_entries(max)
    }

    /// The engine's time, in whole milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.inner.now()
    }

    /// The time that the store had seen last, if the opening did not believe it: it is more than a day ahead of the wall
    /// clock, which somebody has set. A warning for people; windows and retention run by the wall clock.
    pub fn dropped_clock(&self) -> Option<u64> {
        self.inner.clock_dropped
    }

    /// Sets a manual clock and fires nothing. A time before the last one seen counts as that; a clock of the system's
    /// is not changed.
    pub fn set_time(&self, now: u64) {
        self.inner.running.load().clock.set(now);
    }

    /// Fires what is due by `now`, and answers when to call it again; `None` if nothing is pending. `None` as `now` is
    /// the system's time.
    ///
    /// With a store it commits what that wrote, and what has waited a second to be written: it may block for one sync,
    /// like [`commit`](Self::commit), and belongs on the same thread.
    pub fn advance(&self, now: Option<u64>) -> Option<u64> {
        if let Some(now) = now {
            self.set_time(now);
        }
        let running = self.inner.running.load_full();
        let now = running.clock.now();
        let taken_away = || running.all_queues().map(queue::Queue::taken_away).sum::<u64>();
        let before = taken_away();
        running.all_queues().for_each(|queue| {
            queue.advance(now);
        });
        lock(&self.inner.dedupe).advance(now);
        running.all_named().for_each(|queue| self.inner.bury(queue));
        if let Some(durable) = &self.inner.durable {
            // Of what fires, only an `ack_wait` writes something.
            self.inner.write_due(durable, taken_away() > before, now);
        }
        self.next_deadline()
    }

    /// When something is due next: delays, `ack_wait`, and what is to be written; `None` if nothing is pending.
    pub fn next_deadline(&self) -> Option<u64> {
        let running = self.inner.running.load();
        let due = running.all_queues().filter_map(queue::Queue::next_deadline);
        let written = running.all_queues().filter_map(queue::Queue::oldest_unwritten);
        due.chain(written.map(|since| since.saturating_add(UNWRITTEN_AGE_MS))).min()
    }
}

impl Inner {
    #[inline]
    fn now(&self) -> u64 {
        self.running.load().clock.now()
    }

    /// Writes what is not urgent if it has waited long enough, or there is enough of it, or something has just fired;
    /// and lets retention go on.
    fn write_due(&self, durable: &Durable, fired: bool, now: u64) {
        let running = self.running.load();
        let (mut count, mut oldest) = (0, None);
        for queue in running.all_queues() {
            count += queue.unwritten();
            oldest = [oldest, queue.oldest_unwritten()].into_iter().flatten().min();
        }
        let old = oldest.is_some_and(|since| since.saturating_add(UNWRITTEN_AGE_MS) <= now);
        drop(running);
        if (fired && count > 0) || old || count >= UNWRITTEN_MAX || durable.ledger.is_due(now) {
            self.commit_even_nothing(durable);
        }
    }

    fn quarantine_entries(&self, max: usize) -> Result<Vec<QuarantineEntry>, StoreError> {
        match &self.durable {
            None => Ok(self.quarantine.entries(max)),
            Some(durable) => Ok(durable.ledger.quarantine(0, max)?.into_iter().map(QuarantineEntry::from).collect()),
        }
    }

    fn dead_letter_entries(&self, max: usize) -> Result<Vec<DeadLetter>, StoreError> {
        match &self.durable {
            None => Ok(self.dead_letters.entries(max)),
            Some(durable) => Ok(durable.ledger.dead_letters(None, max)?.into_iter().map(DeadLetter::from).collect()),
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("generation", &self.generation()).field("queues", &self.queue_names()).finish()
    }
}
