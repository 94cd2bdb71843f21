//! Random operations on one thread, against a model that is obviously right: plain lists, and the rules in the words of
//! `delivery.md`.

use crate::Message;
use nexowire_core::queue::PollError::Closed;
use nexowire_core::queue::{Consumer, Queue, QueueOptions, Refused, WhenFull};
use proptest::prelude::*;
use std::collections::VecDeque;

const CONSUMERS: usize = 3;

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
    /// Drops a consumer and makes another.
    Renew {
        consumer: usize,
    },
    Later {
        ms: u64,
    },
    Advance,
    Reload {
        drop_oldest: bool,
        ack_wait_ms: u64,
    },
    Close,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    // Numbers near those that are sent last: most acks mean something.
    let seqs = || prop::collection::vec(0..40_u64, 0..6);
    let op = prop_oneof![
        8 => (0..3_u32).prop_map(|lane| Op::Send { lane }),
        6 => (0..CONSUMERS, 0..6_usize).prop_map(|(consumer, max)| Op::Poll { consumer, max }),
        4 => (0..CONSUMERS, seqs()).prop_map(|(consumer, seqs)| Op::Ack { consumer, seqs }),
        2 => (0..CONSUMERS, seqs()).prop_map(|(consumer, seqs)| Op::Release { consumer, seqs }),
        1 => (0..CONSUMERS).prop_map(|consumer| Op::Renew { consumer }),
        2 => (0..6_u64).prop_map(|ms| Op::Later { ms }),
        1 => Just(Op::Advance),
        1 => (any::<bool>(), 0..8_u64).prop_map(|(drop_oldest, ack_wait_ms)| Op::Reload { drop_oldest, ack_wait_ms }),
    ];
    let tail = prop_oneof![3 => Just(None), 1 => Just(Some(Op::Close))];
    (prop::collection::vec(op.clone(), 0..60), tail, prop::collection::vec(op, 0..30))
        .prop_map(|(head, middle, rest)| head.into_iter().chain(middle).chain(rest).collect())
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    seq: u64,
    attempt: u32,
}

#[derive(Default)]
struct Lane {
    front: Vec<Waiting>,
    back: VecDeque<u64>,
    /// The batch: whose it is, when it last gave a sign of life, and what is left of it.
    batch: Option<(usize, u64, Vec<Waiting>)>,
}

struct Model {
    options: QueueOptions,
    closed: bool,
    now: u64,
    lanes: Vec<Lane>,
    tokens: VecDeque<usize>,
    /// What each consumer's last poll handed out and it has not released.
    handed: Vec<Vec<u64>>,
    acked: u64,
    dropped: u64,
}

impl Model {
    fn new(options: QueueOptions) -> Self {
        let lanes = (0..options.lanes).map(|_| Lane::default()).collect();
        let handed = vec![Vec::new(); CONSUMERS];
        Self { options, closed: false, now: 0, lanes, tokens: VecDeque::new(), handed, acked: 0, dropped: 0 }
    }

    fn held(&self, lane: usize) -> usize {
        let lane = &self.lanes[lane];
        lane.front.len() + lane.back.len() + lane.batch.as_ref().map_or(0, |batch| batch.2.len())
    }

    /// A lane with something in it, in nobody's hands, has a token.
    fn arrive(&mut self, lane: usize) {
        if self.lanes[lane].batch.is_none() && !self.tokens.contains(&lane) {
            self.tokens.push_back(lane);
        }
    }

    fn free(&mut self, lane: usize) {
        let it = &mut self.lanes[lane];
        if it.batch.as_ref().is_some_and(|batch| batch.2.is_empty()) {
            it.batch = None;
            if !it.front.is_empty() || !it.back.is_empty() {
                self.arrive(lane);
            }
        }
    }

    fn send(&mut self, lane: usize, seq: u64) -> Result<(), Refused> {
        let capacity = self.options.capacity as usize;
        if self.closed {
            return Err(Refused::Closed);
        }
        if self.held(lane) >= capacity {
            if self.options.when_full == WhenFull::Refuse {
                return Err(Refused::Full);
            }
            let it = &mut self.lanes[lane];
            if !it.front.is_empty() {
                it.front.remove(0);
                self.dropped += 1;
            } else if it.back.pop_front().is_some() {
                self.dropped += 1;
            }
        }
        self.lanes[lane].back.push_back(seq);
        self.arrive(lane);
        Ok(())
    }

    fn ack(&mut self, seq: u64) -> bool {
        let lane = (0..self.lanes.len()).find(|&lane| self.take(lane, seq));
        lane.inspect(|&lane| self.free(lane)).is_some()
    }

    /// Acks one after the other. Those that lie next to each other in a lane of this consumer are one step: the lane is
    /// free when all of them are done, and not for a moment between two.
    fn ack_all(&mut self, consumer: usize, seqs: &[u64]) -> usize {
        let (mut rest, mut done) = (seqs, 0);
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

    /// Takes one out of a lane, from the hands or from the front.
    fn take(&mut self, lane: usize, seq: u64) -> bool {
        let it = &mut self.lanes[lane];
        if let Some((_, alive, left)) = &mut it.batch
            && let Some(at) = left.iter().position(|waiting| waiting.seq == seq)
        {
            left.remove(at);
            *alive = self.now;
        } else if let Some(at) = it.front.iter().position(|waiting| waiting.seq == seq) {
            it.front.remove(at);
        } else {
            return false;
        }
        self.acked += 1;
        true
    }

    fn release(&mut self, consumer: usize, seq: u64) -> bool {
        for lane in 0..self.lanes.len() {
            let it = &mut self.lanes[lane];
            if let Some((holder, alive, left)) = &mut it.batch
                && *holder == consumer
                && let Some(at) = left.iter().position(|waiting| waiting.seq == seq)
            {
                it.front.push(left.remove(at));
                it.front.sort_by_key(|waiting| waiting.seq);
                *alive = self.now;
                self.handed[consumer].retain(|&other| other != seq);
                self.free(lane);
                return true;
            }
        }
        false
    }

    fn put_back(&mut self, lane: usize) -> usize {
        let it = &mut self.lanes[lane];
        let left = std::mem::take(&mut it.batch.as_mut().unwrap().2);
        it.front.extend(&left);
        it.front.sort_by_key(|waiting| waiting.seq);
        self.free(lane);
        left.len()
    }

    fn deadline(&self, lane: usize) -> Option<u64> {
        let wait = self.options.ack_wait_ms;
        self.lanes[lane].batch.as_ref().filter(|_| wait > 0).map(|batch| batch.1 + wait)
    }

    fn next_deadline(&self) -> Option<u64> {
        (0..self.lanes.len()).filter_map(|lane| self.deadline(lane)).min()
    }

    fn expire(&mut self) -> usize {
        let mut ended: Vec<_> = (0..self.lanes.len())
            .filter_map(|lane| Some((self.deadline(lane)?, lane)))
            .filter(|&(deadline, _)| deadline <= self.now)
            .collect();
        ended.sort_unstable();
        for &(_, lane) in &ended {
            self.put_back(lane);
        }
        ended.len()
    }

    /// `order` is the lanes that the consumer holds, in the order in which it took them.
    fn renew(&mut self, consumer: usize, order: &[usize]) -> usize {
        self.handed[consumer].clear();
        order.iter().map(|&lane| self.put_back(lane)).sum()
    }

    fn holder_of(&self, lane: usize) -> Option<usize> {
        self.lanes[lane].batch.as_ref().map(|batch| batch.0)
    }

    fn poll(&mut self, consumer: usize, max: usize, order: &mut Vec<usize>) -> Vec<(u64, u32)> {
        if self.options.ack_on_poll {
            // Lane by lane, as they were taken; then what has been taken away.
            for lane in std::mem::take(order) {
                let left = self.lanes[lane].batch.as_ref().unwrap().2.clone();
                for waiting in left {
                    self.ack(waiting.seq);
                }
            }
            for seq in std::mem::take(&mut self.handed[consumer]) {
                self.ack(seq);
            }
        }
        self.expire();
        let mut share = self.tokens.len().div_ceil(CONSUMERS).max(1);
        let mut out = Vec::new();
        while share > 0 && out.len() < max {
            let Some(lane) = self.tokens.pop_front() else { break };
            let room = (max - out.len()).min(self.options.capacity as usize);
            let it = &mut self.lanes[lane];
            let mut batch = Vec::new();
            while batch.len() < room {
                if !it.front.is_empty() {
                    let waiting = it.front.remove(0);
                    batch.push(Waiting { attempt: waiting.attempt + 1, ..waiting });
                } else if let Some(seq) = it.back.pop_front() {
                    batch.push(Waiting { seq, attempt: 1 });
                } else {
                    break;
                }
            }
            if batch.is_empty() {
                continue;
            }
            share -= 1;
            out.extend(batch.iter().map(|waiting| (waiting.seq, waiting.attempt)));
            it.batch = Some((consumer, self.now, batch));
            order.retain(|&other| other != lane);
            order.push(lane);
        }
        self.handed[consumer].extend(out.iter().map(|&(seq, _)| seq));
        out
    }
}

fn check(options: QueueOptions, ops: Vec<Op>) -> Result<(), TestCaseError> {
    let queue = Queue::new(options);
    let mut consumers: Vec<Consumer<Message>> = (0..CONSUMERS).map(|_| queue.consumer()).collect();
    let mut model = Model::new(options);
    let mut orders = vec![Vec::new(); CONSUMERS];
    let mut seq = 0;
    for op in ops {
        for (consumer, order) in orders.iter_mut().enumerate() {
            order.retain(|&lane| model.holder_of(lane) == Some(consumer));
        }
        match op {
            Op::Send { lane } => {
                let lane = lane % options.lanes;
                let sent = queue.reserve(lane).map(|reservation| reservation.send(Message(seq)));
                prop_assert_eq!(sent, model.send(lane as usize, seq));
                seq += 1;
            }
            Op::Poll { consumer, max } => {
                let mut out = Vec::new();
                let polled = consumers[consumer].poll(model.now, max, &mut out);
                let expected = model.poll(consumer, max, &mut orders[consumer]);
                let got: Vec<_> = out.iter().map(|delivery| (delivery.item.0, delivery.attempt)).collect();
                prop_assert_eq!(&got, &expected);
                let over = max > 0 && model.closed && (0..model.lanes.len()).all(|lane| model.held(lane) == 0);
                prop_assert_eq!(polled, if over { Err(Closed) } else { Ok(expected.len()) });
            }
            Op::Ack { consumer, seqs } => {
                let expected = model.ack_all(consumer, &seqs);
                prop_assert_eq!(consumers[consumer].ack(model.now, &seqs), expected);
            }
            Op::Release { consumer, seqs } => {
                let expected = seqs.iter().filter(|&&seq| model.release(consumer, seq)).count();
                prop_assert_eq!(consumers[consumer].release(model.now, &seqs), expected);
            }
            Op::Renew { consumer } => {
                let old = std::mem::replace(&mut consumers[consumer], queue.consumer());
                prop_assert_eq!(old.drop_held(), model.renew(consumer, &orders[consumer]));
            }
            Op::Later { ms } => model.now += ms,
            Op::Advance => prop_assert_eq!(queue.advance(model.now), model.expire()),
            Op::Reload { drop_oldest, ack_wait_ms } => {
                model.options.when_full = if drop_oldest { WhenFull::DropOldest } else { WhenFull::Refuse };
                model.options.ack_wait_ms = ack_wait_ms;
                queue.set_when_full(model.options.when_full);
                queue.set_ack_wait(ack_wait_ms);
            }
            Op::Close => {
                queue.close();
                model.closed = true;
            }
        }
        let counters = queue.counters();
        let total: usize = (0..model.lanes.len()).map(|lane| model.held(lane)).sum();
        prop_assert_eq!((counters.depth + counters.unacked) as usize, total);
        prop_assert_eq!((counters.acked, counters.dropped), (model.acked, model.dropped));
        prop_assert_eq!(queue.next_deadline(), model.next_deadline());
        let news = !model.tokens.is_empty() || model.closed && total == 0;
        prop_assert_eq!(consumers[0].wait(std::time::Duration::ZERO), news);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000_u32.max(ProptestConfig::default().cases), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_the_model_does(
        lanes in 1..=3_u32,
        capacity in 1..=4_u32,
        ack_on_poll in any::<bool>(),
        ack_wait_ms in 0..8_u64,
        drop_oldest in any::<bool>(),
        ops in ops(),
    ) {
        let when_full = if drop_oldest { WhenFull::DropOldest } else { WhenFull::Refuse };
        let options = QueueOptions { lanes, capacity, ack_on_poll, ack_wait_ms, when_full, ..QueueOptions::default() };
        check(options, ops)?;
    }
}
