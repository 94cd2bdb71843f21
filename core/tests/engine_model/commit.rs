//! Of the model: a commit.

use crate::bodies::Wanted;
use crate::model::{Delivery, Entry, Leaves, Logged, Model, Move, Spilled, Waiting, busy};
use crate::setup::{D, Full};
use nexowire_core::delivery::{BusyReason, QuarantineReason, Verdict};

/// Number, message, time of the first acceptance of its key, and queues with permits.
pub(crate) type Accepted = (u64, Logged, Option<u64>, Vec<(usize, bool)>);

/// What one commit writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effect {
    pub(crate) accepted: Vec<Accepted>,
    entries: Vec<(u64, Entry)>,
    leaves: Vec<Leaves>,
    pub(crate) moved: Vec<(u64, Move)>,
}

impl Model {
    /// Commits what waits; `fails` says that the store fails, and whether the changes are there all the same. Answers
    /// the verdicts of those who wait in threads.
    pub(crate) fn commit(&mut self, fails: Option<bool>) -> Vec<Verdict> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let (mut effect, mut verdicts) = self.decide(&waiting);
        let new = !(effect.accepted.is_empty() && effect.entries.is_empty() && effect.leaves.is_empty());
        let writes = new || self.dirty.expect("known") || !self.moves.is_empty();
        for moved in self.moves.clone() {
            self.last_seq += 1;
            effect.moved.push((self.last_seq, moved));
        }
        waiting.iter_mut().for_each(|waiting| self.give_back(waiting));
        if let Some(keeps) = fails.filter(|_| writes) {
            self.latched = true;
            self.kept = keeps.then_some(effect);
            verdicts = vec![busy(BusyReason::Store); waiting.len()];
        } else {
            self.dirty = Some(false);
            self.moves.clear();
            self.publish_all(effect);
        }
        let mut blocked = vec![];
        for (waiting, verdict) in waiting.iter().zip(verdicts) {
            match waiting.id {
                None => blocked.push(verdict),
                Some(id) => self.unread.push_back((id, verdict, waiting.count())),
            }
        }
        blocked
    }

    fn decide(&mut self, all: &[Waiting]) -> (Effect, Vec<Verdict>) {
        let (mut effect, mut verdicts) = (Effect::default(), vec![]);
        for waiting in all {
            let (first, mut duplicate) = (self.last_seq + 1, None);
            for part in &waiting.parts {
                let wanted = part.wanted;
                let known = |(seq, other, ..): &(u64, Logged, Option<u64>, Vec<_>)| {
                    let same = other.wanted.key == wanted.key && other.wanted.digest == wanted.digest;
                    same.then_some(*seq)
                };
                let keyed = || effect.accepted.iter().filter(|accepted| accepted.2.is_some());
                let staged = keyed().find_map(known).or_else(|| self.duplicate_of(&wanted, waiting.now));
                if let Some(seq) = staged.filter(|_| part.has_key) {
                    duplicate = duplicate.or(Some(seq));
                    continue;
                }
                let before = keyed().find(|(_, other, ..)| other.wanted.key == wanted.key).and_then(|other| other.2);
                let live = self.live(&wanted.key, waiting.now).map(|_| self.keys[&wanted.key].0);
                let first_at = live.or(before);
                self.last_seq += 1;
                let logged = Logged {
                    text: waiting.text.clone(),
                    wanted,
                    variant: part.variant.map(|was| was || (part.has_key && first_at.is_some())),
                    origin: waiting.origin,
                    replayed: waiting.origin.is_some(),
                    died: None,
                    received_at: waiting.received_at,
                    queues: part.queues.iter().map(|(queue, _)| *queue).collect(),
                };
                let first_at = part.has_key.then_some(first_at.unwrap_or(waiting.now));
                effect.accepted.push((self.last_seq, logged, first_at, part.queues.clone()));
            }
            let count = (self.last_seq + 1 - first) as u32;
            if count == 0 {
                self.keep(waiting, &mut effect);
            }
            let reason = waiting.bad.first().and_then(|(_, reason)| QuarantineReason::from_word(reason));
            verdicts.push(match (count, reason, duplicate) {
                (1.., ..) => Verdict::Accepted { first_seq: first, count, stored: true },
                (0, Some(reason), _) => Verdict::Quarantined { seq: first, stored: true, reason },
                (0, None, duplicate) => Verdict::Duplicate { seq: duplicate.expect("of one") },
            });
            effect.leaves.extend(waiting.leaves);
        }
        (effect, verdicts)
    }

    fn keep(&mut self, waiting: &Waiting, effect: &mut Effect) {
        for &(item, reason) in &waiting.bad {
            self.last_seq += 1;
            let wanted = waiting.all.iter().filter(|wanted| item.is_none() || wanted.item == item).copied().collect();
            let entry = Entry { item, reason, received_at: waiting.received_at, text: waiting.text.clone(), wanted };
            effect.entries.push((self.last_seq, entry));
        }
    }

    fn publish_all(&mut self, effect: Effect) {
        let Effect { accepted, entries, leaves, moved } = effect;
        for (seq, logged, first_at, _) in &accepted {
            self.learn(&logged.wanted, *seq, *first_at);
        }
        for (seq, logged, _, queues) in accepted {
            self.log.insert(seq, logged);
            for (queue, has_permit) in queues {
                self.publish(queue, seq, has_permit);
            }
        }
        self.quarantine.extend(entries);
        let dirty = self.dirty;
        leaves.into_iter().for_each(|leaves| self.leave(Some(leaves)));
        self.dirty = dirty;
        for (seq, moved) in moved {
            self.log.insert(seq, self.moved(&moved));
            self.publish(D, seq, false);
        }
    }

    fn learn(&mut self, wanted: &Wanted, seq: u64, first_at: Option<u64>) {
        let Some(first_at) = first_at.filter(|at| self.now.saturating_sub(*at) < Self::window(&wanted.key)) else {
            return;
        };
        let key = self.keys.entry(wanted.key).or_insert((first_at, vec![]));
        if key.0 != first_at {
            *key = (first_at, vec![]);
        }
        key.1.push((wanted.digest, seq));
    }

    fn moved(&self, moved: &Move) -> Logged {
        let Move { queue, seq, reason, attempts } = moved.clone();
        let died = Some((queue, reason, attempts));
        Logged { origin: Some(seq), died, variant: None, replayed: false, queues: vec![D], ..self.log[&seq].clone() }
    }

    fn publish(&mut self, queue: usize, seq: u64, has_permit: bool) {
        let lane = self.lane(queue, seq);
        let used = self.used(queue, lane);
        let capacity = self.setup.capacity[queue] as usize;
        let mut finds_room = has_permit || used < capacity;
        if !finds_room && self.setup.full[queue] == Full::Drop {
            let oldest = self.in_lane(queue, lane).into_iter().find(|&seq| !self.is_held(queue, seq));
            match oldest {
                Some(oldest) => {
                    self.queues[queue].deliveries.remove(&oldest);
                    self.dirty = Some(true);
                }
                None => assert!(used <= capacity, "no batch is larger than the capacity"),
            }
            finds_room = true;
        }
        let spilled = match (finds_room, self.queues[queue].behind.contains(&lane)) {
            (false, _) => Spilled::Yes,
            (true, true) => Spilled::Maybe,
            (true, false) => Spilled::No,
        };
        if !finds_room {
            self.queues[queue].behind.insert(lane);
        }
        let delivery = Delivery { attempt: 0, failures: 0, due: 0, spilled, gone: false };
        self.queues[queue].deliveries.insert(seq, delivery);
    }

    /// What a commit that failed has left in the store: it was accepted, and waits there.
    pub(crate) fn apply_kept(&mut self) {
        let Some(effect) = self.kept.take() else { return };
        // Nothing is dropped for it: it went where there is always room.
        let (queues, full) = (std::mem::take(&mut self.queues), self.setup.full);
        self.setup.full = [Full::Spill; 3];
        self.moves.retain(|moved| !effect.moved.iter().any(|(_, other)| other.seq == moved.seq));
        self.publish_all(effect);
        self.setup.full = full;
        let new = std::mem::replace(&mut self.queues, queues);
        for (queue, new) in self.queues.iter_mut().zip(new) {
            queue.deliveries.extend(new.deliveries);
        }
    }

    /// Dead letters that were to be moved when the store failed.
    pub(crate) fn move_left_over(&mut self) {
        for moved in std::mem::take(&mut self.moves) {
            self.last_seq += 1;
            self.log.insert(self.last_seq, self.moved(&moved));
            let delivery = Delivery { attempt: 0, failures: 0, due: 0, spilled: Spilled::No, gone: false };
            self.queues[D].deliveries.insert(self.last_seq, delivery);
        }
    }
}
