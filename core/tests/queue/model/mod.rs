//! Random operations on one thread, against a model that is obviously right: without a backlog, and over one.

mod plain;

use self::plain::{CONSUMERS, Model};
use crate::Message;
use crate::fake::{Fake, over};
use nexowire_core::queue::{Consumer, Nack, Queue, QueueOptions, WhenFull};
use proptest::prelude::*;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Op {
    Send {
        lane: u32,
    },
    Poll {
        consumer: usize,
        max: usize,
    },
    Ack {
        consumer: usize,
        seqs: Vec<u64>,
    },
    Release {
        consumer: usize,
        seqs: Vec<u64>,
    },
    Nack {
        consumer: usize,
        seqs: Vec<u64>,
        nack: Nack,
    },
    Extend {
        consumer: usize,
        seqs: Vec<u64>,
    },
    /// A late ack of what is in the backlog only.
    AckBehind {
        seq: u64,
    },
    /// Drops a consumer and makes another.
    Renew {
        consumer: usize,
    },
    Later {
        ms: u64,
    },
    Advance,
    Reload {
        when_full: WhenFull,
        ack_wait_ms: u64,
        max_attempts: u32,
    },
    /// Writes what has changed.
    Commit,
    /// The backlog fails from now on, or no more.
    Fail {
        fails: bool,
    },
    /// Reopens, before or after writing what has changed.
    Restore {
        commits: bool,
    },
    Close,
    Shut,
}

fn when_full() -> impl Strategy<Value = WhenFull> + Clone {
    prop_oneof![Just(WhenFull::Refuse), Just(WhenFull::Spill), Just(WhenFull::DropOldest)]
}

fn op() -> impl Strategy<Value = Op> + Clone {
    // Numbers near those that are sent last: most acks mean something.
    let seqs = || prop::collection::vec(0..40_u64, 0..6);
    let one = || 0..CONSUMERS;
    let nack = (prop::option::of(0..6_u64), prop::option::of(Just("no".to_owned())), prop::bool::weighted(0.1))
        .prop_map(|(delay_ms, reason, dead)| Nack { delay_ms, reason, dead });
    prop_oneof![
        16 => (0..3_u32).prop_map(|lane| Op::Send { lane }),
        12 => (one(), 0..6_usize).prop_map(|(consumer, max)| Op::Poll { consumer, max }),
        8 => (one(), seqs()).prop_map(|(consumer, seqs)| Op::Ack { consumer, seqs }),
        3 => (one(), seqs()).prop_map(|(consumer, seqs)| Op::Release { consumer, seqs }),
        6 => (one(), seqs(), nack).prop_map(|(consumer, seqs, nack)| Op::Nack { consumer, seqs, nack }),
        2 => (one(), seqs()).prop_map(|(consumer, seqs)| Op::Extend { consumer, seqs }),
        3 => (0..40_u64).prop_map(|seq| Op::AckBehind { seq }),
        1 => one().prop_map(|consumer| Op::Renew { consumer }),
        5 => (0..6_u64).prop_map(|ms| Op::Later { ms }),
        2 => Just(Op::Advance),
        1 => (when_full(), 0..8_u64, 1..5_u32)
            .prop_map(|(when_full, ack_wait_ms, max_attempts)| Op::Reload { when_full, ack_wait_ms, max_attempts }),
        3 => Just(Op::Commit),
        2 => any::<bool>().prop_map(|fails| Op::Fail { fails }),
        2 => any::<bool>().prop_map(|commits| Op::Restore { commits }),
    ]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let tail = prop_oneof![3 => Just(None), 1 => Just(Some(Op::Close)), 1 => Just(Some(Op::Shut))];
    (prop::collection::vec(op(), 0..80), tail, prop::collection::vec(op(), 0..30))
        .prop_map(|(head, middle, rest)| head.into_iter().chain(middle).chain(rest).collect())
}

struct Run {
    queue: Queue<Message>,
    fake: Option<Arc<Fake>>,
    consumers: Vec<Consumer<Message>>,
    model: Model,
    seq: u64,
}

impl Run {
    fn new(options: QueueOptions, is_stored: bool, at_most: usize) -> Self {
        let (queue, fake) = if is_stored {
            let (queue, fake) = over(options);
            fake.set_at_most(at_most);
            (queue, Some(fake))
        } else {
            (Queue::new(options), None)
        };
        let consumers = (0..CONSUMERS).map(|_| queue.consumer()).collect();
        Self { model: Model::new(options, fake.clone(), at_most), queue, fake, consumers, seq: 0 }
    }

    fn send(&mut self, lane: u32) -> Result<(), TestCaseError> {
        let lane = lane % self.queue.lanes();
        self.seq += 1;
        let seq = self.seq;
        let sent = self.queue.reserve(lane).map(|reservation| {
            if let Some(fake) = &self.fake {
                fake.insert(lane, seq);
            }
            reservation.publish(self.model.now, Message(seq))
        });
        let expected = self.model.send(lane as usize, seq);
        // Without a backlog there is nobody to ask what was dropped, nor where it went.
        let same = if self.fake.is_some() { sent == expected } else { sent.err() == expected.err() };
        prop_assert!(same, "{sent:?}, {expected:?}");
        Ok(())
    }

    fn poll(&mut self, consumer: usize, max: usize) -> Result<(), TestCaseError> {
        let mut out = Vec::new();
        let polled = self.consumers[consumer].poll(self.model.now, max, &mut out);
        let expected = self.model.poll(consumer, max);
        prop_assert_eq!(polled, expected.as_ref().map(Vec::len).map_err(|error| *error));
        let got: Vec<_> = out.iter().map(|delivery| (delivery.item.0, delivery.attempt)).collect();
        prop_assert_eq!(got, expected.unwrap_or_default());
        Ok(())
    }

    fn commit(&mut self) -> Result<(), TestCaseError> {
        let mut changes = Vec::new();
        prop_assert_eq!(self.queue.take_changes(&mut changes), changes.len());
        if let Some(fake) = &self.fake {
            fake.apply(&changes);
        }
        changes.sort_by_key(|change| (change.lane, change.seq));
        prop_assert_eq!(changes, self.model.take_changes());
        Ok(())
    }

    fn restore(&mut self, commits: bool) -> Result<(), TestCaseError> {
        if commits {
            self.commit()?;
        }
        if let Some(fake) = &self.fake {
            self.queue.restore(fake.counts(self.queue.lanes(), self.seq));
            self.model.restore(self.seq);
        }
        Ok(())
    }

    fn ack_behind(&mut self, seq: u64) -> Result<(), TestCaseError> {
        let Some((lane, state)) = self.fake.as_ref().and_then(|fake| fake.find(seq)) else { return Ok(()) };
        if state.0 > 0 {
            let expected = self.model.ack_behind(lane as usize, seq);
            prop_assert_eq!(self.queue.ack_behind(self.model.now, lane, seq), expected);
        }
        Ok(())
    }

    fn reload(&mut self, when_full: WhenFull, ack_wait_ms: u64, max_attempts: u32) {
        let options = &mut self.model.options;
        (options.when_full, options.ack_wait_ms, options.max_attempts) = (when_full, ack_wait_ms, max_attempts);
        self.queue.set_when_full(when_full);
        self.queue.set_ack_wait(ack_wait_ms);
        self.queue.set_retry(max_attempts, options.retry_ms, options.retry_max_ms);
    }

    fn step(&mut self, op: Op) -> Result<(), TestCaseError> {
        let now = self.model.now;
        match op {
            Op::Send { lane } => self.send(lane)?,
            Op::Poll { consumer, max } => self.poll(consumer, max)?,
            Op::Ack { consumer, seqs } => {
                let expected = self.model.ack_all(consumer, &seqs);
                prop_assert_eq!(self.consumers[consumer].ack(now, &seqs), expected);
            }
            Op::Release { consumer, seqs } => {
                let expected = seqs.iter().filter(|&&seq| self.model.release(consumer, seq)).count();
                prop_assert_eq!(self.consumers[consumer].release(now, &seqs), expected);
            }
            Op::Nack { consumer, seqs, nack } => {
                let expected = seqs.iter().filter(|&&seq| self.model.nack(consumer, seq, &nack)).count();
                prop_assert_eq!(self.consumers[consumer].nack(now, &seqs, &nack), expected);
            }
            Op::Extend { consumer, seqs } => {
                let expected = self.model.extend(consumer, &seqs);
                prop_assert_eq!(self.consumers[consumer].extend(now, &seqs), expected);
            }
            Op::AckBehind { seq } => self.ack_behind(seq)?,
            Op::Renew { consumer } => {
                let old = std::mem::replace(&mut self.consumers[consumer], self.queue.consumer());
                prop_assert_eq!(old.drop_held(), self.model.renew(consumer));
            }
            Op::Later { ms } => self.model.now += ms,
            Op::Advance => prop_assert_eq!(self.queue.advance(now), self.model.expire()),
            Op::Reload { when_full, ack_wait_ms, max_attempts } => self.reload(when_full, ack_wait_ms, max_attempts),
            Op::Commit => self.commit()?,
            Op::Fail { fails } => {
                self.model.fails = fails;
                self.fake.iter().for_each(|fake| fake.set_fails(fails));
            }
            Op::Restore { commits } => self.restore(commits)?,
            Op::Close | Op::Shut => {
                self.model.closed = true;
                self.model.shut = matches!(op, Op::Shut);
                if self.model.shut { self.queue.shut() } else { self.queue.close() }
            }
        }
        self.compare()
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let (counters, model) = (self.queue.counters(), &self.model);
        let sum = |of: &dyn Fn(&plain::Lane) -> usize| model.lanes.iter().map(of).sum::<usize>() as u64;
        let total: usize = (0..model.lanes.len()).map(|lane| model.pending(lane)).sum();
        prop_assert_eq!((counters.depth + counters.unacked + counters.delayed) as usize, total);
        prop_assert_eq!(counters.delayed, sum(&|lane| lane.delayed.len()));
        prop_assert_eq!(counters.spilled, sum(&|lane| lane.behind.len()));
        prop_assert_eq!([counters.acked, counters.nacked, counters.dropped, counters.dead], model.counts);
        prop_assert_eq!(self.queue.next_deadline(), model.next_deadline());
        prop_assert_eq!((self.queue.unwritten(), self.queue.oldest_unwritten()), model.unwritten());
        let news = !model.tokens.is_empty() || model.is_over();
        prop_assert_eq!(self.consumers[0].wait(std::time::Duration::ZERO), news);
        prop_assert_eq!(self.queue.has_ended(), model.is_over());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000_u32.max(ProptestConfig::default().cases), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_the_model_does(
        is_stored in any::<bool>(),
        at_most in 1..4_usize,
        (lanes, capacity) in (1..=3_u32, 1..=4_u32),
        ack_on_poll in any::<bool>(),
        ack_wait_ms in 0..8_u64,
        when_full in when_full(),
        (max_attempts, retry_ms, retry_max_ms) in (1..5_u32, 0..4_u64, 0..10_u64),
        ops in ops(),
    ) {
        let retry = QueueOptions { max_attempts, retry_ms, retry_max_ms, ..QueueOptions::default() };
        let options = QueueOptions { lanes, capacity, ack_on_poll, ack_wait_ms, when_full, ..retry };
        let mut run = Run::new(options, is_stored, at_most);
        for op in ops {
            run.step(op)?;
        }
        let mut dead = Vec::new();
        prop_assert_eq!(run.queue.take_dead(&mut dead), run.model.letters.len());
        let letters: Vec<_> = dead.into_iter().map(|dead| (dead.item.0, dead.reason, dead.attempts)).collect();
        prop_assert_eq!(letters, run.model.letters);
    }
}
