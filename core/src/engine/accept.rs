//! The one way in. Source: `delivery.md`, section 1, without a store: judge, route, reserve, number, send.

use std::fmt;
use std::sync::atomic::Ordering;

use super::inbound::{Inbound, Source};
use super::judge::{Judgement, judge, judge_item};
use super::reservations::{INLINE, Reservations};
use super::running::Running;
use super::subject::{with_order_key, with_subject};
use super::{Engine, Inner};
use crate::classify::classify;
use crate::delivery::{BusyReason, QuarantineEntry, QuarantineReason, Verdict};
use crate::limits::Limits;
use crate::message::{BodySource, Message, Origin, for_each_item};
use crate::nexo::{Fields, View};
use crate::queue::Refused;
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
struct OutOfForce;

impl Engine {
    /// Takes a body and answers what to tell its sender. It waits for nothing and never blocks.
    ///
    /// Whatever the body holds, the answer is a verdict; nothing that arrived is lost without the sender being told.
    ///
    /// # Errors
    /// When the configuration has no endpoint of the given name.
    pub fn accept(&self, inbound: Inbound<'_>) -> Result<Verdict, UnknownEndpoint> {
        self.inner.accept_at(inbound, self.inner.clock.now())
    }

    /// Takes several bodies at one time, in their order, each for itself.
    ///
    /// # Errors
    /// When the configuration has no endpoint of one of the given names; then none was taken.
    pub fn accept_batch(&self, batch: Vec<Inbound<'_>>) -> Result<Vec<Verdict>, UnknownEndpoint> {
        let running = self.inner.running.load();
        for inbound in &batch {
            endpoint(&running, inbound)?;
        }
        let now = self.inner.clock.now();
        // Under the configuration that knows all their endpoints, so that a reload leaves no batch half taken.
        batch.into_iter().map(|inbound| self.inner.accept_known(&running, inbound, now)).collect()
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
    fn accept_at(&self, mut inbound: Inbound<'_>, now: u64) -> Result<Verdict, UnknownEndpoint> {
        loop {
            let running = self.running.load();
            let place = endpoint(&running, &inbound)?;
            if let Ok(verdict) = self.accept_under(&running, place, &mut inbound, now) {
                return Ok(verdict);
            }
        }
    }

    /// Accepts a body whose endpoint `running` has.
    fn accept_known(&self, running: &Running, mut inbound: Inbound<'_>, now: u64) -> Result<Verdict, UnknownEndpoint> {
        let place = endpoint(running, &inbound)?;
        let bytes = inbound.body.as_bytes().len();
        Ok(match self.accept_under(running, place, &mut inbound, now) {
            Ok(verdict) => verdict,
            Err(OutOfForce) => self.accept_at(inbound, now).unwrap_or_else(|_| {
                // Its queue and its endpoint were removed under way: its sender asks again, and is told then.
                self.answer(Verdict::Busy { reason: BusyReason::Closing }, bytes)
            }),
        })
    }

    #[inline]
    fn accept_under(
        &self,
        running: &Running,
        (endpoint_index, endpoint): (u16, &Endpoint),
        inbound: &mut Inbound<'_>,
        now: u64,
    ) -> Result<Verdict, OutOfForce> {
        let bytes = inbound.body.as_bytes().len();
        // Acquire, paired with the store in `close`.
        if self.closing.load(Ordering::Acquire) && inbound.source != Source::Reply {
            return Ok(self.answer(Verdict::Busy { reason: BusyReason::Closing }, bytes));
        }
        let entry = Entry { inner: self, running, endpoint, endpoint_index, inbound, now };
        Ok(self.answer(entry.enter()?, bytes))
    }

    /// Counts a verdict on a body of so many bytes.
    #[inline]
    fn answer(&self, verdict: Verdict, bytes: usize) -> Verdict {
        self.tally.verdict(verdict, bytes);
        verdict
    }

    /// The first of `count` numbers that nobody else has.
    #[inline]
    fn number(&self, count: u32) -> u64 {
        // Relaxed: only that they differ matters here; lanes give order to what does not overlap in time.
        self.last_seq.fetch_add(u64::from(count), Ordering::Relaxed) + 1
    }
}

/// One body under one configuration.
struct Entry<'a, 'r> {
    inner: &'r Inner,
    running: &'r Running,
    endpoint: &'r Endpoint,
    endpoint_index: u16,
    inbound: &'r mut Inbound<'a>,
    now: u64,
}

impl<'r> Entry<'_, 'r> {
    #[inline]
    fn enter(self) -> Result<Verdict, OutOfForce> {
        let limits = &self.inner.limits;
        let learns = self.running.configuration.shapes();
        let classified = |body: &[u8]| if learns { self.inner.shapes.classify(body) } else { classify(body, limits) };
        match judge(self.inbound, self.endpoint, limits, classified) {
            Judgement::Answer(verdict) => Ok(verdict),
            Judgement::Quarantine(reason) => Ok(self.quarantine(&[(None, reason)])),
            Judgement::Message(fields) => self.message(&fields),
            Judgement::Items(fields) if fields.items == 1 => self.items::<INLINE>(&fields),
            Judgement::Items(fields) => self.items::<{ Limits::MAX.items as usize }>(&fields),
        }
    }

    fn message(mut self, fields: &Fields) -> Result<Verdict, OutOfForce> {
        let mut reservations = Reservations::<INLINE>::new();
        if let Err(refused) = self.reserve(fields, &mut reservations) {
            return self.refused(refused);
        }
        let seq = self.inner.number(1);
        let message = self.first_message(fields, seq);
        while let Some(reservation) = reservations.take() {
            reservation.send(message.clone());
        }
        self.inner.tally.accepted(fields.kind, 1);
        Ok(Verdict::Accepted { first_seq: seq, count: 1, stored: false })
    }

    /// The message that gets the body itself: sharing bytes that nobody shares yet would allocate once more.
    #[inline]
    fn first_message(&mut self, fields: &Fields, seq: u64) -> Message {
        let origin = self.origin(seq);
        Message::new(fields, std::mem::replace(&mut self.inbound.body, BodySource::Copied(&[])), origin)
    }

    /// All good items or none; a bad one beside a good one is dropped and counted, as nothing says that its sender is
    /// who it should be (`drive.md`, Items).
    fn items<const N: usize>(mut self, fields: &Fields) -> Result<Verdict, OutOfForce> {
        let body = self.inbound.body.as_bytes();
        let (mut reservations, mut refused) = (Reservations::<N>::new(), None);
        let (mut first, mut good) = (None, 0);
        for_each_item(body, fields, |item| {
            let Some(item) = self.good_item(item, body) else { return };
            good += 1;
            if refused.is_none() {
                refused = self.reserve(&item, &mut reservations).err();
            }
            first.get_or_insert(item);
        });
        if let Some(refused) = refused {
            return self.refused(refused);
        }
        let Some(first) = first else { return Ok(self.quarantine_items(fields)) };
        let first_seq = self.inner.number(good);
        let first = self.first_message(&first, first_seq);
        let (body, mut seq) = (first.body(), first_seq);
        for_each_item(body, fields, |item| {
            let Some(item) = self.good_item(item, body) else { return };
            let message = if seq == first_seq { first.clone() } else { first.sibling(&item, self.origin(seq)) };
            seq += 1;
            // The same table answers the same, so that each item finds as many reservations as it made.
            let targets = with_subject(View::new(body, &item), self.endpoint_index, |subject| {
                self.running.table.route(subject).len()
            });
            for _ in 0..targets {
                let Some(reservation) = reservations.take() else { break };
                reservation.send(message.clone());
            }
        });
        self.inner.tally.accepted(fields.kind, good);
        self.inner.tally.items_dropped(fields.items - good);
        Ok(Verdict::Accepted { first_seq, count: good, stored: false })
    }

    fn good_item(&self, item: Option<Fields>, body: &[u8]) -> Option<Fields> {
        item.filter(|item| judge_item(Some(item), body, self.endpoint).is_none())
    }

    #[cold]
    fn quarantine_items(&self, fields: &Fields) -> Verdict {
        let (body, mut bad, mut index) = (self.inbound.body.as_bytes(), vec![], 0);
        for_each_item(body, fields, |item| {
            bad.extend(judge_item(item.as_ref(), body, self.endpoint).map(|reason| (Some(index), reason)));
            index += 1;
        });
        self.quarantine(&bad)
    }

    /// Room in the lane of the message in every queue that the table names.
    #[inline]
    fn reserve<const N: usize>(&self, fields: &Fields, reservations: &mut Reservations<'r, N>) -> Result<(), Refused> {
        let view = View::new(self.inbound.body.as_bytes(), fields);
        with_order_key(view, |key| {
            with_subject(view, self.endpoint_index, |subject| {
                for target in self.running.table.route(subject).iter() {
                    let queue = &self.running.queues[usize::from(target)].queue;
                    reservations.reserve(queue, queue.lane_of(key))?;
                }
                Ok(())
            })
        })
    }

    #[cold]
    fn refused(&self, refused: Refused) -> Result<Verdict, OutOfForce> {
        match refused {
            Refused::Full => Ok(Verdict::Busy { reason: BusyReason::Full }),
            // A reload has removed the queue, or the engine closes; who asks again is told by what is in force then.
            Refused::Closed => Err(OutOfForce),
        }
    }

    /// Keeps the body once for each of its bad parts.
    #[cold]
    fn quarantine(&self, bad: &[(Option<u32>, QuarantineReason)]) -> Verdict {
        let body = match &self.inbound.body {
            BodySource::Copied(bytes) => bytes::Bytes::copy_from_slice(bytes),
            BodySource::Shared(bytes) => bytes.clone(),
        };
        let first_seq = self.inner.number(bad.len() as u32);
        for (&(item, reason), seq) in bad.iter().zip(first_seq..) {
            self.inner.tally.quarantined();
            self.inner.quarantine.keep(QuarantineEntry {
                seq,
                item,
                reason,
                received_at: self.received_at(),
                endpoint: self.endpoint.name.clone(),
                body: body.clone(),
            });
        }
        let reason = bad.first().map_or(QuarantineReason::Malformed, |(_, reason)| *reason);
        Verdict::Quarantined { seq: first_seq, stored: false, reason }
    }

    fn received_at(&self) -> u64 {
        self.inbound.received_at.unwrap_or(self.now)
    }

    #[inline]
    fn origin(&self, seq: u64) -> Origin {
        Origin {
            seq,
            received_at: self.received_at(),
            tag: self.inbound.tag,
            endpoint: self.running.name_index(self.endpoint_index),
        }
    }
}
