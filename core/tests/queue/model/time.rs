//! Of the model: polls, what comes back by itself, and what the store sees.

use super::{CONSUMERS, Lane, Model, Note, Waiting};
use nexowire_core::queue::{Change, Fate, PollError};

impl Model {
    fn put_back(&mut self, lane: usize) -> usize {
        let left = std::mem::take(&mut self.lanes[lane].batch.as_mut().unwrap().2);
        left.iter().for_each(|&waiting| self.lanes[lane].come_back(waiting));
        self.free(lane);
        left.len()
    }

    /// Everything that ends by itself: when, in which lane, and whether it is a delay.
    fn deadlines(&self) -> Vec<(u64, usize, bool)> {
        let wait = self.options.ack_wait_ms;
        let of = |lane: usize| {
            let it = &self.lanes[lane];
            let batch = it.batch.as_ref().filter(|_| wait > 0).map(|batch| (batch.1 + wait, lane, false));
            batch.into_iter().chain(it.delayed.iter().map(move |waiting| (waiting.due, lane, true)))
        };
        (0..self.lanes.len()).flat_map(of).collect()
    }

    pub(in super::super) fn next_deadline(&self) -> Option<u64> {
        self.deadlines().into_iter().map(|(due, ..)| due).min()
    }

    pub(in super::super) fn expire(&mut self) -> usize {
        let mut ended = self.deadlines();
        ended.retain(|&(due, ..)| due <= self.now);
        ended.sort_unstable();
        for &(due, lane, is_delay) in &ended {
            if is_delay {
                let it = &mut self.lanes[lane];
                let at = it.delayed.iter().position(|waiting| waiting.due == due).unwrap();
                let waiting = it.delayed.remove(at);
                it.come_back(waiting);
                self.stir(lane);
                continue;
            }
            let mut first = self.lanes[lane].batch.as_mut().unwrap().2.remove(0);
            first.failures += 1;
            if first.failures >= self.options.max_attempts {
                self.bury(lane, first, "ack_wait");
            } else {
                self.changed(lane, first.seq);
                self.lanes[lane].batch.as_mut().unwrap().2.insert(0, first);
            }
            self.put_back(lane);
        }
        ended.len()
    }

    /// A consumer leaves, and gives back what it holds.
    pub(in super::super) fn renew(&mut self, consumer: usize) -> usize {
        self.handed[consumer].clear();
        self.held_by(consumer).into_iter().map(|lane| self.put_back(lane)).sum()
    }

    fn held_by(&mut self, consumer: usize) -> Vec<usize> {
        let mut order = std::mem::take(&mut self.orders[consumer]);
        order.retain(|&lane| self.holder_of(lane) == Some(consumer));
        order
    }

    /// Reads a lane that is behind until something waits in front of it; says whether that went well.
    fn refill(&mut self, lane: usize, wanted: usize, has_failed: bool) -> bool {
        let (capacity, now) = (self.capacity(), self.now);
        let Some(fake) = self.fake.clone() else { return true };
        let it = &mut self.lanes[lane];
        let mut reads = 0;
        while it.is_behind && it.front.len() < wanted && it.in_memory() < capacity {
            let has_some = !it.front.is_empty();
            if has_some && (reads > 0 || has_failed || self.fails) {
                return true;
            }
            if has_failed || self.fails {
                return false;
            }
            reads += 1;
            let max = (capacity / 2).max(1).min(capacity - it.in_memory()).min(self.at_most);
            let rows = fake.lane(lane as u32).into_iter().filter(|&seq| seq > it.read && seq <= it.last);
            let rows: Vec<u64> = rows.take(max).collect();
            it.read = rows.last().copied().unwrap_or(it.last);
            for seq in rows {
                if !it.behind.contains(&seq) {
                    continue;
                }
                let (attempt, failures, due) = fake.get(lane as u32, seq).unwrap();
                let waiting = Waiting { seq, attempt, failures, due };
                if due > now { it.delayed.push(waiting) } else { it.come_back(waiting) }
            }
            let read = it.read;
            it.behind.retain(|&seq| seq > read);
            it.is_behind = it.read < it.last;
        }
        true
    }

    /// Takes a batch; says whether there was something.
    fn take_batch(&mut self, consumer: usize, lane: usize, room: usize, out: &mut Vec<(u64, u32)>) -> bool {
        let it = &mut self.lanes[lane];
        let count = room.min(it.front.len());
        let mut batch: Vec<Waiting> = it.front.drain(..count).collect();
        if batch.is_empty() {
            self.stir(lane);
            return false;
        }
        batch.iter_mut().for_each(|waiting| waiting.attempt += 1);
        out.extend(batch.iter().map(|waiting| (waiting.seq, waiting.attempt)));
        it.batch = Some((consumer, self.now, batch.clone()));
        batch.iter().for_each(|waiting| self.changed(lane, waiting.seq));
        self.orders[consumer].retain(|&other| other != lane);
        self.orders[consumer].push(lane);
        true
    }

    pub(in super::super) fn poll(&mut self, consumer: usize, max: usize) -> Result<Vec<(u64, u32)>, PollError> {
        if self.shut {
            return Err(PollError::Closed);
        }
        if self.options.ack_on_poll && self.fake.is_none() {
            // Lane by lane, as they were taken; then what has been taken away.
            for lane in self.held_by(consumer) {
                let left = self.lanes[lane].batch.as_ref().unwrap().2.clone();
                left.iter().for_each(|waiting| assert!(self.take(lane, waiting.seq)));
                self.free(lane);
            }
            for seq in std::mem::take(&mut self.handed[consumer]) {
                self.ack(seq);
            }
        }
        self.expire();
        let mut share = self.tokens.len().div_ceil(CONSUMERS).max(1);
        let (mut out, mut aside) = (Vec::new(), Vec::new());
        while share > 0 && out.len() < max {
            let Some(lane) = self.tokens.pop_front() else { break };
            let room = (max - out.len()).min(self.capacity());
            if !self.refill(lane, room, !aside.is_empty()) {
                aside.push(lane);
            } else if self.take_batch(consumer, lane, room, &mut out) {
                share -= 1;
            }
        }
        let has_failed = !aside.is_empty();
        self.tokens.extend(aside);
        self.handed[consumer].extend(out.iter().map(|&(seq, _)| seq));
        match out.len() {
            0 if has_failed => Err(PollError::Store),
            0 if max > 0 && self.is_over() => Err(PollError::Closed),
            _ => Ok(out),
        }
    }

    pub(in super::super) fn restore(&mut self, last: u64) {
        let fake = self.fake.clone().unwrap();
        for lane in 0..self.lanes.len() {
            let mut notes = std::mem::take(&mut self.lanes[lane].notes);
            notes.retain(|_, note| matches!(note, Note::Over(_)));
            let rows = fake.lane(lane as u32);
            let is_behind = !rows.is_empty();
            let behind = rows.into_iter().filter(|seq| !notes.contains_key(seq)).collect();
            let noted_at = self.lanes[lane].noted_at;
            self.lanes[lane] = Lane { is_behind, behind, last, notes, noted_at, ..Lane::default() };
            self.stir(lane);
        }
    }

    pub(in super::super) fn unwritten(&self) -> (usize, Option<u64>) {
        let lanes = self.lanes.iter().filter(|lane| !lane.notes.is_empty());
        (self.lanes.iter().map(|lane| lane.notes.len()).sum(), lanes.map(|lane| lane.noted_at).min())
    }

    /// What the store is to be told, by lane and number.
    pub(in super::super) fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (index, lane) in (0..).zip(&mut self.lanes) {
            for (seq, note) in std::mem::take(&mut lane.notes) {
                let fate = match note {
                    Note::Over(fate) => fate,
                    Note::State => {
                        let waiting = lane.all_in_memory().find(|waiting| waiting.seq == seq).unwrap();
                        Fate::State { attempt: waiting.attempt, failures: waiting.failures, due: waiting.due }
                    }
                };
                changes.push(Change { lane: index, seq, fate });
            }
        }
        changes
    }
}
