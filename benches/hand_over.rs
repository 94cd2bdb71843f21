//! Claims: in batches of 64 a message passes a queue in less than 0.6 of the time that it takes singly, in one thread and
//! between two. What lanes, permits and acks cost can be read off too: the bare channel has none of them.
//!
//! Records of 64 bytes go from a producer to a consumer, in the same thread and between two. `crossbeam` is the bare
//! channel. An iteration hands over 1,024 records and sums up their numbers.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nexowire_core::queue::{Consumer, Item, Queue, QueueOptions};

const RECORDS: u64 = 1_024;
const BATCH: usize = 64;
/// Terminals, which fall into different lanes.
const KEYS: u64 = 32;

#[derive(Clone, Copy)]
struct Record([u64; 8]);

impl Record {
    fn new(number: u64) -> Self {
        Self([number; 8])
    }
}

impl Item for Record {
    fn seq(&self) -> u64 {
        self.0[0]
    }
}

/// The sum of the numbers of all records.
fn total(records: u64) -> u64 {
    records * (records - 1) / 2
}

fn send(queue: &Queue<Record>, number: u64) {
    let lane = queue.lane_of(&(number % KEYS).to_le_bytes());
    loop {
        match queue.reserve(lane) {
            Ok(reservation) => return reservation.send(Record::new(number)),
            Err(_full) => thread::yield_now(),
        }
    }
}

/// Polls until there is something, at most `max`, and answers how much it was and the sum of the numbers.
fn receive(
    consumer: &mut Consumer<Record>,
    max: usize,
    batch: &mut Vec<nexowire_core::queue::Delivery<Record>>,
) -> [u64; 2] {
    loop {
        batch.clear();
        // Nothing is due, as no time passes.
        let count = consumer.poll(0, max, batch).expect("the queue is open");
        if count > 0 {
            return [count as u64, batch.iter().map(|delivery| delivery.item.seq()).sum()];
        }
        thread::yield_now();
    }
}

/// Lets `produce` and `consume` run at the same time, and answers how long that took; both are given a number of
/// records, and `consume` answers the sum of their numbers.
fn between_threads(iterations: u64, produce: impl FnOnce(u64) + Send, consume: impl FnOnce(u64) -> u64) -> Duration {
    let (records, barrier) = (iterations * RECORDS, Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            barrier.wait();
            produce(records);
        });
        barrier.wait();
        let begin = Instant::now();
        assert_eq!(consume(records), total(records));
        begin.elapsed()
    })
}

fn our_queue(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hand-over/queue");
    group.throughput(Throughput::Elements(RECORDS));
    for max in [1, BATCH] {
        group.bench_function(format!("one thread, polls of {max}"), |bencher| {
            let queue = Queue::new(QueueOptions::default());
            let (mut consumer, mut batch) = (queue.consumer(), vec![]);
            bencher.iter(|| {
                let (mut number, mut sum) = (0, 0);
                while number < RECORDS {
                    (0..max).for_each(|at| send(&queue, number + at as u64));
                    let mut received = 0;
                    while received < max as u64 {
                        let [count, numbers] = receive(&mut consumer, max, &mut batch);
                        received += count;
                        sum += numbers;
                    }
                    number += max as u64;
                }
                assert_eq!(sum, total(RECORDS));
            });
        });
        group.bench_function(format!("two threads, polls of {max}"), |bencher| {
            bencher.iter_custom(|iterations| {
                let queue = Queue::new(QueueOptions::default());
                let (mut consumer, mut batch) = (queue.consumer(), vec![]);
                let consume = |records| {
                    let (mut received, mut sum) = (0, 0);
                    while received < records {
                        let [count, numbers] = receive(&mut consumer, max, &mut batch);
                        received += count;
                        sum += numbers;
                    }
                    sum
                };
                between_threads(iterations, |records| (0..records).for_each(|number| send(&queue, number)), consume)
            });
        });
    }
    group.finish();
}

fn bare_channel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hand-over/crossbeam");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("one thread, single", |bencher| {
        let (sender, receiver) = crossbeam_channel::bounded(4_096);
        bencher.iter(|| {
            let mut sum = 0;
            for number in 0..RECORDS {
                sender.send(Record::new(number)).expect("the receiver is there");
                sum += receiver.recv().expect("the sender is there").seq();
            }
            assert_eq!(sum, total(RECORDS));
        });
    });
    group.bench_function("two threads, single", |bencher| {
        bencher.iter_custom(|iterations| {
            let (sender, receiver) = crossbeam_channel::bounded(4_096);
            let produce = move |records| {
                (0..records).for_each(|number| sender.send(Record::new(number)).expect("the receiver is there"));
            };
            between_threads(iterations, produce, |records| {
                receiver.iter().take(records as usize).map(|record| record.seq()).sum()
            })
        });
    });
    group.bench_function("two threads, boxed batches of 64", |bencher| {
        bencher.iter_custom(|iterations| {
            let (sender, receiver) = crossbeam_channel::bounded::<Box<[Record; BATCH]>>(4_096 / BATCH);
            let produce = move |records| {
                for first in (0..records).step_by(BATCH) {
                    let batch = Box::new(std::array::from_fn(|at| Record::new(first + at as u64)));
                    sender.send(batch).expect("the receiver is there");
                }
            };
            between_threads(iterations, produce, |records| {
                let batches = receiver.iter().take(records as usize / BATCH);
                batches.map(|batch| batch.iter().map(Item::seq).sum::<u64>()).sum()
            })
        });
    });
    group.finish();
}

criterion_group!(benches, our_queue, bare_channel);
criterion_main!(benches);
