//! The model: plain lists, and the rules in the words of `delivery.md`.

use crate::fake::Fake;
use nexowire_core::queue::{Fate, Nack, Published, QueueOptions, Refused, WhenFull};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(super) const CONSUMERS: usize = 3;

#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) seq: u64,
    pub(super) attempt: u32,
    pub(super) failures: u32,
    /// When it comes back, of one that is delayed.
    due: u64,
}

impl Waiting {
    fn new(seq: u64) -> Self {
        Self { seq, attempt: 0, failures: 0, due: 0 }
    }
}

/// What a store is to be told of a message; its state is looked up when it is.
enum Note {
    State,
    Over(Fate),
}

#[derive(Default)]
pub(super) struct Lane {
    pub(super) front: Vec<Waiting>,
    pub(super) delayed: Vec<Waiting>,
    /// The batch: whose it is, when it last gave a sign of life, and what is left of it.
    pub(super) batch: Option<(usize, u64, Vec<Waiting>)>,
    pub(super) is_behind: bool,
    /// What is in the backlog only.
    pub(super) behind: Vec<u64>,
    read: u64,
    last: u64,
    notes: BTreeMap<u64, Note>,
    noted_at: u64,
}

impl Lane {
    fn in_memory(&self) -> usize {
        self.front.len() + self.delayed.len() + self.batch.as_ref().map_or(0, |batch| batch.2.len())
    }

    fn come_back(&mut self, waiting: Waiting) {
        self.front.push(Waiting { due: 0, ..waiting });
        self.front.sort_by_key(|waiting| waiting.seq);
    }

    fn note(&mut self, now: u64, seq: u64, note: Note) {
        if self.notes.is_empty() {
            self.noted_at = now;
        }
        self.notes.insert(seq, note);
    }

    fn all_in_memory(&self) -> impl Iterator<Item = &Waiting> {
        let batch = self.batch.iter().flat_map(|batch| &batch.2);
        self.front.iter().chain(&self.delayed).chain(batch)
    }
}

pub(super) struct Model {
    pub(super) options: QueueOptions,
    pub(super) fake: Option<Arc<Fake>>,
    pub(super) fails: bool,
    pub(super) at_most: usize,
    pub(super) closed: bool,
    pub(super) shut: bool,
    pub(super) now: u64,
    pub(super) lanes: Vec<Lane>,
    pub(super) tokens: VecDeque<usize>,
    /// What each consumer's last poll handed out and it has not let go.
    handed: Vec<Vec<u64>>,
    /// The lanes that each consumer holds, in the order in which it took them.
    orders: Vec<Vec<usize>>,
    /// Acked, nacked, dropped, dead.
    pub(super) counts: [u64; 4],
    pub(super) letters: Vec<(u64, String, u32)>,
}

impl Model {
    pub(super) fn new(options: QueueOptions, fake: Option<Arc<Fake>>, at_most: usize) -> Self {
        Self {
            options,
            fake,
            fails: false,
            at_most,
            closed: false,
            shut: false,
            now: 0,
            lanes: (0..options.lanes).map(|_| Lane::default()).collect(),
            tokens: VecDeque::new(),
            handed: vec![Vec::new(); CONSUMERS],
            orders: vec![Vec::new(); CONSUMERS],
            counts: [0; 4],
            letters: Vec::new(),
        }
    }

    fn capacity(&self) -> usize {
        self.options.capacity as usize
    }

    pub(super) fn pending(&self, lane: usize) -> usize {
        self.lanes[lane].in_memory() + self.lanes[lane].behind.len()
    }

    pub(super) fn is_over(&self) -> bool {
        self.shut || self.closed && (0..self.lanes.len()).all(|lane| self.pending(lane) == 0)
    }

    /// A lane with something to hand out, in nobody's hands, has a token.
    fn stir(&mut self, lane: usize) {
        let it = &self.lanes[lane];
        let has_more = !it.front.is_empty() || it.is_behind && it.in_memory() < self.capacity();
        if it.batch.is_none() && has_more && !self.tokens.contains(&lane) {
            self.tokens.push_back(lane);
        }
    }

    fn free(&mut self, lane: usize) {
        let it = &mut self.lanes[lane];
        if it.batch.as_ref().is_some_and(|batch| batch.2.is_empty()) {
            it.batch = None;
        }
        self.stir(lane);
    }

    fn over(&mut self, lane: usize, seq: u64, fate: Fate) {
        if self.fake.is_some() {
            self.lanes[lane].note(self.now, seq, Note::Over(fate));
        }
    }

    fn changed(&mut self, lane: usize, seq: u64) {
        if self.fake.is_some() {
            self.lanes[lane].note(self.now, seq, Note::State);
        }
    }

    /// The oldest in nobody's hands leaves, if there is one.
    fn drop_oldest(&mut self, lane: usize) -> bool {
        let it = &mut self.lanes[lane];
        let front = it.front.first().map(|waiting| waiting.seq);
        let delayed = it.delayed.iter().map(|waiting| waiting.seq).min();
        let seq = if let Some(seq) = [front, delayed].into_iter().flatten().min() {
            it.front.retain(|waiting| waiting.seq != seq);
            it.delayed.retain(|waiting| waiting.seq != seq);
            seq
        } else if it.is_behind && !self.fails {
            if it.behind.is_empty() {
                it.is_behind = false;
                return false;
            }
            let seq = it.behind.remove(0);
            it.read = seq;
            it.is_behind = it.read < it.last;
            seq
        } else {
            return false;
        };
        self.counts[2] += 1;
        self.over(lane, seq, Fate::Done);
        true
    }

    pub(super) fn send(&mut self, lane: usize, seq: u64) -> Result<Published, Refused> {
        if self.closed {
            return Err(Refused::Closed);
        }
        let when_full = match self.options.when_full {
            WhenFull::Spill if self.fake.is_none() => WhenFull::Refuse,
            when_full => when_full,
        };
        let mut is_full = self.pending(lane) >= self.capacity();
        if is_full && when_full == WhenFull::Refuse {
            return Err(Refused::Full);
        }
        if is_full && when_full == WhenFull::DropOldest {
            is_full = !self.drop_oldest(lane) && self.pending(lane) > self.capacity();
            if is_full && !self.lanes[lane].is_behind {
                self.counts[2] += 1;
                self.over(lane, seq, Fate::Done);
                return Ok(Published::Dropped);
            }
        }
        let it = &mut self.lanes[lane];
        it.last = seq;
        it.is_behind |= is_full;
        let published = if it.is_behind {
            it.behind.push(seq);
            Published::Spilled
        } else {
            it.read = seq;
            it.front.push(Waiting::new(seq));
            Published::Entered
        };
        self.stir(lane);
        Ok(published)
    }

    fn holder_of(&self, lane: usize) -> Option<usize> {
        self.lanes[lane].batch.as_ref().map(|batch| batch.0)
    }

    fn ack(&mut self, seq: u64) -> bool {
        let lane = (0..self.lanes.len()).find(|&lane| self.take(lane, seq));
        lane.inspect(|&lane| self.free(lane)).is_some()
    }

    /// Acks one after the other. Those that lie next to each other in a lane of this consumer are one step: the lane is
    /// free when all of them are done, and not for a moment between two.
    pub(super) fn ack_all(&mut self, consumer: usize, seqs: &[u64]) -> usize {
        let (mut rest, mut done) = (if self.shut { &[] } else { seqs }, 0);
        while let [first, others @ ..] = rest {
            let mine = (0..self.lanes.len()).filter(|&lane| self.holder_of(lane) == Some(consumer)).collect::<Vec<_>>();
            let Some(&lane) = mine.iter().find(|&&lane| self.take(lane, *first)) else {
                done += usize::from(self.ack(*first));
                rest = others;
                continue;
            };
            let more = others.iter().take_while(|&&seq| self.take(lane, seq)).count();
            self.free(lane);
            done += 1 + more;
            rest = &others[more..];
        }
        done
    }

    /// Takes one that has been handed out from a lane: from the hands, from the front or from its delay.
    fn take(&mut self, lane: usize, seq: u64) -> bool {
        let it = &mut self.lanes[lane];
        let before = it.in_memory();
        if let Some((_, alive, left)) = &mut it.batch
            && let Some(at) = left.iter().position(|waiting| waiting.seq == seq)
        {
            left.remove(at);
            *alive = self.now;
        }
        it.front.retain(|waiting| waiting.seq != seq || waiting.attempt == 0);
        it.delayed.retain(|waiting| waiting.seq != seq);
        if it.in_memory() == before {
            return false;
        }
        self.counts[0] += 1;
        self.over(lane, seq, Fate::Done);
        true
    }

    /// A late ack of what is in the backlog only, or has come into memory since it was.
    pub(super) fn ack_behind(&mut self, lane: usize, seq: u64) -> bool {
        if self.shut {
            return false;
        }
        if self.take(lane, seq) {
            self.free(lane);
            return true;
        }
        let behind = &mut self.lanes[lane].behind;
        let Some(at) = behind.iter().position(|&other| other == seq) else { return false };
        behind.remove(at);
        self.counts[0] += 1;
        self.over(lane, seq, Fate::Done);
        true
    }

    /// Takes one out of this consumer's hands: a sign of life.
    fn let_go(&mut self, consumer: usize, seq: u64) -> Option<(usize, Waiting)> {
        let lane = (0..self.lanes.len()).find(|&lane| self.extend_one(lane, consumer, seq))?;
        self.handed[consumer].retain(|&other| other != seq);
        let left = &mut self.lanes[lane].batch.as_mut()?.2;
        let at = left.iter().position(|waiting| waiting.seq == seq)?;
        Some((lane, left.remove(at)))
    }

    fn extend_one(&mut self, lane: usize, consumer: usize, seq: u64) -> bool {
        match &mut self.lanes[lane].batch {
            Some((holder, alive, left)) if *holder == consumer && left.iter().any(|waiting| waiting.seq == seq) => {
                *alive = self.now;
                true
            }
            _ => false,
        }
    }

    pub(super) fn extend(&mut self, consumer: usize, seqs: &[u64]) -> usize {
        let mut seqs = if self.shut { vec![] } else { seqs.to_vec() };
        seqs.sort_unstable();
        seqs.dedup();
        let each = |&seq: &u64| (0..self.lanes.len()).any(|lane| self.extend_one(lane, consumer, seq));
        seqs.iter().map(each).filter(|found| *found).count()
    }

    pub(super) fn release(&mut self, consumer: usize, seq: u64) -> bool {
        let found = if self.shut { None } else { self.let_go(consumer, seq) };
        let Some((lane, waiting)) = found else { return false };
        self.lanes[lane].come_back(waiting);
        self.free(lane);
        true
    }

    pub(super) fn nack(&mut self, consumer: usize, seq: u64, nack: &Nack) -> bool {
        let found = if self.shut { None } else { self.let_go(consumer, seq) };
        let Some((lane, mut waiting)) = found else { return false };
        self.counts[1] += 1;
        waiting.failures += 1;
        if nack.dead || waiting.failures >= self.options.max_attempts {
            self.bury(lane, waiting, nack.reason.as_deref().unwrap_or("nack"));
        } else {
            let doubled = self.options.retry_ms << (waiting.failures - 1);
            let delay = nack.delay_ms.unwrap_or(doubled.min(self.options.retry_max_ms));
            waiting.due = self.now + delay;
            self.changed(lane, seq);
            if delay == 0 {
                self.lanes[lane].come_back(waiting);
            } else {
                self.lanes[lane].delayed.push(waiting);
            }
        }
        self.free(lane);
        true
    }

    fn bury(&mut self, lane: usize, waiting: Waiting, reason: &str) {
        self.counts[3] += 1;
        self.letters.push((waiting.seq, reason.to_owned(), waiting.attempt));
        self.over(lane, waiting.seq, Fate::Dead { reason: reason.to_owned(), attempts: waiting.attempt });
    }
}

#[path = "time.rs"]
mod time;
