//! The engine: bodies in, verdicts out, messages to be polled. The only room that sees all the others.

mod accept;
mod clock;
mod consumer;
mod counters;
mod explain;
mod inbound;
mod judge;
// For the merger: it is used as soon as the engine drops duplicates.
#[allow(dead_code)]
mod key;
mod reservations;
mod running;
mod subject;

pub use accept::UnknownEndpoint;
pub use consumer::{Consumer, Delivered, Queue};
pub use counters::Counters;
pub use explain::{Explained, ExplainedMessage};
pub use inbound::{Inbound, Source};
pub use running::ReloadError;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::delivery::{Quarantine, QuarantineEntry};
use crate::limits::Limits;
use crate::message::Message;
use crate::nexo::View;
use crate::queue::{self, Item};
use crate::route::Configuration;
use crate::shape::Shapes;

use self::clock::EngineClock;
use self::counters::Tally;
use self::running::Running;

/// Takes bodies, answers what to tell their sender, and hands classified messages to consumers.
///
/// Clones are handles of the same engine; any thread may use any of them. Nothing happens by itself: time-outs of
/// consumers run with a poll, or with [`Engine::advance`].
///
/// ```
/// use nexowire_core::engine::{Engine, Inbound};
/// use nexowire_core::route::Configuration;
///
/// let engine = Engine::open(Configuration::embedded());
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
    clock: EngineClock,
    limits: Limits,
    running: ArcSwap<Running>,
    /// Held while a configuration is exchanged, so that two of them do not cross.
    reloading: Mutex<()>,
    closing: AtomicBool,
    /// The last number given to a message or to an entry of the quarantine.
    last_seq: AtomicU64,
    quarantine: Quarantine,
    tally: Tally,
    /// Layouts learned from what arrives, for configurations that want it.
    shapes: Shapes,
}

impl Item for Message {
    fn seq(&self) -> u64 {
        self.origin().seq
    }
}

impl Engine {
    /// An engine without a store. Its limits and its clock stay as they are for its life.
    pub fn open(configuration: Configuration) -> Self {
        let limits = *configuration.limits();
        Self {
            inner: Arc::new(Inner {
                clock: EngineClock::new(configuration.clock()),
                limits,
                running: ArcSwap::from_pointee(Running::first(configuration)),
                reloading: Mutex::new(()),
                closing: AtomicBool::new(false),
                last_seq: AtomicU64::new(0),
                quarantine: Quarantine::new(limits.quarantine_bytes),
                tally: Tally::default(),
                shapes: Shapes::new(limits),
            }),
        }
    }

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
        let next = running.next(configuration)?;
        let (generation, removed) = (next.generation, next.removed_since(&running));
        // Acquire, paired with the store in `close`, which closes what is in force after this.
        if self.inner.closing.load(Ordering::Acquire) {
            // Nobody else would close what is new, and its consumers would wait for ever.
            next.all_queues().for_each(queue::Queue::close);
        }
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
        self.inner.running.load().endpoint_names.get(usize::from(endpoint)).cloned()
    }

    /// One sentence that a cashier understands, in the texts of the configuration.
    pub fn summary(&self, view: View<'_>) -> String {
        view.summary(&self.inner.running.load().texts)
    }

    /// What is in the quarantine, the oldest first, at most `max` entries.
    pub fn quarantine(&self, max: usize) -> Vec<QuarantineEntry> {
        self.inner.quarantine.entries(max)
    }

    /// The engine's time, in whole milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.inner.clock.now()
    }

    /// Sets a manual clock and fires nothing. A time before the last one seen counts as that; a clock of the system's
    /// is not changed.
    pub fn set_time(&self, now: u64) {
        self.inner.clock.set(now);
    }

    /// Fires what is due by `now`, and answers when to call it again; `None` if nothing is pending. `None` as `now` is
    /// the system's time.
    pub fn advance(&self, now: Option<u64>) -> Option<u64> {
        if let Some(now) = now {
            self.inner.clock.set(now);
        }
        let now = self.inner.clock.now();
        let running = self.inner.running.load();
        for queue in running.all_queues() {
            queue.advance(now);
        }
        running.all_queues().filter_map(queue::Queue::next_deadline).min()
    }

    /// When something is due next; `None` if nothing is pending.
    pub fn next_deadline(&self) -> Option<u64> {
        self.inner.running.load().all_queues().filter_map(queue::Queue::next_deadline).min()
    }

    /// Takes nothing new from now on: [`Engine::accept`] answers `Busy`, polls hand out the rest, then end.
    pub fn close(&self) {
        // Release, paired with the load in `accept`: who finds a queue closed finds this set.
        self.inner.closing.store(true, Ordering::Release);
        let _no_reload = self.inner.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        self.inner.running.load().all_queues().for_each(queue::Queue::close);
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("generation", &self.generation()).field("queues", &self.queue_names()).finish()
    }
}
