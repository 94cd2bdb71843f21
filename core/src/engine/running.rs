//! A configuration in force: its table, and the queues that its rules speak of.

use std::fmt;
use std::sync::Arc;

use crate::limits::Limits;
use crate::message::Message;
use crate::nexo::Texts;
use crate::queue::{self, QueueOptions};
use crate::route::{self, Configuration, Endpoint, ReloadConflict, Table};

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
    /// Every name that an endpoint has had, by the index that messages carry: it outlives a reload.
    pub(super) endpoint_names: Vec<Arc<str>>,
    /// For each endpoint of the configuration the index of its name.
    name_indexes: Vec<u16>,
}

#[derive(Clone)]
pub(super) struct NamedQueue {
    pub(super) name: Arc<str>,
    pub(super) queue: queue::Queue<Message>,
}

impl Running {
    /// The configuration of a new engine.
    pub(super) fn first(configuration: Configuration) -> Self {
        let queues = configuration.queues().iter().map(|queue| new_queue(queue, &configuration)).collect();
        Self::new(1, configuration, queues, vec![], vec![])
    }

    /// The configuration after this one. Nothing has changed before the answer is put in force.
    pub(super) fn next(&self, configuration: Configuration) -> Result<Self, ReloadError> {
        if let Some(conflict) = self.configuration.reload_conflict(&configuration) {
            return Err(ReloadError::NeedsReopen(conflict));
        }
        let mut leaving: Vec<_> = self.leaving.iter().filter(|queue| !queue.queue.has_ended()).cloned().collect();
        for queue in configuration.queues() {
            if leaving.iter().any(|leaving| *leaving.name == *queue.name) {
                return Err(ReloadError::NotDrained(queue.name.clone()));
            }
        }
        let queues =
            configuration.queues().iter().map(|new| match self.queues.iter().find(|old| *old.name == *new.name) {
                Some(old) => old.clone(),
                None => new_queue(new, &configuration),
            });
        let queues: Vec<_> = queues.collect();
        leaving.extend(self.queues.iter().filter(|old| configuration.queue(&old.name).is_none()).cloned());
        for (queue, new) in queues.iter().zip(configuration.queues()) {
            queue.queue.set_when_full(when_full(new.when_full));
        }
        for queue in queues.iter().chain(&leaving) {
            queue.queue.set_ack_wait(ack_wait_ms(&configuration));
        }
        Ok(Self::new(self.generation + 1, configuration, queues, leaving, self.endpoint_names.clone()))
    }

    fn new(
        generation: u64,
        configuration: Configuration,
        queues: Vec<NamedQueue>,
        leaving: Vec<NamedQueue>,
        mut endpoint_names: Vec<Arc<str>>,
    ) -> Self {
        let mut name_indexes = vec![];
        for endpoint in configuration.endpoints() {
            let known = endpoint_names.iter().position(|name| **name == *endpoint.name);
            name_indexes.push(known.unwrap_or(endpoint_names.len()) as u16);
            if known.is_none() {
                endpoint_names.push(endpoint.name.as_str().into());
            }
        }
        Self {
            generation,
            table: Table::compile(&configuration),
            texts: Texts::new(configuration.summary().clone()),
            queues,
            leaving,
            endpoint_names,
            name_indexes,
            configuration,
        }
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

fn new_queue(queue: &route::Queue, configuration: &Configuration) -> NamedQueue {
    NamedQueue {
        name: queue.name.as_str().into(),
        queue: queue::Queue::new(QueueOptions {
            lanes: queue.lanes,
            capacity: queue.capacity,
            when_full: when_full(queue.when_full),
            ack_wait_ms: ack_wait_ms(configuration),
            batch_max: configuration.limits().batch.min(Limits::MAX.batch),
            ack_on_poll: true,
            ..QueueOptions::default()
        }),
    }
}

fn when_full(when_full: route::WhenFull) -> queue::WhenFull {
    match when_full {
        route::WhenFull::Refuse => queue::WhenFull::Refuse,
        route::WhenFull::DropOldest => queue::WhenFull::DropOldest,
    }
}

fn ack_wait_ms(configuration: &Configuration) -> u64 {
    configuration.ack_wait().map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

/// Why a configuration was not put in force. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReloadError {
    /// It changes what only a new engine can have.
    NeedsReopen(ReloadConflict),
    /// It brings back a queue of which messages from before its removal are still to be drained.
    NotDrained(String),
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsReopen(conflict) => conflict.fmt(f),
            Self::NotDrained(name) => write!(f, "queue `{name}` was removed and is not drained yet"),
        }
    }
}

impl std::error::Error for ReloadError {}
