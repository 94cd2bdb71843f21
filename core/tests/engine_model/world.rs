//! An engine, its model, and what is done to both.

use crate::Random;
use crate::bodies::Body;
use crate::model::{Model, busy};
use crate::polls::CONSUMERS;
use crate::setup::{QUEUES, Setup};
use nexowire_core::delivery::{BusyReason, MemoryStore, Verdict};
use nexowire_core::engine::{Completion, Consumer, Engine, Inbound, Replay, ReplaySource, Submitted};
use nexowire_core::queue::Nack;
use std::sync::Arc;

pub(crate) struct World {
    random: Random,
    engine: Engine,
    /// To let it fail; nothing if it cannot.
    store: Option<MemoryStore>,
    consumers: Vec<Vec<Option<Consumer>>>,
    pub(crate) model: Model,
    /// What was done so far.
    pub(crate) story: Vec<String>,
    submitted: u64,
}

impl World {
    pub(crate) fn over_memory(mut random: Random, store: MemoryStore) -> Self {
        let setup = Setup::random(&mut random);
        let engine = Engine::open_with(setup.configuration(), Arc::new(store.clone())).unwrap();
        Self::new(random, setup, engine, Some(store))
    }

    #[cfg(feature = "store")]
    pub(crate) fn over_redb(mut random: Random, directory: &std::path::Path) -> Self {
        let setup = Setup::random(&mut random);
        let engine = Engine::open_in(setup.configuration(), directory).unwrap();
        Self::new(random, setup, engine, None)
    }

    fn new(random: Random, setup: Setup, engine: Engine, store: Option<MemoryStore>) -> Self {
        let consumers = QUEUES.map(|_| vec![None, None]).into();
        let (model, story) = (Model::new(setup), vec![]);
        let mut world = Self { random, engine, store, consumers, model, story, submitted: 0 };
        world.renew_consumers();
        world
    }

    /// Consumers of all queues that are there.
    fn renew_consumers(&mut self) {
        for (queue, name) in QUEUES.iter().enumerate() {
            for at in 0..CONSUMERS {
                let place = &mut self.consumers[queue][at];
                match (self.model.setup.has(queue), place.is_some()) {
                    (true, false) => *place = Some(self.engine.queue(name).unwrap().consumer()),
                    (false, _) => *place = None,
                    _ => {}
                }
            }
        }
    }

    pub(crate) fn step(&mut self) {
        match self.random.below(40) {
            0..=9 => self.accept(),
            10 => self.accept_batch(),
            11..=13 => self.submit(),
            14 => self.commit(),
            15 => self.completions(),
            16..=22 => self.poll(),
            23..=30 => self.hands(),
            31 => self.drop_consumer(),
            32..=34 => self.time(),
            35 => self.reload(),
            36 if self.model.latched || self.random.one_in(3) => self.reopen(),
            37 => self.replay(),
            38 => self.look(),
            39 => self.fail(),
            _ => {}
        }
        self.compare();
    }

    fn tell(&mut self, what: String) {
        self.story.push(what);
    }

    fn body(&mut self) -> Body {
        Body::random(&mut self.random)
    }

    fn accept(&mut self) {
        let body = self.body();
        self.accept_this(&body, None);
    }

    fn accept_this(&mut self, body: &Body, fails: Option<bool>) {
        self.tell(format!("accept {:?}", body.wanted));
        let verdict = self.engine.accept(Inbound::new(body.text.as_bytes())).unwrap();
        let expected = match self.model.enter(body, None) {
            Some(verdict) => verdict,
            None => {
                self.know();
                *self.model.commit(fails).last().unwrap()
            }
        };
        assert_eq!(verdict, expected);
    }

    /// What an advance may have written has to be known by now, or makes no difference.
    fn know(&mut self) {
        self.model.dirty.get_or_insert(true);
    }

    fn accept_batch(&mut self) {
        let bodies: Vec<_> = (0..1 + self.random.below(4)).map(|_| self.body()).collect();
        self.tell(format!("batch {:?}", bodies.iter().map(|body| &body.wanted).collect::<Vec<_>>()));
        let batch = bodies.iter().map(|body| Inbound::new(body.text.as_bytes())).collect();
        let verdicts = self.engine.accept_batch(batch).unwrap();
        let entered: Vec<_> = bodies.iter().map(|body| self.model.enter(body, None)).collect();
        self.know();
        // Who only gets an answer commits nothing.
        let waits = entered.iter().any(Option::is_none);
        let mut waited = if waits { self.model.commit(None) } else { vec![] }.into_iter();
        let expected: Vec<Verdict> =
            entered.into_iter().map(|at_once| at_once.or_else(|| waited.next()).unwrap()).collect();
        assert_eq!(verdicts, expected);
    }

    fn submit(&mut self) {
        let body = self.body();
        self.submitted += 1;
        let id = self.submitted;
        self.tell(format!("submit {id} {:?}", body.wanted));
        let submitted = self.engine.submit(Inbound::new(body.text.as_bytes()), id).unwrap();
        let expected = self.model.enter(&body, Some(id)).map_or(Submitted::Pending, Submitted::Verdict);
        assert_eq!(submitted, expected);
    }

    fn commit(&mut self) {
        self.tell("commit".to_owned());
        self.engine.commit();
        self.know();
        if !self.model.latched {
            assert!(self.model.commit(None).is_empty());
        }
    }

    fn completions(&mut self) {
        let max = 1 + self.random.below(4) as usize;
        self.tell(format!("completions {max}"));
        let mut got = vec![];
        self.engine.completions(max, &mut got);
        let count = max.min(self.model.unread.len());
        let expected: Vec<_> =
            self.model.unread.drain(..count).map(|(id, verdict, _)| Completion { id, verdict }).collect();
        assert_eq!(got, expected);
    }

    /// A queue that is there, and one of its consumers.
    fn consumer(&mut self) -> (usize, usize) {
        loop {
            let queue = self.random.below(3) as usize;
            if self.model.setup.has(queue) {
                return (queue, self.random.below(CONSUMERS as u64) as usize);
            }
        }
    }

    fn poll(&mut self) {
        let (queue, at) = self.consumer();
        let max = self.random.of(&[0, 1, 2, 64, 64]);
        let mut got = vec![];
        let answer = self.consumers[queue][at].as_mut().unwrap().poll(max, &mut got);
        let seqs: Vec<_> = got.iter().map(|delivered| delivered.message.origin().seq).collect();
        self.tell(format!("poll {} {at} {max}: {answer:?} {seqs:?}", QUEUES[queue]));
        self.model.polled((queue, at, max), answer, &got);
    }

    /// Acks, and the like, of what is held as a rule.
    fn hands(&mut self) {
        let (queue, at) = self.consumer();
        let held = self.model.queues[queue].batches.values().flat_map(|batch| batch.seqs.iter().copied());
        let mut seqs: Vec<u64> = held.collect();
        if self.random.one_in(3) {
            seqs.extend(self.model.queues[queue].deliveries.keys());
        }
        seqs.retain(|_| !self.random.one_in(3));
        if self.random.one_in(8) {
            seqs.push(self.random.below(self.model.last_seq + 3));
        }
        let nack = Nack {
            delay_ms: self.random.of(&[None, Some(0), Some(700), Some(3_000)]),
            reason: self.random.of(&[None, Some("why")]).map(str::to_owned),
            dead: self.random.one_in(6),
        };
        let what = self.random.below(8);
        self.tell(format!("{} {at} hands {what} {seqs:?} {nack:?}", QUEUES[queue]));
        let (consumer, model) = (self.consumers[queue][at].as_mut().unwrap(), &mut self.model);
        for seq in seqs {
            let (done, expected) = match what {
                0..=3 => {
                    let done = consumer.ack(&[seq]);
                    // What has to be looked up cannot be acked while the store cannot be read.
                    let lost = model.latched && done == 0 && !model.is_held(queue, seq);
                    (done, if lost { false } else { model.ack(queue, seq) })
                }
                4 | 5 => (consumer.nack(&[seq], &nack), model.nack(queue, at, seq, &nack)),
                6 => (consumer.release(&[seq]), model.release(queue, at, seq)),
                _ => (consumer.extend(&[seq]), model.extend(queue, at, seq)),
            };
            assert_eq!(done, usize::from(expected), "{seq}");
        }
    }

    fn drop_consumer(&mut self) {
        let (queue, at) = self.consumer();
        self.tell(format!("drop {} {at}", QUEUES[queue]));
        let given_back = self.consumers[queue][at].take().unwrap().close();
        assert_eq!(given_back, self.model.drop_consumer(queue, at));
        self.renew_consumers();
    }

    fn time(&mut self) {
        let now = self.model.now + self.random.of(&[1, 300, 900, 2_500, 7_000]);
        if self.random.one_in(2) {
            self.tell(format!("set_time {now}"));
            self.engine.set_time(now);
            self.model.now = now;
            return;
        }
        self.commit();
        self.tell(format!("advance {now}"));
        let deadline = self.engine.advance(Some(now));
        self.model.now = now;
        let fired = (0..3).filter(|queue| self.model.expire(*queue)).count() > 0;
        if fired && !self.model.latched {
            // It commits what that wrote (`delivery.md`, 6.2), and dead letters move with it.
            self.model.commit(None);
        } else {
            // It may have written what is old enough.
            self.model.dirty = self.model.dirty.filter(|dirty| !dirty);
        }
        self.commit();
        let holds = self.model.queues.iter().flat_map(|queue| queue.batches.values());
        if let Some(first) = holds.map(|batch| batch.alive + self.model.setup.ack_wait).min()
            && self.model.setup.ack_wait > 0
        {
            assert!(deadline.is_some_and(|deadline| deadline <= first), "{deadline:?}, {first}");
        }
    }

    fn reload(&mut self) {
        let mut setup = self.model.setup;
        setup.vary(&mut self.random);
        self.tell(format!("reload {setup:?}"));
        self.engine.reload(setup.configuration()).unwrap();
        self.know();
        if !self.model.latched {
            // It commits first (`drive.md`, below the operations), by the configuration of before.
            assert!(self.model.commit(None).is_empty());
        }
        self.model.setup = setup;
    }

    fn reopen(&mut self) {
        let same = self.random.one_in(2);
        let setup = if same { self.model.setup } else { Setup::random(&mut self.random) };
        self.tell(format!("reopen {setup:?}"));
        self.know();
        let pending = self.engine.reopen((!same).then(|| setup.configuration())).unwrap();
        assert_eq!(pending, self.model.reopen(setup));
        self.renew_consumers();
    }

    fn replay(&mut self) {
        let source = self.random.of(&[ReplaySource::Log, ReplaySource::Quarantine, ReplaySource::DeadLetters]);
        let from_seq = self.random.below(self.model.last_seq + 2);
        let to_seq = from_seq + self.random.below(20);
        let queue = if self.random.one_in(2) { Some(self.consumer().0) } else { None };
        self.tell(format!("replay {source:?} {from_seq} to {to_seq} of {queue:?}"));
        let replay = Replay { source, queue: queue.map(|queue| QUEUES[queue]), from_seq, to_seq, ..Replay::default() };
        let replayed = self.engine.replay(&replay);
        if self.model.latched {
            assert!(replayed.is_err() || replayed == Ok(0));
            return;
        }
        self.know();
        assert_eq!(replayed, Ok(self.model.replay(source, (from_seq, to_seq), queue)));
    }

    /// Quarantine and dead letters.
    fn look(&mut self) {
        self.tell("look".to_owned());
        let (entries, letters) = (self.engine.quarantine(usize::MAX), self.engine.dead_letters(usize::MAX));
        if self.model.latched {
            assert!(entries.is_err() && letters.is_err());
            return;
        }
        self.know();
        // Each of the two commits first: what the first one has dropped for others, the second one writes.
        self.model.commit(None);
        self.model.commit(None);
        let entries: Vec<_> =
            entries.unwrap().into_iter().map(|entry| (entry.seq, entry.item, entry.reason.word())).collect();
        let expected = self.model.quarantine.iter().map(|(seq, entry)| (*seq, entry.item, entry.reason));
        assert_eq!(entries, expected.collect::<Vec<_>>());
        let mut letters: Vec<_> = letters
            .unwrap()
            .into_iter()
            .map(|letter| (letter.seq, letter.queue, letter.reason, letter.attempts))
            .collect();
        letters.sort();
        let expected = self
            .model
            .dead
            .iter()
            .map(|((seq, queue), (reason, attempts))| (*seq, QUEUES[*queue].to_owned(), reason.clone(), *attempts));
        assert_eq!(letters, expected.collect::<Vec<_>>());
    }

    /// One commit that fails, with or without its changes.
    fn fail(&mut self) {
        let Some(store) = self.store.clone() else { return };
        if self.model.latched {
            return;
        }
        if self.model.dirty.is_none() {
            self.commit();
        }
        let keeps = self.random.one_in(2);
        self.tell(format!("fail, keeps {keeps}"));
        store.keep_failed_writes(keeps);
        store.fail_writes(true);
        if self.random.one_in(3) {
            self.engine.commit();
            assert!(self.model.commit(Some(keeps)).is_empty());
        } else {
            let body = self.body();
            self.accept_this(&body, Some(keeps));
        }
        store.fail_writes(false);
        let probe = self.engine.submit(Inbound::new(b"{"), u64::MAX).unwrap();
        match self.model.enter(&Body { text: "{".to_owned(), wanted: vec![] }, Some(u64::MAX)) {
            Some(verdict) => assert_eq!(probe, Submitted::Verdict(verdict)),
            None => assert_eq!(probe, Submitted::Pending),
        }
        assert_eq!(self.model.latched, probe == Submitted::Verdict(busy(BusyReason::Store)));
    }

    fn compare(&self) {
        let counters = self.engine.counters();
        assert_eq!(counters.pending, self.model.pending() as u64, "pending");
        for (queue, name) in QUEUES.iter().enumerate().filter(|(queue, _)| self.model.setup.has(*queue)) {
            let (_, found) = counters.queues.iter().find(|(other, _)| other == name).unwrap();
            let it = &self.model.queues[queue];
            let held: usize = it.batches.values().map(|batch| batch.seqs.len()).sum();
            let delayed = it.deliveries.values().filter(|delivery| delivery.due > 0).count();
            let all = found.depth + found.unacked + found.delayed;
            assert_eq!((all, found.unacked), (it.deliveries.len() as u64, held as u64), "{name}: {found:?}");
            assert!(found.delayed <= delayed as u64, "{name}: {found:?}");
        }
    }
}
