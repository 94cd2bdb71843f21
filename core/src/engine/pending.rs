//! Bodies that wait for a commit, and who leads it. Source: `delivery.md`, 1.3 to 1.9.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::candidate::Candidate;
use crate::delivery::{BusyReason, Key, Verdict};
use crate::limits::{GROUP_BYTES_MAX, GROUP_MESSAGES_MAX, Limits};

/// The list, and what guards it.
pub(super) struct Pending {
    list: Mutex<List>,
    /// Told whenever somebody has ceased to lead.
    idle: Condvar,
}

/// Its owner leads until it is dropped, also by a panic.
pub(super) struct Leading<'p>(&'p Pending);

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        self.0.end_leading(self.0.list());
    }
}

/// What is under the lock.
#[derive(Default)]
pub(super) struct List {
    /// By ticket.
    waiting: VecDeque<Waiting>,
    leading: bool,
    /// Why nothing may join any more.
    closed: bool,
    /// Messages and bytes that wait, are being committed, or of which the completion has not been read.
    messages: usize,
    bytes: usize,
    messages_max: usize,
    bytes_max: usize,
    /// Keys with the digests of those that wait or are being committed.
    in_flight: HashMap<u128, Vec<u64>>,
    tickets: u64,
}

/// One body that waits.
pub(super) struct Waiting {
    pub(super) ticket: u64,
    pub(super) waiter: Waiter,
    pub(super) candidate: Candidate,
}

/// Who wants to know what became of it.
pub(super) enum Waiter {
    /// A thread that blocks.
    Blocked(Arc<Slot>),
    /// A host that reads completions, by the id that it gave.
    Submitted(u64),
}

/// How somebody wants to wait.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Block,
    Submit(u64),
}

/// Where a thread that blocks is told.
#[derive(Default)]
pub(super) struct Slot {
    state: Mutex<SlotState>,
    bell: Condvar,
}

#[derive(Default)]
struct SlotState {
    verdict: Option<Verdict>,
    /// Nobody leads, and it is this thread's turn to look after that.
    lead: bool,
}

/// A place in the list.
pub(super) struct Ticket {
    pub(super) number: u64,
    /// `None` if it was submitted.
    pub(super) slot: Option<Arc<Slot>>,
}

/// What a thread that blocks has heard.
pub(super) enum Heard {
    Verdict(Verdict),
    Lead,
    Nothing,
}

impl Slot {
    pub(super) fn tell(&self, verdict: Verdict) {
        lock(&self.state).verdict = Some(verdict);
        self.bell.notify_one();
    }

    fn ask_to_lead(&self) {
        lock(&self.state).lead = true;
        self.bell.notify_one();
    }

    /// The verdict, if it is there.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        lock(&self.state).verdict
    }

    /// Waits up to `timeout` to be told something.
    pub(super) fn listen(&self, timeout: Duration) -> Heard {
        let silent = |state: &mut SlotState| state.verdict.is_none() && !state.lead;
        let waited = self.bell.wait_timeout_while(lock(&self.state), timeout, silent);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match (state.verdict, std::mem::take(&mut state.lead)) {
            (Some(verdict), _) => Heard::Verdict(verdict),
            (None, true) => Heard::Lead,
            (None, false) => Heard::Nothing,
        }
    }
}

impl Pending {
    pub(super) fn new(limits: &Limits) -> Self {
        let mut list = List::default();
        list.set_limits(limits);
        Self { list: Mutex::new(list), idle: Condvar::new() }
    }

    pub(super) fn list(&self) -> MutexGuard<'_, List> {
        lock(&self.list)
    }

    /// Makes the caller the leader, as soon as nobody is.
    pub(super) fn begin_leading(&self) {
        let mut list = self.list();
        while list.leading {
            list = self.idle.wait(list).unwrap_or_else(PoisonError::into_inner);
        }
        list.leading = true;
    }

    /// The same, until the answer is dropped.
    pub(super) fn leading(&self) -> Leading<'_> {
        self.begin_leading();
        Leading(self)
    }

    /// Makes the caller the leader, if nobody is.
    pub(super) fn try_leading(&self) -> bool {
        let mut list = self.list();
        !std::mem::replace(&mut list.leading, true)
    }

    /// The caller leads no more; somebody who waits is asked to.
    pub(super) fn end_leading(&self, mut list: MutexGuard<'_, List>) {
        list.leading = false;
        list.ask_somebody();
        drop(list);
        self.idle.notify_all();
    }

    /// Blocks until nothing waits or is being committed that has a ticket up to this one, and nobody leads; or becomes
    /// the leader itself, and says so.
    pub(super) fn lead_for(&self, ticket: u64) -> bool {
        let mut list = self.list();
        loop {
            if !list.leading {
                list.leading = list.waiting.front().is_some_and(|first| first.ticket <= ticket);
                return list.leading;
            }
            list = self.idle.wait(list).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl List {
    /// The ticket that was given last.
    pub(super) fn last_ticket(&self) -> u64 {
        self.tickets
    }

    /// An opening may change them.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        (self.messages_max, self.bytes_max) = (limits.pending as usize, limits.pending_bytes as usize);
    }

    /// Whether a body of so many messages and bytes may wait as well.
    pub(super) fn has_room(&self, messages: usize, bytes: usize) -> bool {
        self.messages + messages <= self.messages_max && self.bytes + bytes <= self.bytes_max
    }

    pub(super) fn messages(&self) -> usize {
        self.messages
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Lets nobody join any more, or lets them join again.
    pub(super) fn set_closed(&mut self, closed: bool) {
        self.closed = closed;
    }

    pub(super) fn is_in_flight(&self, key: &Key, digest: u64) -> bool {
        self.in_flight.get(&key.hash).is_some_and(|digests| digests.contains(&digest))
    }

    /// Puts a body at the end.
    pub(super) fn join(&mut self, candidate: Candidate, how: How) -> Ticket {
        for (key, digest) in candidate.keys() {
            self.in_flight.entry(key.hash).or_default().push(digest);
        }
        self.messages += candidate.count();
        self.bytes += candidate.body.len();
        self.tickets += 1;
        let (waiter, slot) = match how {
            How::Submit(id) => (Waiter::Submitted(id), None),
            How::Block => {
                let slot = Arc::<Slot>::default();
                (Waiter::Blocked(Arc::clone(&slot)), Some(slot))
            }
        };
        self.waiting.push_back(Waiting { ticket: self.tickets, waiter, candidate });
        Ticket { number: self.tickets, slot }
    }

    /// Takes what one transaction may hold, the oldest first.
    pub(super) fn take_group(&mut self) -> Vec<Waiting> {
        let (mut messages, mut bytes, mut count) = (0, 0, 0);
        for waiting in &self.waiting {
            messages += waiting.candidate.count();
            bytes += waiting.candidate.body.len();
            if count > 0 && (messages > GROUP_MESSAGES_MAX || bytes > GROUP_BYTES_MAX) {
                break;
            }
            count += 1;
        }
        self.waiting.drain(..count).collect()
    }

    /// Takes all that waits.
    pub(super) fn take_all(&mut self) -> Vec<Waiting> {
        self.waiting.drain(..).collect()
    }

    /// Takes back one that no leader has taken yet.
    pub(super) fn take_back(&mut self, ticket: u64) -> Option<Waiting> {
        let at = self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket).ok()?;
        let waiting = self.waiting.remove(at)?;
        self.done(&waiting);
        if !self.leading {
            // Perhaps this was the thread that had been asked.
            self.ask_somebody();
        }
        Some(waiting)
    }

    /// Forgets the keys of one whose fate is known, and, unless its completion is still to be read, its size.
    pub(super) fn done(&mut self, waiting: &Waiting) {
        for (key, digest) in waiting.candidate.keys() {
            let Some(digests) = self.in_flight.get_mut(&key.hash) else { continue };
            if let Some(at) = digests.iter().position(|known| *known == digest) {
                digests.swap_remove(at);
            }
            if digests.is_empty() {
                self.in_flight.remove(&key.hash);
            }
        }
        if matches!(waiting.waiter, Waiter::Blocked(_)) {
            self.forget(waiting.candidate.count(), waiting.candidate.body.len());
        }
    }

    /// So many messages and bytes wait no more.
    pub(super) fn forget(&mut self, messages: usize, bytes: usize) {
        self.messages -= messages;
        self.bytes -= bytes;
    }

    fn ask_somebody(&self) {
        let blocked = self.waiting.iter().find_map(|waiting| match &waiting.waiter {
            Waiter::Blocked(slot) => Some(slot),
            Waiter::Submitted(_) => None,
        });
        if let Some(slot) = blocked {
            slot.ask_to_lead();
        }
    }
}

/// The verdict on what could not wait until its commit.
pub(super) const LATE: Verdict = Verdict::Busy { reason: BusyReason::Late };

/// Locks. What a panic leaves behind is whole in itself: the leader's guard sees to the rest.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
