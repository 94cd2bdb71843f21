//! A configuration in force: its table, and the queues that its rules speak of.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::backlog::QueueBacklog;
use super::clock::EngineClock;
use super::endpoints::EndpointNames;
use crate::delivery::{Ledger, Opened, StoreError};
use crate::limits::Limits;
use crate::message::Message;
use crate::nexo::Texts;
use crate::os::milliseconds;
use crate::queue::{self, QueueOptions};
use crate::route::{self, Configuration, Endpoint, ReloadConflict, Table};
use crate::shape::Shapes;

/// What one generation of the configuration is made of. It is exchanged as a whole.
pub(super) struct Running {
    pub(super) generation: u64,
    pub(super) configuration: Configuration,
    pub(super) table: Table,
    pub(super) texts: Texts,
    /// By the index that the table gives.
    pub(super) queues: Vec<NamedQueue>,
    /// Queues that a reload has removed and that have perhaps not been drained yet.
    leaving: Vec<NamedQueue>,
    /// For each endpoint of the configuration the index of its name.
    name_indexes: Vec<u16>,
    pub(super) clock: Arc<EngineClock>,
    /// Layouts learned from what arrives, for configurations that want it.
    pub(super) shapes: Arc<Shapes>,
}

#[derive(Clone)]
pub(super) struct NamedQueue {
    pub(super) name: Arc<str>,
    /// Its id in the store; without one a number that no other queue of the process has.
    pub(super) id: u32,
    pub(super) queue: queue::Queue<Message>,
}

/// What stands behind the queues of an engine with a store.
#[derive(Clone, Copy)]
pub(super) struct Backing<'a> {
    pub(super) ledger: &'a Arc<Ledger>,
    pub(super) opened: &'a Opened,
}

impl Running {
    /// The configuration of an engine that opens.
    pub(super) fn first(
        configuration: Configuration,
        clock: EngineClock,
        names: &Arc<EndpointNames>,
        backing: Option<Backing<'_>>,
    ) -> Self {
        let queues = configuration.queues().iter().enumerate().map(|(index, queue)| match backing {
            None => new_queue(queue, &configuration, None),
            Some(Backing { ledger, opened }) => {
                let found = &opened.queues[index];
                let named = new_queue(queue, &configuration, Some((ledger, names, found.id, opened.last_seq)));
                named.queue.restore(found.lanes.iter().map(|lane| (lane.lane, lane.count, lane.last_seq)));
                if let Some(due) = found.next_due {
                    named.queue.expect_due(due);
                    named.queue.warm(clock.now());
                }
                named
            }
        });
        let queues = queues.collect();
        let shapes = Arc::new(Shapes::new(*configuration.limits()));
        let mut running = Self::new(1, configuration, queues, vec![], Arc::new(clock), shapes);
        running.name_indexes = indexes(&running.configuration, names);
        running
    }

    /// The configuration after this one. Nothing has changed before the answer is put in force.
    pub(super) fn next(
        &self,
        configuration: Configuration,
        names: &Arc<EndpointNames>,
        ledger: Option<&Arc<Ledger>>,
        last_seq: u64,
    ) -> Result<Self, ReloadError> {
        if let Some(conflict) = self.configuration.reload_conflict(&configuration) {
            return Err(ReloadError::NeedsReopen(conflict));
        }
        let mut leaving: Vec<_> = self.leaving.iter().filter(|queue| !queue.queue.has_ended()).cloned().collect();
        for queue in configuration.queues() {
            if leaving.iter().any(|leaving| *leaving.name == *queue.name) {
                return Err(ReloadError::NotDrained(queue.name.clone()));
            }
        }
        let mut queues = vec![];
        for new in configuration.queues() {
            let old = self.queues.iter().find(|old| *old.name == *new.name);
            queues.push(match (old, ledger) {
                (Some(old), _) => old.clone(),
                (None, None) => new_queue(new, &configuration, None),
                (None, Some(ledger)) => {
                    let id = ledger.queue_id(&new.name, new.lanes).map_err(ReloadError::Store)?;
                    new_queue(new, &configuration, Some((ledger, names, id, last_seq)))
                }
            });
        }
        leaving.extend(self.queues.iter().filter(|old| configuration.queue(&old.name).is_none()).cloned());
        for (queue, new) in queues.iter().zip(configuration.queues()) {
            queue.queue.set_when_full(when_full(new.when_full));
        }
        for queue in queues.iter().chain(&leaving) {
            queue.queue.set_ack_wait(ack_wait_ms(&configuration));
            let [first, most] = [configuration.retry(), configuration.retry_max()].map(milliseconds);
            queue.queue.set_retry(configuration.max_attempts(), first, most);
        }
        let (clock, shapes) = (Arc::clone(&self.clock), Arc::clone(&self.shapes));
        let mut next = Self::new(self.generation + 1, configuration, queues, leaving, clock, shapes);
        next.name_indexes = indexes(&next.configuration, names);
        Ok(next)
    }

    fn new(
        generation: u64,
        configuration: Configuration,
        queues: Vec<NamedQueue>,
        leaving: Vec<NamedQueue>,
        clock: Arc<EngineClock>,
        shapes: Arc<Shapes>,
    ) -> Self {
        Self {
            generation,
            table: Table::compile(&configuration),
            texts: Texts::new(configuration.summary().clone()),
            queues,
            leaving,
            name_indexes: vec![],
            clock,
            shapes,
            configuration,
        }
    }

    /// Whether keys are looked up at all.
    #[inline]
    pub(super) fn drops_duplicates(&self) -> bool {
        let dedupe = self.configuration.dedupe();
        !(dedupe.terminal.is_zero() && dedupe.webhook.is_zero())
    }

    /// The queues in force and those that are leaving, with their names.
    pub(super) fn all_named(&self) -> impl Iterator<Item = &NamedQueue> {
        self.queues.iter().chain(&self.leaving)
    }

    /// The endpoint of this name, with its place in the configuration.
    pub(super) fn endpoint(&self, name: Option<&str>) -> Option<(u16, &Endpoint)> {
        let index = match name {
            None => 0,
            Some(name) => self.configuration.endpoint(name)?,
        };
        self.configuration.endpoints().get(usize::from(index)).map(|endpoint| (index, endpoint))
    }

    /// The index that messages carry for an endpoint of the configuration.
    #[inline]
    pub(super) fn name_index(&self, endpoint: u16) -> u16 {
        self.name_indexes.get(usize::from(endpoint)).copied().unwrap_or(0)
    }

    /// The queue of this name, in force or leaving.
    pub(super) fn queue(&self, name: &str) -> Option<NamedQueue> {
        let mut leaving = self.leaving.iter().filter(|queue| !queue.queue.has_ended());
        let queue = self.queues.iter().find(|queue| *queue.name == *name);
        queue.or_else(|| leaving.find(|queue| *queue.name == *name)).cloned()
    }

    pub(super) fn all_queues(&self) -> impl Iterator<Item = &queue::Queue<Message>> {
        self.queues.iter().chain(&self.leaving).map(|queue| &queue.queue)
    }

    /// The queues that have left since `before`.
    pub(super) fn removed_since(&self, before: &Self) -> Vec<queue::Queue<Message>> {
        let gone = before.queues.iter().filter(|old| self.configuration.queue(&old.name).is_none());
        gone.map(|queue| queue.queue.clone()).collect()
    }

    pub(super) fn counters(&self) -> Vec<(String, queue::Counters)> {
        let leaving = self.leaving.iter().filter(|queue| !queue.queue.has_ended());
        self.queues.iter().chain(leaving).map(|queue| (queue.name.to_string(), queue.queue.counters())).collect()
    }
}

fn indexes(configuration: &Configuration, names: &EndpointNames) -> Vec<u16> {
    configuration.endpoints().iter().map(|endpoint| names.index(&endpoint.name)).collect()
}

fn new_queue(
    queue: &route::Queue,
    configuration: &Configuration,
    backing: Option<(&Arc<Ledger>, &Arc<EndpointNames>, u32, u64)>,
) -> NamedQueue {
    let options = QueueOptions {
        lanes: queue.lanes,
        capacity: queue.capacity,
        when_full: when_full(queue.when_full),
        ack_wait_ms: ack_wait_ms(configuration),
        batch_max: configuration.limits().batch.min(Limits::MAX.batch),
        max_attempts: configuration.max_attempts(),
        retry_ms: milliseconds(configuration.retry()),
        retry_max_ms: milliseconds(configuration.retry_max()),
        ..QueueOptions::default()
    };
    let name = queue.name.as_str().into();
    match backing {
        None => NamedQueue { name, id: unstored_id(), queue: queue::Queue::new(options) },
        Some((ledger, names, id, opened_seq)) => {
            let (ledger, names) = (Arc::clone(ledger), Arc::clone(names));
            let backlog = QueueBacklog { ledger, names, queue: id, opened_seq };
            NamedQueue { name, id, queue: queue::Queue::with_backlog(options, Arc::new(backlog)) }
        }
    }
}

/// Tells queues apart that no store has given an id.
fn unstored_id() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

fn when_full(when_full: route::WhenFull) -> queue::WhenFull {
    match when_full {
        route::WhenFull::Refuse => queue::WhenFull::Refuse,
        route::WhenFull::Spill => queue::WhenFull::Spill,
        route::WhenFull::DropOldest => queue::WhenFull::DropOldest,
    }
}

fn ack_wait_ms(configuration: &Configuration) -> u64 {
    configuration.ack_wait().map_or(0, milliseconds)
}

/// Why a configuration was not put in force. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReloadError {
    /// It changes what only a new engine can have.
    NeedsReopen(ReloadConflict),
    /// It brings back a queue of which messages from before its removal are still to be drained.
    NotDrained(String),
    /// The store cannot be read.
    Store(StoreError),
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsReopen(conflict) => conflict.fmt(f),
            Self::NotDrained(name) => write!(f, "queue `{name}` was removed and is not drained yet"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReloadError {}
