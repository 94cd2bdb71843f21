//! The way in with a store: join the list, wait for the commit, or come back for the verdict.
//! Source: `delivery.md`, 1.3 to 1.9.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::candidate::{Candidate, NoRoom};
use super::completions::{Completion, Completions, Sized};
use super::group::Moved;
use super::pending::{Heard, How, LATE, Pending, Ticket, lock};
use super::{Engine, Inner};
use crate::delivery::{BusyReason, Change, Ledger, NewMessage, Verdict};
use crate::limits::Limits;
use crate::message::Message;
use crate::os;

/// What an engine with a store has beside the rest.
pub(super) struct Durable {
    pub(super) ledger: Arc<Ledger>,
    pub(super) pending: Pending,
    pub(super) completions: Completions,
    /// What is to be written by the next commit, whoever makes it.
    pub(super) unwritten: Mutex<Unwritten>,
}

/// What is not urgent. Source: `delivery.md`, section 5.
#[derive(Default)]
pub(super) struct Unwritten {
    pub(super) changes: Vec<Change>,
    /// Dead letters on their way to a queue.
    pub(super) moves: Vec<Moved>,
}

/// How far a body has come when the call that brought it returns.
pub(super) enum Entered {
    Verdict(Verdict),
    Waits(Ticket),
}

/// What a host knows of a body that it has submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// The verdict is there already; no completion follows.
    Verdict(Verdict),
    /// The verdict comes as a completion, after the next commit.
    Pending,
}

impl Durable {
    pub(super) fn new(ledger: Arc<Ledger>, limits: &Limits) -> Self {
        Self { ledger, pending: Pending::new(limits), completions: Completions::default(), unwritten: Mutex::default() }
    }
}

impl Unwritten {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.moves.is_empty()
    }

    /// All that a commit is to be told, what leaves by a move too.
    pub(super) fn all_changes(&self) -> Vec<Change> {
        self.changes.iter().chain(self.moves.iter().map(|moved| &moved.leaves)).cloned().collect()
    }

    /// For a commit, the messages that the moves become, as [`Inner::number_moves`] has made them.
    pub(super) fn new_messages<'m>(&'m self, moved: &'m [Message]) -> impl Iterator<Item = NewMessage<'m>> {
        self.moves.iter().zip(moved).map(|(moved, message)| moved.stored(message))
    }
}

impl Inner {
    /// Numbers the dead letters that go to a queue: each is a new message there. The caller leads.
    pub(super) fn number_moves(&self, moves: &[Moved]) -> Vec<Message> {
        moves.iter().map(|moved| moved.message(self.number(1))).collect()
    }

    /// Answers at once what needs no commit, or puts the body on the list, with room in all of its queues.
    pub(super) fn join(&self, durable: &Durable, mut candidate: Candidate, how: How) -> Result<Entered, NoRoom> {
        let busy = |reason| Ok(Entered::Verdict(Verdict::Busy { reason }));
        let mut list = durable.pending.list();
        if list.is_closed() {
            return busy(BusyReason::Closing);
        }
        if durable.ledger.is_latched() {
            return busy(BusyReason::Store);
        }
        let index = lock(&self.dedupe);
        let duplicate = candidate
            .follow(|key, digest, now| index.look(key, digest, now), |key, digest| list.is_in_flight(key, digest));
        drop(index);
        if let Some(seq) = duplicate {
            self.tally.duplicate(candidate.parts.len() as u32);
            if let Some(change) = candidate.replays.and_then(|replays| replays.leaves) {
                lock(&durable.unwritten).changes.push(change);
            }
            return Ok(Entered::Verdict(Verdict::Duplicate { seq }));
        }
        let bytes = candidate.body.len();
        let fits = list.has_room(candidate.count(), bytes) && durable.ledger.has_room((list.bytes() + bytes) as u64);
        if !fits {
            return busy(BusyReason::Full);
        }
        if let Err(why) = candidate.reserve() {
            drop(list);
            candidate.give_back();
            return Err(why);
        }
        Ok(Entered::Waits(list.join(candidate, how)))
    }

    /// Waits for the verdict on what this thread has brought, and leads if nobody does. `answer_within` bounds a wait
    /// for others, not for the own sync.
    pub(super) fn wait(&self, entered: Entered) -> Verdict {
        match entered {
            // Nearly all, without a store: no clock is asked for them.
            Entered::Verdict(verdict) => verdict,
            Entered::Waits(_) => self.wait_until(entered, self.end_of_wait()),
        }
    }

    /// When whoever begins to wait now has waited long enough, by the clock that nobody can set.
    pub(super) fn end_of_wait(&self) -> u64 {
        let within = self.running.load().configuration.answer_within();
        os::boot_ms().saturating_add(os::milliseconds(within))
    }

    pub(super) fn wait_until(&self, entered: Entered, end: u64) -> Verdict {
        let ticket = match entered {
            Entered::Verdict(verdict) => return verdict,
            Entered::Waits(ticket) => ticket,
        };
        let (Some(durable), Some(slot)) = (&self.durable, &ticket.slot) else { return LATE };
        loop {
            if let Some(verdict) = slot.verdict() {
                return verdict;
            }
            if durable.pending.try_leading() {
                self.lead(durable, false);
                continue;
            }
            let left = end.saturating_sub(os::boot_ms());
            match slot.listen(Duration::from_millis(left)) {
                Heard::Verdict(verdict) => return verdict,
                Heard::Lead => {}
                Heard::Nothing if os::boot_ms() < end => {}
                Heard::Nothing => return self.give_up(durable, &ticket),
            }
        }
    }

    /// Takes back what no leader has taken. What one has taken may still be stored and delivered; then the sender's
    /// repeat is a duplicate.
    #[cold]
    fn give_up(&self, durable: &Durable, ticket: &Ticket) -> Verdict {
        let taken_back = durable.pending.list().take_back(ticket.number);
        if let Some(waiting) = taken_back {
            return self.answer(LATE, waiting.candidate.body.len());
        }
        // It may have come at the last moment.
        ticket.slot.as_ref().and_then(|slot| slot.verdict()).unwrap_or(LATE)
    }

    /// Makes durable all that waits now, and writes what is not urgent if nothing waited.
    pub(super) fn commit(&self, durable: &Durable) {
        let last = durable.pending.list().last_ticket();
        let mut led = false;
        while durable.pending.lead_for(last) {
            self.lead(durable, false);
            led = true;
        }
        if !led && self.has_unwritten(durable) {
            self.commit_even_nothing(durable);
        }
    }

    /// One commit, whatever there is.
    pub(super) fn commit_even_nothing(&self, durable: &Durable) {
        durable.pending.begin_leading();
        self.lead(durable, true);
    }

    /// Whether something not urgent is to be written.
    pub(super) fn has_unwritten(&self, durable: &Durable) -> bool {
        let left_over = !lock(&durable.unwritten).is_empty();
        left_over || self.running.load().all_queues().any(|queue| queue.unwritten() > 0)
    }
}

impl Engine {
    /// Takes a body without waiting for a disk: answers the verdict if it is known, else [`Submitted::Pending`], and
    /// the verdict is a [`Completion`] after the next [`commit`](Self::commit), which any thread may make.
    ///
    /// Without a store it is [`accept`](Self::accept).
    ///
    /// # Errors
    /// When the configuration has no endpoint of the given name.
    pub fn submit(&self, inbound: super::Inbound<'_>, id: u64) -> Result<Submitted, super::UnknownEndpoint> {
        Ok(match self.inner.enter_at(inbound, How::Submit(id))? {
            Entered::Verdict(verdict) => Submitted::Verdict(verdict),
            Entered::Waits(_) => Submitted::Pending,
        })
    }

    /// Makes durable all that has been submitted, in as few syncs as its limits allow, and publishes it. If nothing
    /// waits, it writes acks and what else is not urgent.
    ///
    /// It blocks for the sync: on an event loop it belongs on a worker thread. Without a store there is nothing to do.
    pub fn commit(&self) {
        if let Some(durable) = &self.inner.durable {
            self.inner.commit(durable);
        }
    }

    /// Appends the verdicts that have become known since the last call, in the order of submission, at most `max`; says
    /// how many.
    pub fn completions(&self, max: usize, into: &mut Vec<Completion>) -> usize {
        let Some(durable) = &self.inner.durable else { return 0 };
        let taken = durable.completions.take(max);
        let mut list = durable.pending.list();
        for Sized { completion, messages, bytes } in &taken {
            list.forget(*messages, *bytes);
            into.push(*completion);
        }
        taken.len()
    }

    /// A descriptor that is readable while there are completions to be read; `None` without a store.
    ///
    /// # Errors
    /// What the system says when a process has too many descriptors.
    #[cfg(unix)]
    pub fn completions_descriptor(&self) -> std::io::Result<Option<std::os::fd::BorrowedFd<'_>>> {
        self.inner.durable.as_ref().map(|durable| durable.completions.descriptor()).transpose()
    }

    /// Whether what is accepted is stored before it is acknowledged.
    pub fn is_durable(&self) -> bool {
        self.inner.durable.is_some()
    }
}
