//! Messages again, because somebody asks. Source: `delivery.md`, 3.8.

use std::fmt;
use std::sync::Arc;

use super::accept::Entry;
use super::backlog::restore;
use super::candidate::{Candidate, Part, Replayed, Target};
use super::durable::{Durable, Entered};
use super::inbound::Inbound;
use super::judge::{Judgement, generally, judge};
use super::pending::How;
use super::running::Running;
use super::subject::order_hash;
use super::{Engine, Inner};
use crate::classify::Classified;
use crate::delivery::{Bounds, BusyReason, Change, DeadLetter, QuarantineEntry, StoreError, StoredMessage, Verdict};
use crate::message::{Message, Origin};
use crate::nexo::Flags;

/// What is replayed; bounds are inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay<'a> {
    /// From where.
    pub source: ReplaySource,
    /// Only what belongs to this queue; left out: what belongs to any.
    pub queue: Option<&'a str>,
    /// The first number.
    pub from_seq: u64,
    /// The last number.
    pub to_seq: u64,
    /// The first time of arrival, in whole milliseconds since 1970.
    pub from: u64,
    /// The last time of arrival.
    pub to: u64,
    /// Whether the rules that are in force now say where it goes, rather than those of its arrival.
    pub reroute: bool,
}

/// Where replayed messages come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplaySource {
    /// What has been accepted, as long as the store keeps it.
    #[default]
    Log,
    /// What was kept from the queues: it takes the whole way in.
    Quarantine,
    /// What could not be delivered.
    DeadLetters,
}

impl Default for Replay<'_> {
    /// All of the log.
    fn default() -> Self {
        Self {
            source: ReplaySource::Log,
            queue: None,
            from_seq: 0,
            to_seq: u64::MAX,
            from: 0,
            to: u64::MAX,
            reroute: false,
        }
    }
}

/// Why nothing was replayed, or not all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayError {
    /// There is no queue of this name.
    UnknownQueue(String),
    /// There is no log without a store.
    NoStore,
    /// The store cannot be read.
    Store(StoreError),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownQueue(name) => write!(f, "there is no queue `{name}`"),
            Self::NoStore => f.write_str("without a store there is no log to replay"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReplayError {}

impl From<StoreError> for ReplayError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// How many bodies are on their way at once.
const PAGE: usize = 256;

impl Engine {
    /// Delivers messages again, as new ones that say which they repeat, and answers how many were accepted.
    ///
    /// From the log, what is still pending in a queue is skipped there, and so are replays themselves. What comes from
    /// the quarantine or the dead letters leaves these when it was accepted, or proves a duplicate. A queue that
    /// refuses ends the replay: the rest would come out of order.
    ///
    /// # Errors
    /// When there is no such queue, no store where one is needed, or the store cannot be read.
    pub fn replay(&self, replay: &Replay<'_>) -> Result<u64, ReplayError> {
        self.commit();
        let running = self.inner.running.load_full();
        if let Some(name) = replay.queue
            && running.queue(name).is_none()
        {
            return Err(ReplayError::UnknownQueue(name.to_owned()));
        }
        match replay.source {
            ReplaySource::Log => self.inner.replay_log(&running, replay),
            ReplaySource::Quarantine => {
                let entries = self.inner.quarantine_entries(usize::MAX)?;
                let wanted = entries.into_iter().filter(|entry| replay.wants(entry.seq, entry.received_at));
                let candidates = wanted.filter_map(|entry| self.inner.kept(&running, entry)).collect();
                Ok(self.inner.deliver(candidates))
            }
            ReplaySource::DeadLetters => {
                let letters = self.inner.dead_letter_entries(usize::MAX)?;
                let wanted = letters.into_iter().filter(|letter| {
                    replay.wants(letter.seq, letter.received_at)
                        && replay.queue.is_none_or(|queue| queue == letter.queue)
                });
                let candidates =
                    wanted.filter_map(|letter| self.inner.buried(&running, letter, replay.reroute)).collect();
                Ok(self.inner.deliver(candidates))
            }
        }
    }
}

impl Replay<'_> {
    fn wants(&self, seq: u64, received_at: u64) -> bool {
        (self.from_seq..=self.to_seq).contains(&seq) && (self.from..=self.to).contains(&received_at)
    }
}

impl Inner {
    fn replay_log(&self, running: &Running, replay: &Replay<'_>) -> Result<u64, ReplayError> {
        let durable = self.durable.as_ref().ok_or(ReplayError::NoStore)?;
        if self.has_unwritten(durable) {
            // What the commit before this has published may have dropped others: the log is to say that these are not
            // pending any more.
            self.commit_even_nothing(durable);
        }
        let last = self.last_seq.load(std::sync::atomic::Ordering::Relaxed);
        let bounds = Bounds {
            from_seq: replay.from_seq,
            to_seq: replay.to_seq.min(last),
            from_ms: replay.from,
            to_ms: replay.to,
        };
        let (mut after, mut replayed) = (0, 0);
        loop {
            let page = durable.ledger.log(&bounds, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(replayed) };
            after = last.message.seq;
            let candidates: Vec<_> =
                page.into_iter().filter_map(|logged| self.logged(running, logged, replay)).collect();
            let count = candidates.len() as u64;
            let accepted = self.deliver(candidates);
            replayed += accepted;
            if accepted < count {
                return Ok(replayed);
            }
        }
    }

    fn logged(
        &self,
        running: &Running,
        logged: crate::delivery::LoggedMessage,
        replay: &Replay<'_>,
    ) -> Option<Candidate> {
        let queues = logged.queues.into_iter().filter_map(|(id, pending)| {
            // One that a reload has removed takes nothing new.
            let queue = running.queues.iter().find(|queue| queue.id == id)?;
            let wanted = !pending && replay.queue.is_none_or(|name| *queue.name == *name);
            wanted.then_some(queue)
        });
        let queues: Vec<_> = queues.collect();
        if queues.is_empty() {
            return None;
        }
        let message = restore(logged.message, Flags::NONE, &self.names);
        Some(self.again(running, &message, (!replay.reroute).then_some(&queues), None))
    }

    fn buried(&self, running: &Running, letter: DeadLetter, reroute: bool) -> Option<Candidate> {
        let queues: Vec<_> = running.queues.iter().filter(|queue| *queue.name == *letter.queue).collect();
        if queues.is_empty() && !reroute {
            return None;
        }
        let leaves = Change::DeadLeft { queue: letter.queue_id, seq: letter.seq };
        let stored = StoredMessage {
            seq: letter.seq,
            item: letter.item,
            received_at: letter.received_at,
            endpoint: letter.endpoint,
            tag: letter.tag,
            flags: letter.flags,
            origin_seq: None,
            dead: None,
            body: letter.body,
        };
        let message = restore(stored, Flags::NONE, &self.names);
        Some(self.again(running, &message, (!reroute).then_some(&queues), Some(leaves)))
    }

    /// A message once more, for these queues, or for those that the rules name now. It has no key: it goes past dedupe.
    fn again(
        &self,
        running: &Running,
        message: &Message,
        queues: Option<&Vec<&super::running::NamedQueue>>,
        leaves: Option<Change>,
    ) -> Candidate {
        let origin = message.origin();
        let (view, mut fields) = (message.view(), *message.fields());
        fields.flags.remove(Flags::SPILLED);
        fields.flags.remove(Flags::QUEUE_GONE);
        let order_hash = order_hash(view);
        let name = self.names.name(origin.endpoint).unwrap_or_else(|| Arc::from(""));
        let targets = match queues {
            Some(queues) => queues.iter().map(|queue| Target::new(queue, order_hash)).collect(),
            None => {
                let endpoint = running.configuration.endpoint(&name).unwrap_or(u16::MAX);
                Target::routed(running, endpoint, view, order_hash)
            }
        };
        Candidate {
            body: message.shared(),
            origin: Origin { seq: 0, item: None, ..origin },
            endpoint: name,
            now: self.now(),
            parts: vec![Part { fields, item: origin.item, key: None, follows: false, order_hash, targets }],
            bad: vec![],
            replays: Some(Replayed { origin_seq: origin.seq, leaves }),
        }
    }

    /// An entry of the quarantine on the whole way in; `None` if it would only come back.
    fn kept(&self, running: &Running, entry: QuarantineEntry) -> Option<Candidate> {
        let (index, endpoint) = running.endpoint(Some(&entry.endpoint))?;
        let mut inbound = Inbound {
            received_at: Some(entry.received_at),
            endpoint: Some(&entry.endpoint),
            tag: entry.tag,
            ..Inbound::shared(entry.body.clone())
        };
        let limits = running.configuration.limits();
        let mut classified = Classified::default();
        let judgement = judge(&inbound, endpoint, limits, &mut classified, generally(limits));
        if matches!(judgement, Judgement::Answer(_) | Judgement::Quarantine(_)) {
            return None;
        }
        let way = Entry {
            inner: self,
            running,
            endpoint,
            endpoint_index: index,
            inbound: &mut inbound,
            now: running.clock.now(),
        };
        let mut candidate = way.candidate(judgement);
        if entry.item.is_some() {
            candidate.parts.retain(|part| part.item == entry.item);
        }
        candidate.bad.clear();
        candidate.replays =
            Some(Replayed { origin_seq: entry.seq, leaves: Some(Change::QuarantineLeft { seq: entry.seq }) });
        (!candidate.parts.is_empty()).then_some(candidate)
    }

    /// Delivers candidates in order, until one finds no room; answers how many were accepted.
    fn deliver(&self, candidates: Vec<Candidate>) -> u64 {
        let mut accepted = 0;
        let mut candidates = candidates.into_iter();
        loop {
            let page: Vec<_> = candidates.by_ref().take(PAGE).collect();
            if page.is_empty() {
                return accepted;
            }
            let verdicts = match &self.durable {
                Some(durable) => self.deliver_page(durable, page),
                None => page.into_iter().map(|candidate| self.admit(candidate)).collect(),
            };
            accepted += verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Accepted { .. })).count() as u64;
            if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Busy { .. })) {
                return accepted;
            }
        }
    }

    fn deliver_page(&self, durable: &Durable, page: Vec<Candidate>) -> Vec<Verdict> {
        let full = Verdict::Busy { reason: BusyReason::Full };
        let (mut entered, mut verdicts) = (vec![], vec![]);
        for candidate in page {
            // Bound by what may wait at once, not ended by it.
            if !durable.pending.list().has_room(candidate.count(), candidate.body.len()) {
                verdicts.extend(entered.drain(..).map(|entered| self.wait(entered)));
            }
            let joined = self.join(durable, candidate, How::Block).unwrap_or(Entered::Verdict(full));
            let refused = matches!(joined, Entered::Verdict(Verdict::Busy { .. }));
            entered.push(joined);
            if refused {
                break;
            }
        }
        verdicts.extend(entered.into_iter().map(|entered| self.wait(entered)));
        verdicts
    }
}
