//! The way in without a store: number, send. Source: `delivery.md`, 1.8.

use std::sync::MutexGuard;

use super::Inner;
use super::accept::{Entry, OutOfForce};
use super::candidate::Candidate;
use super::durable::Entered;
use super::judge::judge_item;
use super::key::key;
use super::pending::lock;
use super::reservations::{INLINE, Reservations, send_to_all};
use super::running::Running;
use super::subject::{order_hash, route};
use crate::delivery::{BusyReason, Change, Dedupe, Key, QuarantineEntry, QuarantineReason, Seen, Verdict};
use crate::message::{BodySource, Message, Origin, for_each_item};
use crate::nexo::{Fields, Flags, View};
use crate::queue::Refused;
use crate::route::Targets;

/// The index of keys, held while a message is numbered, so that of two equal ones that come at the same instant the
/// second finds the first; nothing if duplicates are let through.
pub(super) type Index<'r> = Option<MutexGuard<'r, Dedupe>>;

/// What has been found out about one item of a webhook.
#[derive(Clone, Copy)]
enum Fate {
    Bad,
    /// Of the message with this number; 0 if that one is an item before it.
    Duplicate(u64),
    New(Flags, Option<(Key, u64)>),
}

impl<'r> Entry<'_, '_, 'r> {
    /// Counts the body, and its verdict.
    #[inline]
    pub(super) fn message(&mut self, fields: &mut Fields) -> Result<Entered, OutOfForce> {
        let bytes = self.inbound.body.as_bytes().len();
        let mut reservations = Reservations::<INLINE>::new();
        let mut index = self.inner.index(self.running);
        let known = index.as_ref().and_then(|_| self.key(fields));
        if let (Some(index), Some(known)) = (&index, &known) {
            match self.inner.look(index, known, self.now) {
                Ok(flags) => fields.flags.insert(flags),
                Err(duplicate) => return Ok(Entered::Verdict(self.inner.answer(duplicate, bytes))),
            }
        }
        if let Err(refused) = self.reserve(fields, &mut reservations) {
            return self.refused(refused).map(|verdict| Entered::Verdict(self.inner.answer(verdict, bytes)));
        }
        let first_seq = self.inner.number(1);
        if let (Some(index), Some((key, digest))) = (&mut index, known) {
            index.learn(&key, digest, first_seq, self.now);
        }
        drop(index);
        let message = self.first_message(fields, None, first_seq);
        send_to_all(&mut reservations, message);
        self.inner.tally.sent(fields.kind, bytes);
        Ok(Entered::Verdict(Verdict::Accepted { first_seq, count: 1, stored: false }))
    }

    #[inline]
    pub(super) fn key(&self, fields: &Fields) -> Option<(Key, u64)> {
        let view = View::new(self.inbound.body.as_bytes(), fields);
        key(view, &self.endpoint.name, &self.inner.hash_key)
    }

    /// The message that gets the body itself: sharing bytes that nobody shares yet would allocate once more.
    #[inline]
    pub(super) fn first_message(&mut self, fields: &Fields, item: Option<u32>, seq: u64) -> Message {
        let origin = Origin { item, ..self.origin(seq) };
        Message::new(fields, std::mem::replace(&mut self.inbound.body, BodySource::Copied(&[])), origin)
    }

    /// All good items or none; a bad one beside a good one is dropped and counted, as nothing says that its sender is
    /// who it should be (`drive.md`, Items).
    // Not inlined: what is set aside for so many items would be set aside for every message.
    #[inline(never)]
    pub(super) fn items<const N: usize>(&mut self, fields: &Fields) -> Result<Verdict, OutOfForce> {
        let body = self.inbound.body.as_bytes();
        let (mut reservations, mut refused) = (Reservations::<N>::new(), None);
        let mut index = self.inner.index(self.running);
        let (mut fates, mut at, mut first) = ([Fate::Bad; N], 0, None);
        for_each_item(body, fields, |item| {
            let (before, after) = fates.split_at_mut(at);
            at += 1;
            let Some(mut item) = self.good_item(item, body) else { return };
            let known = index.as_ref().and_then(|_| self.key(&item));
            after[0] = fate(index.as_deref(), before, known, self.now);
            let Fate::New(flags, _) = after[0] else { return };
            if refused.is_none() {
                refused = self.reserve(&item, &mut reservations).err();
            }
            item.flags.insert(flags);
            first.get_or_insert((item, at as u32 - 1));
        });
        if let Some(refused) = refused {
            return self.refused(refused);
        }
        let fates = &fates[..at];
        let duplicates = fates.iter().filter(|fate| matches!(fate, Fate::Duplicate(_))).count() as u32;
        let bad = fates.iter().filter(|fate| matches!(fate, Fate::Bad)).count() as u32;
        let Some((first, item)) = first else {
            drop(index);
            if bad > 0 {
                return Ok(self.quarantine_items(fields));
            }
            self.inner.tally.duplicate(duplicates);
            let seq = fates.iter().find_map(|fate| if let Fate::Duplicate(seq) = fate { Some(*seq) } else { None });
            return Ok(Verdict::Duplicate { seq: seq.unwrap_or_default() });
        };
        self.inner.tally.duplicate(duplicates);
        self.inner.tally.items_dropped(bad);
        let count = at as u32 - duplicates - bad;
        self.inner.tally.accepted(fields.kind, count);
        let first_seq = self.inner.number(count);
        if let Some(index) = &mut index {
            let new = fates.iter().filter_map(|fate| if let Fate::New(_, known) = fate { Some(known) } else { None });
            for (seq, known) in (first_seq..).zip(new) {
                known.map(|(key, digest)| index.learn(&key, digest, seq, self.now));
            }
        }
        drop(index);
        let first = self.first_message(&first, Some(item), first_seq);
        self.send_items(fields, &first, fates, &mut reservations);
        Ok(Verdict::Accepted { first_seq, count, stored: false })
    }

    /// Sends the first message, and makes and sends the others, which lie in the same bytes.
    fn send_items<const N: usize>(
        &self,
        fields: &Fields,
        first: &Message,
        fates: &[Fate],
        reservations: &mut Reservations<'r, N>,
    ) {
        let mut reservations = reservations.drain(..);
        let (body, first_seq) = (first.body(), first.origin().seq);
        let (mut seq, mut at) = (first_seq, 0);
        for_each_item(body, fields, |item| {
            at += 1;
            let (Some(mut item), Fate::New(flags, _)) = (item, fates[at - 1]) else { return };
            item.flags.insert(flags);
            let origin = Origin { item: Some(at as u32 - 1), ..self.origin(seq) };
            let message = if seq == first_seq { first.clone() } else { first.sibling(&item, origin) };
            seq += 1;
            // The same table answers the same, so that each item finds as many reservations as it made.
            let targets = route(View::new(body, &item), self.endpoint_index, &self.running.table).len();
            for reservation in reservations.by_ref().take(targets) {
                reservation.send(message.clone());
            }
        });
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
        // The hash first: it is a long chain of multiplications, beside which the machine can look up the queues.
        let order_hash = order_hash(View::new(self.inbound.body.as_bytes(), fields));
        self.route(fields).iter().try_for_each(|target| {
            let queue = &self.running.queues[usize::from(target)].queue;
            reservations.push(queue.reserve(queue.lane_of_hash(order_hash))?);
            Ok(())
        })
    }

    /// The queues that the table names.
    #[inline]
    pub(super) fn route(&self, fields: &Fields) -> Targets<'r> {
        route(View::new(self.inbound.body.as_bytes(), fields), self.endpoint_index, &self.running.table)
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
    pub(super) fn quarantine(&self, bad: &[(Option<u32>, QuarantineReason)]) -> Verdict {
        let body = self.inbound.body.to_bytes();
        let first_seq = self.inner.number(bad.len() as u32);
        for (&(item, reason), seq) in bad.iter().zip(first_seq..) {
            self.inner.tally.quarantined();
            self.inner.quarantine.keep(QuarantineEntry {
                seq,
                item,
                reason,
                received_at: self.received_at(),
                endpoint: self.endpoint.name.clone(),
                tag: self.inbound.tag,
                body: body.clone(),
            });
        }
        let reason = bad.first().map_or(QuarantineReason::Malformed, |(_, reason)| *reason);
        Verdict::Quarantined { seq: first_seq, stored: false, reason }
    }
}

impl Inner {
    /// The index, if duplicates are dropped.
    #[inline]
    pub(super) fn index(&self, running: &Running) -> Index<'_> {
        running.drops_duplicates().then(|| lock(&self.dedupe))
    }

    /// Looks a key and its digest up: the flags of a message that is new, or the verdict on one that is not.
    #[inline]
    pub(super) fn look(&self, index: &Dedupe, (key, digest): &(Key, u64), now: u64) -> Result<Flags, Verdict> {
        match index.look(key, *digest, now) {
            Seen::New => Ok(Flags::NONE),
            Seen::Variant => Ok(Flags::CONFLICT),
            Seen::Duplicate { seq } => {
                self.tally.duplicate(1);
                Err(Verdict::Duplicate { seq })
            }
        }
    }

    /// Takes what is replayed, without a store.
    pub(super) fn admit(&self, mut candidate: Candidate) -> Verdict {
        let mut index = lock(&self.dedupe);
        let duplicate = candidate.follow(|key, digest, now| index.look(key, digest, now), |_, _| false);
        if let Some(seq) = duplicate {
            drop(index);
            self.leave(&candidate);
            return Verdict::Duplicate { seq };
        }
        if candidate.reserve().is_err() {
            candidate.give_back();
            return Verdict::Busy { reason: BusyReason::Full };
        }
        let new: Vec<_> = candidate.parts.iter().enumerate().filter(|(_, part)| !part.follows).collect();
        let (count, first_seq) = (new.len() as u32, self.number(new.len() as u32));
        let mut messages = vec![];
        for ((at, part), seq) in new.into_iter().zip(first_seq..) {
            let seen = part.key.map_or(Seen::New, |(key, digest)| index.look(&key, digest, candidate.now));
            if let Some((key, digest)) = part.key {
                index.learn(&key, digest, seq, candidate.now);
            }
            messages.push((at, candidate.message(part, seq, seen == Seen::Variant).0));
        }
        drop(index);
        for (at, message) in messages {
            self.tally.accepted(message.kind(), 1);
            let targets = &mut candidate.parts[at].targets;
            targets.iter_mut().for_each(|target| target.send(message.clone()));
        }
        self.leave(&candidate);
        Verdict::Accepted { first_seq, count, stored: false }
    }

    /// What has been replayed leaves the place where it was kept.
    fn leave(&self, candidate: &Candidate) {
        match candidate.replays.as_ref().and_then(|replays| replays.leaves.as_ref()) {
            Some(Change::QuarantineLeft { seq }) => self.quarantine.remove(*seq, |_| true),
            Some(Change::DeadLeft { queue, seq }) => self.dead_letters.remove(*seq, |letter| letter.queue_id == *queue),
            _ => {}
        }
    }
}

/// What becomes of a good item, after those that stand before it in the body.
fn fate(index: Option<&Dedupe>, before: &[Fate], known: Option<(Key, u64)>, now: u64) -> Fate {
    let (Some(index), Some((key, digest))) = (index, known) else { return Fate::New(Flags::NONE, None) };
    let mut seen = index.look(&key, digest, now);
    for fate in before {
        match fate {
            Fate::New(_, Some((other, other_digest))) if *other == key && *other_digest == digest => {
                return Fate::Duplicate(0);
            }
            Fate::New(_, Some((other, _))) if *other == key && seen == Seen::New => seen = Seen::Variant,
            _ => {}
        }
    }
    match seen {
        Seen::New => Fate::New(Flags::NONE, known),
        Seen::Variant => Fate::New(Flags::UPDATE, known),
        Seen::Duplicate { seq } => Fate::Duplicate(seq),
    }
}
