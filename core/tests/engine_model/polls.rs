//! Of the model: the way out.

use crate::model::{Batch, Delivery, Model, Move, Spilled};
use crate::setup::{B, D};
use nexowire_core::engine::Delivered;
use nexowire_core::nexo::Flags;
use nexowire_core::queue::{Nack, PollError};
use std::collections::BTreeMap;

/// Consumers of each queue.
pub(crate) const CONSUMERS: usize = 2;

impl Model {
    /// What may be handed out of a lane that nobody owns, in order.
    pub(crate) fn eligible(&self, queue: usize, lane: u32) -> Vec<u64> {
        let free = |seq: &u64| self.queues[queue].deliveries[seq].due == 0 && !self.is_held(queue, *seq);
        self.in_lane(queue, lane).into_iter().filter(free).collect()
    }

    /// Everything of a queue that ends by itself, in the order of the deadlines; says whether somebody lost a batch.
    pub(crate) fn expire(&mut self, queue: usize) -> bool {
        let mut ended = vec![];
        for (lane, batch) in &self.queues[queue].batches {
            if self.setup.ack_wait > 0 && batch.alive + self.setup.ack_wait <= self.now {
                ended.push((batch.alive + self.setup.ack_wait, *lane));
            }
        }
        for delivery in self.queues[queue].deliveries.values_mut() {
            if delivery.due <= self.now {
                delivery.due = 0;
            }
        }
        ended.sort_unstable();
        for (_, lane) in &ended {
            let batch = self.queues[queue].batches.remove(lane).unwrap();
            let first = *batch.seqs.first().unwrap();
            self.dirty = Some(true);
            self.fail(queue, first, 0, false, "ack_wait");
        }
        !ended.is_empty()
    }

    /// A failure of a message that is in nobody's hands any more.
    fn fail(&mut self, queue: usize, seq: u64, due: u64, dead: bool, reason: &str) {
        let max = self.setup.max_attempts;
        let delivery = self.queues[queue].deliveries.get_mut(&seq).unwrap();
        delivery.failures += 1;
        delivery.due = due;
        let attempts = delivery.attempt;
        if !dead && delivery.failures < max {
            return;
        }
        self.queues[queue].deliveries.remove(&seq);
        if queue == B {
            self.moves.push(Move { queue, seq, reason: reason.to_owned(), attempts });
        } else {
            self.dead.insert((seq, queue), (reason.to_owned(), attempts));
        }
    }

    /// Takes one out of the hands; a sign of life. Says whether `consumer`, or anybody, held it.
    fn take(&mut self, queue: usize, consumer: Option<usize>, seq: u64) -> bool {
        let now = self.now;
        let holds = |batch: &Batch| batch.seqs.contains(&seq) && consumer.is_none_or(|one| one == batch.consumer);
        let found = self.queues[queue].batches.iter_mut().find(|(_, batch)| holds(batch));
        let Some((&lane, batch)) = found else { return false };
        batch.seqs.remove(&seq);
        batch.alive = now;
        if batch.seqs.is_empty() {
            self.queues[queue].batches.remove(&lane);
        }
        true
    }

    pub(crate) fn ack(&mut self, queue: usize, seq: u64) -> bool {
        if self.queues[queue].deliveries.get(&seq).is_none_or(|delivery| delivery.attempt == 0) {
            return false;
        }
        self.take(queue, None, seq);
        self.queues[queue].deliveries.remove(&seq);
        self.dirty = Some(true);
        true
    }

    pub(crate) fn nack(&mut self, queue: usize, consumer: usize, seq: u64, nack: &Nack) -> bool {
        if !self.take(queue, Some(consumer), seq) {
            return false;
        }
        self.dirty = Some(true);
        let pause = self.setup.pause(self.queues[queue].deliveries[&seq].failures + 1);
        let delay = nack.delay_ms.unwrap_or(pause);
        let due = if delay == 0 { 0 } else { self.now + delay };
        self.fail(queue, seq, due, nack.dead, nack.reason.as_deref().unwrap_or("nack"));
        true
    }

    pub(crate) fn release(&mut self, queue: usize, consumer: usize, seq: u64) -> bool {
        self.take(queue, Some(consumer), seq)
    }

    pub(crate) fn extend(&mut self, queue: usize, consumer: usize, seq: u64) -> bool {
        let now = self.now;
        let mut batches = self.queues[queue].batches.values_mut();
        let found = batches.find(|batch| batch.consumer == consumer && batch.seqs.contains(&seq));
        found.map(|batch| batch.alive = now).is_some()
    }

    /// A consumer ends; how many messages it gives back.
    pub(crate) fn drop_consumer(&mut self, queue: usize, consumer: usize) -> usize {
        let mine = |batch: &Batch| batch.consumer == consumer;
        let count = self.queues[queue].batches.values().filter(|batch| mine(batch)).map(|batch| batch.seqs.len()).sum();
        self.queues[queue].batches.retain(|_, batch| !mine(batch));
        count
    }

    /// Checks what a poll has handed out, and takes note of it.
    pub(crate) fn polled(
        &mut self,
        (queue, consumer, max): (usize, usize, usize),
        answer: Result<usize, PollError>,
        got: &[Delivered],
    ) {
        self.expire(queue);
        let lanes = 0..self.setup.lanes[queue];
        let free = |model: &Self, lane: &u32| !model.queues[queue].batches.contains_key(lane);
        // A lane whose memory is full of messages that wait for their delay may have the rest in the store only.
        let is_ready = |model: &Self, lane: &u32| {
            let all = model.in_lane(queue, *lane);
            let delayed = all.iter().filter(|seq| model.queues[queue].deliveries[seq].due > 0).count();
            let stuck = model.queues[queue].behind.contains(lane) && delayed >= model.setup.capacity[queue] as usize;
            free(model, lane) && !model.eligible(queue, *lane).is_empty() && !stuck
        };
        let ready = lanes.clone().filter(|lane| is_ready(self, lane)).count();
        let possible = lanes.clone().filter(|lane| free(self, lane) && !self.eligible(queue, *lane).is_empty()).count();
        let mut mine: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        let mut current = None;
        for delivered in got {
            let seq = delivered.message.origin().seq;
            assert!(self.queues[queue].deliveries.contains_key(&seq), "{seq} is not pending");
            let lane = self.lane(queue, seq);
            if current != Some(lane) {
                assert!(free(self, &lane) && !mine.contains_key(&lane), "the lane of {seq} is owned");
                current = Some(lane);
            }
            let batch = mine.entry(lane).or_default();
            let next = self.eligible(queue, lane).into_iter().find(|seq| !batch.contains(seq));
            assert_eq!(next, Some(seq), "in order");
            batch.push(seq);
            assert!(batch.len() <= self.setup.capacity[queue] as usize);
            self.check(queue, delivered);
            let delivery = self.queues[queue].deliveries.get_mut(&seq).unwrap();
            delivery.attempt += 1;
            assert_eq!(delivered.attempt, delivery.attempt, "attempt of {seq}");
        }
        assert!(got.len() <= max);
        if max > 0 && !self.latched && got.len() < max {
            let share = ready.div_ceil(CONSUMERS);
            assert!(mine.len() >= share, "{} of {ready} ready lanes, a share is {share}", mine.len());
        }
        match answer {
            Ok(count) => {
                assert_eq!(count, got.len());
                assert!(count > 0 || max == 0 || possible == 0 || !self.latched || ready == 0, "it should say Store");
            }
            Err(error) => {
                assert_eq!((error, self.latched, got.len()), (PollError::Store, true, 0));
                // A lane keeps its mark until it has been read (`delivery.md`, 4.2 and 8.1), also if all that it has
                // not read was acked late; what is in memory for certain has to be handed out.
                let is_behind = |lane: &u32| self.queues[queue].behind.contains(lane);
                let (behind, whole): (Vec<u32>, Vec<u32>) = lanes.filter(|lane| free(self, lane)).partition(is_behind);
                assert!(!behind.is_empty(), "there is nothing in the store alone");
                assert!(whole.into_iter().all(|lane| self.eligible(queue, lane).is_empty()), "it has some in memory");
            }
        }
        for (lane, seqs) in mine {
            self.dirty = Some(true);
            let batch = Batch { consumer, alive: self.now, seqs: seqs.into_iter().collect() };
            self.queues[queue].batches.insert(lane, batch);
        }
    }

    /// What a message says of itself.
    fn check(&self, queue: usize, delivered: &Delivered) {
        let message = &delivered.message;
        let origin = message.origin();
        let logged = &self.log[&origin.seq];
        let Delivery { spilled, gone, .. } = self.queues[queue].deliveries[&origin.seq];
        assert_eq!(message.received(), logged.text.as_bytes());
        assert_eq!((origin.item, origin.received_at), (logged.wanted.item, logged.received_at));
        let flags = message.fields().flags;
        let has = |flag| flags.contains(flag);
        // Whether a dead letter that was moved still says that it had been replayed is nowhere said.
        assert!(logged.died.is_some() || has(Flags::REPLAYED) == logged.replayed, "{}", origin.seq);
        assert_eq!(has(Flags::QUEUE_GONE), gone, "{}", origin.seq);
        if let Some(variant) = logged.variant {
            let expected = (variant && logged.wanted.is_webhook(), variant && !logged.wanted.is_webhook());
            assert_eq!((has(Flags::UPDATE), has(Flags::CONFLICT)), expected, "{}", origin.seq);
        }
        match spilled {
            Spilled::Maybe => {}
            spilled => assert_eq!(has(Flags::SPILLED), spilled == Spilled::Yes, "{}", origin.seq),
        }
        assert_eq!(message.story().and_then(|story| story.origin_seq), logged.origin);
        let died = message.story().and_then(|story| story.dead.clone());
        let died = died.map(|dead| (dead.queue, dead.reason, dead.attempts));
        let expected = logged
            .died
            .clone()
            .map(|(queue, reason, attempts)| (crate::setup::QUEUES[queue].to_owned(), reason, attempts));
        assert_eq!(died, expected);
        assert!(queue == D || logged.died.is_none() || gone);
    }
}
