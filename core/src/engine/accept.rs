//! The one way in. Source: `delivery.md`, section 1.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::candidate::{Candidate, NoRoom, Part};
use super::durable::{Durable, Entered};
use super::inbound::{Inbound, Source};
use super::judge::{Judgement, generally, judge, judge_item};
use super::pending::How;
use super::reservations::INLINE;
use super::running::Running;
use super::{Engine, Inner};
use crate::classify::Classified;
use crate::delivery::{BusyReason, Verdict};
use crate::limits::Limits;
use crate::message::{Origin, for_each_item};
use crate::route::Endpoint;

/// The endpoint that a host named is not in the configuration: a mistake of the host's, not of the sender's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEndpoint {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has no endpoint `{}`", self.name)
    }
}

impl std::error::Error for UnknownEndpoint {}

/// The table under which a message was to be routed is out of force: a reload came between.
pub(super) struct OutOfForce;

impl Engine {
    /// Takes a body and answers what to tell its sender.
    ///
    /// With a store it returns when the message is durable: callers that overlap share one sync, and one that waits for
    /// another's longer than `answer_within` answers `Busy`. Without one it waits for nothing and never blocks.
    ///
    /// Whatever the body holds, the answer is a verdict; nothing that arrived is lost without the sender being told.
    ///
    /// # Errors
    /// When the configuration has no endpoint of the given name.
    pub fn accept(&self, inbound: Inbound<'_>) -> Result<Verdict, UnknownEndpoint> {
        let entered = self.inner.enter_at(inbound, How::Block)?;
        Ok(self.inner.wait(entered))
    }

    /// Takes several bodies at one time, in their order, each for itself; with a store in as few syncs as may be.
    ///
    /// Without one it is the quickest way in, for hosts that have several at hand: 64 are read before the first is sent,
    /// so that what threads share is touched in one go.
    ///
    /// # Errors
    /// When the configuration has no endpoint of one of the given names; then none was taken.
    pub fn accept_batch(&self, mut batch: Vec<Inbound<'_>>) -> Result<Vec<Verdict>, UnknownEndpoint> {
        let running = self.inner.running.load();
        for inbound in &batch {
            endpoint(&running, inbound)?;
        }
        let now = running.clock.now();
        if self.inner.durable.is_none() {
            return Ok(self.inner.accept_all(&running, &mut batch, now));
        }
        // Under the configuration that knows all their endpoints, so that a reload leaves no batch half taken.
        let enter = |inbound| self.inner.enter_known(&running, inbound, now, How::Block);
        let entered: Vec<_> = batch.into_iter().map(enter).collect();
        // One end for all of them: a batch waits no longer than a body.
        let end = self.inner.end_of_wait();
        Ok(entered.into_iter().map(|entered| self.inner.wait_until(entered, end)).collect())
    }
}

/// The endpoint that a body names.
pub(super) fn endpoint<'r>(
    running: &'r Running,
    inbound: &Inbound<'_>,
) -> Result<(u16, &'r Endpoint), UnknownEndpoint> {
    let unknown = || UnknownEndpoint { name: inbound.endpoint.unwrap_or_default().to_owned() };
    running.endpoint(inbound.endpoint).ok_or_else(unknown)
}

impl Inner {
    pub(super) fn enter_at(&self, mut inbound: Inbound<'_>, how: How) -> Result<Entered, UnknownEndpoint> {
        loop {
            let running = self.running.load();
            let place = endpoint(&running, &inbound)?;
            if let Ok(entered) = self.enter_under(&running, place, &mut inbound, running.clock.now(), how) {
                return Ok(entered);
            }
        }
    }

    /// Takes a body whose endpoint `running` has.
    pub(super) fn enter_known(&self, running: &Running, mut inbound: Inbound<'_>, now: u64, how: How) -> Entered {
        let bytes = inbound.body.as_bytes().len();
        let entered = match endpoint(running, &inbound) {
            Ok(place) => self.enter_under(running, place, &mut inbound, now, how),
            Err(_) => Err(OutOfForce),
        };
        entered.or_else(|OutOfForce| self.enter_at(inbound, how)).unwrap_or_else(|_| {
            // Its queue and its endpoint were removed under way: its sender asks again, and is told then.
            Entered::Verdict(self.answer(Verdict::Busy { reason: BusyReason::Closing }, bytes))
        })
    }

    #[inline]
    fn enter_under(
        &self,
        running: &Running,
        (endpoint_index, endpoint): (u16, &Endpoint),
        inbound: &mut Inbound<'_>,
        now: u64,
        how: How,
    ) -> Result<Entered, OutOfForce> {
        // Acquire, paired with the store in `close`.
        if self.closing.load(Ordering::Acquire) && inbound.source != Source::Reply {
            let bytes = inbound.body.as_bytes().len();
            return Ok(Entered::Verdict(self.answer(Verdict::Busy { reason: BusyReason::Closing }, bytes)));
        }
        let mut entry = Entry { inner: self, running, endpoint, endpoint_index, inbound, now };
        entry.enter(how)
    }

    /// Counts a verdict on a body of so many bytes.
    #[inline]
    pub(super) fn answer(&self, verdict: Verdict, bytes: usize) -> Verdict {
        self.tally.verdict(verdict, bytes);
        verdict
    }

    /// The first of `count` numbers that nobody else has.
    #[inline]
    pub(super) fn number(&self, count: u32) -> u64 {
        // Relaxed: only that they differ matters here; lanes give order to what does not overlap in time.
        self.last_seq.fetch_add(u64::from(count), Ordering::Relaxed) + 1
    }
}

/// One body under one configuration.
pub(super) struct Entry<'a, 'i, 'r> {
    pub(super) inner: &'i Inner,
    pub(super) running: &'r Running,
    pub(super) endpoint: &'r Endpoint,
    pub(super) endpoint_index: u16,
    pub(super) inbound: &'i mut Inbound<'a>,
    pub(super) now: u64,
}

impl Entry<'_, '_, '_> {
    #[inline]
    fn enter(&mut self, how: How) -> Result<Entered, OutOfForce> {
        let mut classified = Classified::default();
        match self.judge(&mut classified) {
            // Verdicts are large enough for that to count: this one is made where it is returned.
            Judgement::Message(fields) if self.inner.durable.is_none() => self.message(fields),
            judgement => self.enter_otherwise(judgement, how),
        }
    }

    /// What the body deserves; its fields are in `classified` then.
    #[inline]
    pub(super) fn judge<'f>(&self, classified: &'f mut Classified) -> Judgement<'f> {
        let running = self.running;
        let (limits, learns) = (running.configuration.limits(), running.configuration.shapes());
        judge(self.inbound, self.endpoint, limits, classified, |body, classified| {
            if learns {
                running.shapes.classify_into(body, classified);
            } else {
                generally(limits)(body, classified);
            }
        })
    }

    /// What is no message, is several, or goes into a store.
    #[inline(never)]
    fn enter_otherwise(&mut self, judgement: Judgement<'_>, how: How) -> Result<Entered, OutOfForce> {
        let bytes = self.inbound.body.as_bytes().len();
        let entered = match (judgement, &self.inner.durable) {
            (judgement, Some(durable)) => self.join(durable, judgement, how)?,
            (Judgement::Answer(verdict), None) => Entered::Verdict(verdict),
            (Judgement::Quarantine(reason), None) => Entered::Verdict(self.quarantine(&[(None, reason)])),
            (Judgement::Message(fields), None) => return self.message(fields),
            (Judgement::Items(fields), None) if fields.items == 1 => Entered::Verdict(self.items::<INLINE>(fields)?),
            (Judgement::Items(fields), None) => Entered::Verdict(self.items::<{ Limits::MAX.items as usize }>(fields)?),
        };
        if let Entered::Verdict(verdict) = entered {
            self.inner.answer(verdict, bytes);
        }
        Ok(entered)
    }

    /// Puts the body on the list of what waits for a commit.
    fn join(&self, durable: &Durable, judgement: Judgement<'_>, how: How) -> Result<Entered, OutOfForce> {
        if let Judgement::Answer(verdict) = judgement {
            return Ok(Entered::Verdict(verdict));
        }
        let candidate = self.candidate(judgement);
        match self.inner.join(durable, candidate, how) {
            Ok(entered) => Ok(entered),
            Err(NoRoom::Full) => Ok(Entered::Verdict(Verdict::Busy { reason: BusyReason::Full })),
            Err(NoRoom::OutOfForce) => Err(OutOfForce),
        }
    }

    /// The body as the leader needs it.
    pub(super) fn candidate(&self, judgement: Judgement<'_>) -> Candidate {
        let body = self.inbound.body.to_bytes();
        let (mut parts, mut bad) = (vec![], vec![]);
        let hash_key = self.running.drops_duplicates().then_some(&self.inner.hash_key);
        let part = |fields, item| Part::routed(self.running, self.endpoint_index, fields, item, &body, hash_key);
        match judgement {
            // What is answered at once becomes nothing.
            Judgement::Answer(_) => {}
            Judgement::Quarantine(reason) => bad.push((None, reason)),
            Judgement::Message(fields) => parts.push(part(*fields, None)),
            Judgement::Items(fields) => {
                let mut index = 0;
                for_each_item(&body, fields, |item| {
                    match (judge_item(item.as_ref(), &body, self.endpoint), item) {
                        (None, Some(item)) => parts.push(part(item, Some(index))),
                        (reason, _) => bad.extend(reason.map(|reason| (Some(index), reason))),
                    }
                    index += 1;
                });
            }
        }
        Candidate {
            origin: self.origin(0),
            endpoint: Arc::from(&*self.endpoint.name),
            now: self.now,
            parts,
            bad,
            replays: None,
            body,
        }
    }

    pub(super) fn received_at(&self) -> u64 {
        self.inbound.received_at.unwrap_or(self.now)
    }

    #[inline]
    pub(super) fn origin(&self, seq: u64) -> Origin {
        Origin {
            seq,
            received_at: self.received_at(),
            tag: self.inbound.tag,
            endpoint: self.running.name_index(self.endpoint_index),
            item: None,
        }
    }
}
