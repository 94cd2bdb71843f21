//! An engine and its consumers, from an opening to a cut, and what is done with them.

use crate::body;
use crate::disk::Disk;
use crate::log::Log;
use crate::random::Random;
use nexowire_core::delivery::RedbStore;
use nexowire_core::engine::{Consumer, Delivered, Engine, Inbound, OpenError, Replay, ReplaySource, Submitted};
use nexowire_core::queue::Nack;
use nexowire_core::route::{Configuration, NoResolver, StoreSource};
use std::sync::Arc;

/// The one that has all, one that refuses, and one that drops.
pub(crate) const QUEUES: [&str; 3] = ["all", "refusing", "dropping"];

/// Memory for pages: small, so that the disk is read.
pub(crate) const CACHE_BYTES: u64 = 1 << 18;

/// What is consumed goes after a minute; keys and dead letters outlive every script, so that nothing else ends them.
const CONFIGURATION: &str = r#"
    default_queue = "all"
    clock = "manual"
    [delivery]
    ack_wait = "0s"
    max_attempts = 1_000
    [store]
    retention = "1m"
    [[queue]]
    name = "all"
    lanes = 2
    capacity = 4
    [[queue]]
    name = "refusing"
    lanes = 2
    capacity = 12
    when_full = "refuse"
    [[queue]]
    name = "dropping"
    lanes = 1
    capacity = 2
    when_full = "drop-oldest"
    [[rule]]
    queue = ["all", "refusing", "dropping"]
    kind = "event"
    [[rule]]
    queue = "refusing"
    kind = "standard_webhook"
"#;

pub(crate) struct Life {
    engine: Engine,
    consumers: Vec<Consumer>,
}

impl Life {
    pub(crate) fn open(disk: &Disk) -> Result<Self, OpenError> {
        let configuration =
            Configuration::parse_with(CONFIGURATION, &NoResolver, StoreSource::Host).expect("it is written well");
        let disk = disk.clone();
        let store = RedbStore::over(move || Ok(disk.clone()), CACHE_BYTES)?;
        let engine = Engine::open_with(configuration, Arc::new(store))?;
        let consumers = QUEUES.map(|name| engine.queue(name).expect("it is configured").consumer()).into();
        Ok(Self { engine, consumers })
    }

    /// Opens the store again under the engine.
    pub(crate) fn reopen(&mut self, log: &mut Log) -> Result<(), OpenError> {
        log.tell(|| "the store is opened again".to_owned());
        self.engine.reopen(None)?;
        // Acks that were asked before are written by it, or were before it.
        log.written();
        self.read_completions(log);
        log.new_life();
        Ok(())
    }

    /// Does something.
    pub(crate) fn act(&mut self, disk: &Disk, log: &mut Log, random: &mut Random) {
        match random.below(16) {
            0..3 => {
                let id = log.new_id();
                self.accept(log, id);
            }
            3 | 4 => self.accept_batch(log, random),
            5..7 => self.submit(log, random),
            7 => {
                if let Some(id) = log.old_id(random.next()) {
                    self.accept(log, id);
                }
            }
            8..13 => self.poll(disk, log, random),
            13 => {
                log.tell(|| "time goes on".to_owned());
                let _deadline = self.engine.advance(Some(self.engine.now() + random.below(100_000)));
            }
            14 => {
                let reopened = self.reopen(log);
                assert!(reopened.is_ok() || disk.fired(), "{reopened:?}");
            }
            _ => self.replay(disk, log, random),
        }
    }

    fn accept(&mut self, log: &mut Log, id: u64) {
        let text = body::text(id);
        log.given(id);
        let verdict = self.engine.accept(inbound(id, &text)).expect("the endpoint is there");
        log.answered(id, verdict);
    }

    fn accept_batch(&mut self, log: &mut Log, random: &mut Random) {
        let ids: Vec<_> = (0..1 + random.below(12)).map(|_| log.new_id()).collect();
        let texts: Vec<_> = ids.iter().map(|id| body::text(*id)).collect();
        ids.iter().for_each(|id| log.given(*id));
        let batch = ids.iter().zip(&texts).map(|(id, text)| inbound(*id, text)).collect();
        let verdicts = self.engine.accept_batch(batch).expect("the endpoint is there");
        ids.iter().zip(verdicts).for_each(|(id, verdict)| log.answered(*id, verdict));
    }

    /// Submits some, an old one perhaps among them, and commits them, unless that is left to somebody else.
    fn submit(&mut self, log: &mut Log, random: &mut Random) {
        for _ in 0..1 + random.below(6) {
            let old = random.one_in(5).then(|| log.old_id(random.next())).flatten();
            let id = old.unwrap_or_else(|| log.new_id());
            log.given(id);
            let submitted = self.engine.submit(inbound(id, &body::text(id)), id).expect("the endpoint is there");
            if let Submitted::Verdict(verdict) = submitted {
                log.answered(id, verdict);
            }
        }
        if !random.one_in(4) {
            log.tell(|| "a commit".to_owned());
            self.engine.commit();
            self.read_completions(log);
        }
    }

    fn read_completions(&mut self, log: &mut Log) {
        let mut read = vec![];
        self.engine.completions(usize::MAX, &mut read);
        read.iter().for_each(|completion| log.answered(completion.id, completion.verdict));
    }

    /// Takes some, and does something with each; what is left in hands comes again in the next life.
    fn poll(&mut self, disk: &Disk, log: &mut Log, random: &mut Random) {
        let queue = random.below(QUEUES.len() as u64) as usize;
        let mut batch = vec![];
        let polled = self.consumers[queue].poll(1 + random.below(6) as usize, &mut batch);
        assert!(polled.is_ok() || disk.fired(), "{polled:?}");
        // What was submitted and is handed out now has its completion, which says more.
        self.read_completions(log);
        for delivered in &batch {
            log.handed(queue, delivered);
            let seq = delivered.message.origin().seq;
            match random.below(8) {
                0 => {}
                1 => {
                    let delay = Nack { delay_ms: Some(random.below(3) * 10_000), ..Nack::default() };
                    assert_eq!(self.consumers[queue].nack(&[seq], &delay), 1);
                    log.nacked(queue, seq);
                }
                2 => {
                    let dead = Nack { dead: true, reason: Some("it is no good".to_owned()), ..Nack::default() };
                    assert_eq!(self.consumers[queue].nack(&[seq], &dead), 1);
                    log.buried(queue, seq);
                }
                _ => {
                    assert_eq!(self.consumers[queue].ack(&[seq]), 1);
                    log.acked(queue, seq);
                }
            }
        }
    }

    fn replay(&mut self, disk: &Disk, log: &mut Log, random: &mut Random) {
        let source = if random.one_in(3) { ReplaySource::DeadLetters } else { ReplaySource::Log };
        if source == ReplaySource::DeadLetters {
            log.exhumed();
        }
        let replay = Replay { source, queue: Some(QUEUES[random.below(2) as usize]), ..Replay::default() };
        match self.engine.replay(&replay) {
            Ok(count) => log.replayed(count),
            Err(error) => assert!(disk.fired(), "{error}"),
        }
        self.read_completions(log);
    }

    /// Takes all there is, and holds it against what was answered; then asks for what nobody knows.
    pub(crate) fn check(&mut self, log: &mut Log, random: &mut Random) {
        log.quarantine(&self.engine.quarantine(usize::MAX).expect("it can be read"));
        for queue in 0..QUEUES.len() {
            self.drain(queue, log);
        }
        log.drained(&self.engine.dead_letters(usize::MAX).expect("it can be read"));
        log.written();
        // A repeat of what has come is a duplicate, which the log looks after; of what has not, it is new.
        let mut asked: Vec<_> = log.unknown().into_iter().take(6).collect();
        asked.extend((0..3).filter_map(|_| log.old_id(random.next())));
        for id in asked {
            self.accept(log, id);
        }
    }

    /// Acks all that comes, also what waits for its delay.
    fn drain(&mut self, queue: usize, log: &mut Log) {
        loop {
            let mut batch: Vec<Delivered> = vec![];
            while self.consumers[queue].poll(5, &mut batch).expect("it can be read") > 0 {}
            for delivered in &batch {
                log.handed(queue, delivered);
            }
            let seqs: Vec<_> = batch.iter().map(|delivered| delivered.message.origin().seq).collect();
            assert_eq!(self.consumers[queue].ack(&seqs), seqs.len());
            seqs.into_iter().for_each(|seq| log.acked(queue, seq));
            let counters = self.engine.queue(QUEUES[queue]).expect("it is configured").counters();
            let left = counters.depth + counters.delayed;
            log.tell(|| format!("{left} are left in queue {queue}"));
            if left == 0 {
                return;
            }
            if batch.is_empty() {
                self.engine.advance(Some(self.engine.now() + 20_000));
            }
        }
    }
}

fn inbound(id: u64, text: &str) -> Inbound<'_> {
    Inbound { tag: Some(id), ..Inbound::new(text.as_bytes()) }
}
