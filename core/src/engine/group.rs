//! What one leader does: numbers, one transaction, publication, verdicts. Source: `delivery.md`, 1.6 and 1.7.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Inner;
use super::candidate::{Part, Target};
use super::completions::{Completion, Sized};
use super::durable::Durable;
use super::pending::{LATE, Waiter, Waiting, lock};
use crate::delivery::{
    BusyReason, Change, DeadNote, Dedupe, Key, KeyRow, NewEntry, NewMessage, QuarantineReason, Record, Seen,
    StoredBody, Verdict, Window,
};
use crate::message::{Dead, Message, Origin, Story};
use crate::nexo::Flags;

/// A dead letter on its way to a queue, where it is a new message.
pub(super) struct Moved {
    /// What becomes of the delivery that died, in the same transaction: neither stands without the other.
    pub(super) leaves: Change,
    pub(super) message: Message,
    pub(super) dead: Dead,
    pub(super) target: Target,
    pub(super) order_hash: u64,
    pub(super) endpoint: Arc<str>,
}

/// A message with its number, not yet published.
struct Decided {
    /// Its place among those that were taken, and among the parts of that one.
    at: (usize, usize),
    message: Message,
    flags: Flags,
    /// The number of the first of its body: that one carries the bytes.
    body_seq: u64,
    key: Option<(Key, KeyRow)>,
}

/// An entry of the quarantine with its number.
struct Kept {
    at: usize,
    seq: u64,
    item: Option<u32>,
    reason: QuarantineReason,
    body_seq: u64,
}

/// How far a group has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing of it is known to be durable.
    Undone,
    /// It is durable, and not all of it is published.
    Durable,
    Published,
}

/// The leader's work. Whatever happens to the leader, dropping it answers everybody.
struct Group<'a> {
    inner: &'a Inner,
    durable: &'a Durable,
    taken: Vec<Waiting>,
    /// By the place of what was taken.
    verdicts: Vec<Verdict>,
    decided: Vec<Decided>,
    kept: Vec<Kept>,
    /// Dead letters on their way to queues, each with the message that it becomes.
    moved: Vec<(Moved, Message)>,
    /// Bodies and items that proved to be duplicates.
    duplicates: u32,
    /// Bad items beside good ones.
    dropped: u32,
    stage: Stage,
}

/// The keys of this group, which are not live yet: for each the time of its first acceptance, and its variants.
#[derive(Default)]
struct Staged(HashMap<u128, (u64, Vec<(u64, u64)>)>);

impl Inner {
    /// Takes a group, commits and publishes it. The caller has made itself the leader, and is it no more after this.
    ///
    /// Where there is nothing to write nothing is written, unless `in_any_case`: that lets retention go on.
    pub(super) fn lead(&self, durable: &Durable, in_any_case: bool) {
        let taken = durable.pending.list().take_group();
        let mut group = Group {
            inner: self,
            durable,
            taken,
            verdicts: vec![],
            decided: vec![],
            kept: vec![],
            moved: vec![],
            duplicates: 0,
            dropped: 0,
            stage: Stage::Undone,
        };
        if durable.ledger.is_latched() {
            return;
        }
        group.decide();
        if group.write(in_any_case) {
            group.stage = Stage::Durable;
            group.publish();
            group.stage = Stage::Published;
        }
    }
}

impl Group<'_> {
    /// Numbers and verdicts, in the order of arrival.
    fn decide(&mut self) {
        let index = lock(&self.inner.dedupe);
        let mut staged = Staged::default();
        // Relaxed: with a store the leader alone gives numbers, and leaders follow each other by the list's lock.
        let mut last = self.inner.last_seq.load(Ordering::Relaxed);
        for (at, waiting) in self.taken.iter().enumerate() {
            let candidate = &waiting.candidate;
            let first = last + 1;
            let decided = self.decided.len();
            let (mut duplicate, mut lost) = (None, false);
            for (part_at, part) in candidate.parts.iter().enumerate() {
                let seen = part.key.map(|(key, digest)| staged.look(&index, &key, digest, candidate.now));
                match seen {
                    Some((Seen::Duplicate { seq }, _)) => {
                        duplicate = duplicate.or(Some(seq));
                        self.duplicates += 1;
                    }
                    // What it was to follow was taken back, or did not come to pass.
                    Some(_) if part.follows => lost = true,
                    _ => {
                        last += 1;
                        let (variant, first_at) = match seen {
                            Some((Seen::Variant, first_at)) => (true, first_at),
                            _ => (false, candidate.now),
                        };
                        let key = part.key.map(|(key, digest)| {
                            staged.learn(&key, digest, last, first_at);
                            (key, KeyRow { hash: key.hash, digest, first_at, seq: last })
                        });
                        let (message, flags) = candidate.message(part, last, variant);
                        self.decided.push(Decided { at: (at, part_at), message, flags, body_seq: first, key });
                    }
                }
            }
            if lost {
                self.decided.truncate(decided);
                staged.forget_from(first);
                last = first - 1;
                self.verdicts.push(LATE);
                continue;
            }
            let count = (last + 1 - first) as u32;
            // A bad item beside a good one is dropped and counted (`drive.md`, Items).
            if count > 0 {
                self.dropped += candidate.bad.len() as u32;
            } else {
                for &(item, reason) in &candidate.bad {
                    last += 1;
                    self.kept.push(Kept { at, seq: last, item, reason, body_seq: first });
                }
            }
            let reason = candidate.bad.first().map(|(_, reason)| *reason);
            self.verdicts.push(match (count, reason, duplicate) {
                (1.., _, _) => Verdict::Accepted { first_seq: first, count, stored: true },
                (0, Some(reason), _) => Verdict::Quarantined { seq: first, stored: true, reason },
                (0, None, Some(seq)) => Verdict::Duplicate { seq },
                (0, None, None) => LATE,
            });
        }
        drop(index);
        self.inner.last_seq.store(last, Ordering::Relaxed);
    }

    /// One transaction; says whether it is durable.
    fn write(&mut self, in_any_case: bool) -> bool {
        let mut unwritten = lock(&self.durable.unwritten);
        let running = self.inner.running.load_full();
        running.take_changes(&self.inner.names, &mut unwritten, true);
        let nothing_new = self.decided.is_empty() && self.kept.is_empty();
        let mut changes = unwritten.all_changes();
        let leaving = self.taken.iter().zip(&self.verdicts).filter(|(_, verdict)| verdict.status() == Some(200));
        changes.extend(leaving.filter_map(|(waiting, _)| waiting.candidate.replays.as_ref()?.leaves.clone()));
        if nothing_new && changes.is_empty() && !in_any_case {
            return true;
        }
        let moved = self.inner.number_moves(&unwritten.moves);
        let group = crate::delivery::Group {
            now: self.inner.now(),
            last_seq: self.inner.last_seq.load(Ordering::Relaxed),
            messages: self.new_messages().chain(unwritten.new_messages(&moved)).collect(),
            quarantined: self.new_entries(),
            changes: &changes,
            forget_keys_before: {
                let index = lock(&self.inner.dedupe);
                [Window::Terminal, Window::Webhook].map(|window| index.oldest_seq(window))
            },
        };
        if self.durable.ledger.commit(&group).is_err() {
            return false;
        }
        self.inner.tally.committed();
        drop(group);
        unwritten.changes.clear();
        self.moved = std::mem::take(&mut unwritten.moves).into_iter().zip(moved).collect();
        true
    }

    fn new_messages(&self) -> impl Iterator<Item = NewMessage<'_>> {
        self.decided.iter().map(|decided| {
            let candidate = &self.taken[decided.at.0].candidate;
            let part = &candidate.parts[decided.at.1];
            let origin = decided.message.origin();
            let is_first = origin.seq == decided.body_seq;
            NewMessage {
                record: Record {
                    seq: origin.seq,
                    item: part.item,
                    received_at: origin.received_at,
                    endpoint: &candidate.endpoint,
                    tag: origin.tag,
                    flags: decided.flags.bits(),
                    origin_seq: candidate.replays.as_ref().map(|replays| replays.origin_seq),
                    dead: None,
                },
                body: if is_first { StoredBody::Own(&candidate.body) } else { StoredBody::Of(decided.body_seq) },
                order_hash: part.order_hash,
                queues: part.targets.iter().map(|target| (target.queue.id, target.lane)).collect(),
                key: decided.key.map(|(key, row)| (key.window, row)),
            }
        })
    }

    fn new_entries(&self) -> Vec<NewEntry<'_>> {
        let entry = |kept: &Kept| {
            let candidate = &self.taken[kept.at].candidate;
            let is_first = kept.seq == kept.body_seq;
            NewEntry {
                seq: kept.seq,
                item: kept.item,
                reason: kept.reason.word(),
                received_at: candidate.origin.received_at,
                endpoint: &candidate.endpoint,
                tag: candidate.origin.tag,
                body: if is_first { StoredBody::Own(&candidate.body) } else { StoredBody::Of(kept.body_seq) },
            }
        };
        self.kept.iter().map(entry).collect()
    }

    /// Keys go live, and handles enter their lanes, in the order of their numbers.
    fn publish(&mut self) {
        let now = self.inner.now();
        let mut index = lock(&self.inner.dedupe);
        for decided in &self.decided {
            if let Some((key, row)) = decided.key {
                index.restore(key.window, row, now);
            }
        }
        drop(index);
        for decided in &self.decided {
            let part: &mut Part = &mut self.taken[decided.at.0].candidate.parts[decided.at.1];
            part.targets.iter_mut().for_each(|target| target.publish(now, decided.message.clone()));
            self.inner.tally.accepted(decided.message.kind(), 1);
        }
        for (moved, message) in &mut self.moved {
            moved.target.publish(now, message.clone());
        }
        self.inner.tally.duplicate(self.duplicates);
        self.inner.tally.items_dropped(self.dropped);
        self.kept.iter().for_each(|_| self.inner.tally.quarantined());
    }
}

impl Drop for Group<'_> {
    /// Answers everybody who is in the group, and all others if the store is latched.
    fn drop(&mut self) {
        let busy = Verdict::Busy { reason: BusyReason::Store };
        if self.stage != Stage::Published {
            // It failed, or the leader panicked: before the sync nothing stands, after it only a reopening can rebuild
            // what was left half done.
            self.durable.ledger.latch();
        }
        if self.stage == Stage::Undone {
            self.verdicts = vec![busy; self.taken.len()];
        }
        let mut list = self.durable.pending.list();
        let others = if self.durable.ledger.is_latched() { list.take_all() } else { vec![] };
        self.taken.iter().chain(&others).for_each(|waiting| list.done(waiting));
        let taken = std::mem::take(&mut self.taken);
        let told = taken.into_iter().zip(self.verdicts.drain(..)).chain(others.into_iter().map(|other| (other, busy)));
        for (waiting, verdict) in told {
            let (bytes, messages) = (waiting.candidate.body.len(), waiting.candidate.count());
            self.inner.answer(verdict, bytes);
            match &waiting.waiter {
                Waiter::Blocked(slot) => slot.tell(verdict),
                Waiter::Submitted(id) => {
                    let completion = Completion { id: *id, verdict };
                    self.durable.completions.push(Sized { completion, messages, bytes });
                }
            }
        }
        self.durable.pending.end_leading(list);
    }
}

impl Moved {
    pub(super) fn message(&self, seq: u64) -> Message {
        let story = Story { origin_seq: Some(self.message.origin().seq), dead: Some(self.dead.clone()) };
        self.message.again(Origin { seq, ..self.message.origin() }, Some(Arc::new(story)))
    }

    pub(super) fn stored<'m>(&'m self, message: &'m Message) -> NewMessage<'m> {
        let origin = message.origin();
        NewMessage {
            record: Record {
                seq: origin.seq,
                item: origin.item,
                received_at: origin.received_at,
                endpoint: &self.endpoint,
                tag: origin.tag,
                flags: message.fields().flags.delivery().bits(),
                origin_seq: Some(self.message.origin().seq),
                dead: Some(DeadNote {
                    queue: self.dead.queue.clone(),
                    reason: self.dead.reason.clone(),
                    attempts: self.dead.attempts,
                }),
            },
            body: StoredBody::Own(message.received()),
            order_hash: self.order_hash,
            queues: vec![(self.target.queue.id, self.target.lane)],
            key: None,
        }
    }
}

impl Staged {
    /// What is known of a key, and when it was first accepted if it is.
    fn look(&self, live: &Dedupe, key: &Key, digest: u64, now: u64) -> (Seen, u64) {
        if let Some((first_at, variants)) = self.0.get(&key.hash) {
            let known = variants.iter().find(|(known, _)| *known == digest);
            if let Some(&(_, seq)) = known {
                return (Seen::Duplicate { seq }, *first_at);
            }
            if live.look(key, digest, now) == Seen::New {
                return (Seen::Variant, *first_at);
            }
        }
        (live.look(key, digest, now), live.row(key, digest, 0, now).first_at)
    }

    fn learn(&mut self, key: &Key, digest: u64, seq: u64, first_at: u64) {
        self.0.entry(key.hash).or_insert((first_at, vec![])).1.push((digest, seq));
    }

    /// Forgets what has this number or a later one.
    fn forget_from(&mut self, seq: u64) {
        self.0.retain(|_, (_, variants)| {
            variants.retain(|(_, known)| *known < seq);
            !variants.is_empty()
        });
    }
}
