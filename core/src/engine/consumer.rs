//! The way out: the queues' consumers, with the engine's time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::running::NamedQueue;
use super::{Inner, UNWRITTEN_AGE_MS};
use crate::message::Message;
use crate::os;
use crate::queue::{self, Delivery, Nack, PollError};

/// A queue of an engine. It lives on after a reload has removed it, until it is drained.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
    queue: NamedQueue,
}

/// A message that was handed out.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The message.
    pub message: Message,
    /// The how manieth time it is handed out, from 1.
    pub attempt: u32,
}

impl Queue {
    pub(super) fn new(inner: Arc<Inner>, queue: NamedQueue) -> Self {
        Self { inner, queue }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.queue.name
    }

    /// One more consumer: one for each worker that polls.
    pub fn consumer(&self) -> Consumer {
        Consumer {
            inner: Arc::clone(&self.inner),
            epoch: self.inner.epoch.load(Ordering::Acquire),
            consumer: self.queue.queue.consumer(),
            queue: self.queue.clone(),
            deliveries: Vec::new(),
        }
    }

    /// What has happened in it so far.
    pub fn counters(&self) -> queue::Counters {
        self.queue.queue.counters()
    }

    /// A descriptor that is readable while a poll would find something. See [`queue::Queue::descriptor`].
    ///
    /// # Errors
    /// What the system says when a process has too many descriptors.
    #[cfg(unix)]
    pub fn descriptor(&self) -> std::io::Result<std::os::fd::BorrowedFd<'_>> {
        self.queue.queue.descriptor()
    }
}

/// One worker's access to a queue. What it was handed it holds until it acks, nacks or releases it, or `ack_wait` ends;
/// without a store also until it polls again. Dropping it releases all it holds.
pub struct Consumer {
    inner: Arc<Inner>,
    /// The opening of the store that `consumer` belongs to.
    epoch: u64,
    consumer: queue::Consumer<Message>,
    queue: NamedQueue,
    /// Empty between calls; kept for its memory.
    deliveries: Vec<Delivery<Message>>,
}

impl Consumer {
    /// The name of its queue.
    pub fn queue_name(&self) -> &str {
        &self.queue.name
    }

    /// Appends at most `max` messages to `batch` and says how many, without waiting; nothing is not an error.
    ///
    /// Without a store it first acks what its last poll handed out. See [`queue::Consumer::poll`].
    ///
    /// # Errors
    /// [`PollError::Closed`] when the queue will never have anything again; [`PollError::Store`] when what is left of it
    /// can be had from the store alone, and that cannot be read.
    pub fn poll(&mut self, max: usize, batch: &mut Vec<Delivered>) -> Result<usize, PollError> {
        self.rebind();
        let mut count = self.consumer.poll(self.inner.now(), max, &mut self.deliveries);
        if count == Err(PollError::Closed) {
            count = self.is_over(max);
        }
        self.inner.bury(&self.queue);
        let delivered = self.deliveries.drain(..);
        batch.extend(delivered.map(|Delivery { item, attempt }| Delivered { message: item, attempt }));
        count
    }

    /// A queue that has ended may have been shut only to be opened again.
    #[cold]
    fn is_over(&mut self, max: usize) -> Result<usize, PollError> {
        // Acquire, paired with the steps in `reopen`; this before the epoch, which has changed when it says no.
        let reopening = self.inner.reopening.load(Ordering::Acquire);
        if self.rebind() {
            return self.consumer.poll(self.inner.now(), max, &mut self.deliveries);
        }
        let closing = self.inner.closing.load(Ordering::Acquire);
        Err(if reopening && !closing { PollError::Store } else { PollError::Closed })
    }

    /// The same, and waits up to `timeout` for the first message. Meanwhile it fires what is due, and writes what is to
    /// be written.
    ///
    /// # Errors
    /// As [`poll`](Self::poll).
    pub fn poll_timeout(
        &mut self,
        max: usize,
        timeout: Duration,
        batch: &mut Vec<Delivered>,
    ) -> Result<usize, PollError> {
        let end = os::boot_ms().saturating_add(os::milliseconds(timeout));
        loop {
            let count = self.poll(max, batch)?;
            let left = end.saturating_sub(os::boot_ms());
            // Who wants nothing would find that again and again.
            if count > 0 || left == 0 || max == 0 {
                return Ok(count);
            }
            if let Some(durable) = &self.inner.durable {
                self.inner.write_due(durable, false, self.inner.now());
            }
            self.consumer.wait(Duration::from_millis(left.min(self.until_deadline())));
        }
    }

    /// Milliseconds until the queue has something due; with a manual clock that is never for those who wait.
    fn until_deadline(&self) -> u64 {
        let running = self.inner.running.load();
        if !running.clock.is_system() {
            return u64::MAX;
        }
        let written = running.all_queues().filter_map(queue::Queue::oldest_unwritten);
        let written = written.map(|since| since.saturating_add(UNWRITTEN_AGE_MS));
        let deadline = self.consumer.queue().next_deadline().into_iter().chain(written).min();
        deadline.map_or(u64::MAX, |deadline| deadline.saturating_sub(running.clock.now()).max(1))
    }

    /// Ends the duty for messages that this or another consumer was handed, however late; answers how many.
    pub fn ack(&mut self, seqs: &[u64]) -> usize {
        self.rebind();
        let (now, mut missed) = (self.inner.now(), vec![]);
        let acked = self.consumer.ack_or_miss(now, seqs, |seq| missed.push(seq));
        acked + missed.into_iter().filter(|&seq| self.ack_behind(now, seq)).count()
    }

    /// Acks what is in the store alone: it was handed out before the store was opened again.
    #[cold]
    fn ack_behind(&self, now: u64, seq: u64) -> bool {
        let Some(durable) = &self.inner.durable else { return false };
        let Ok(Some((lane, state))) = durable.ledger.delivery(self.queue.id, seq) else { return false };
        state.attempt > 0 && self.queue.queue.ack_behind(now, lane, seq)
    }

    /// Says of messages that it holds that they could not be dealt with: each comes again after a while, and those
    /// behind it go on meanwhile; after too many failures it goes to the dead letters. Answers how many.
    pub fn nack(&mut self, seqs: &[u64], nack: &Nack) -> usize {
        self.rebind();
        let count = self.consumer.nack(self.inner.now(), seqs, nack);
        self.inner.bury(&self.queue);
        count
    }

    /// Gives back messages that it holds: each comes again, before those behind it; answers how many.
    pub fn release(&mut self, seqs: &[u64]) -> usize {
        self.rebind();
        self.consumer.release(self.inner.now(), seqs)
    }

    /// A sign of life: `ack_wait` begins anew for the batches of these messages; answers how many it holds of them.
    pub fn extend(&mut self, seqs: &[u64]) -> usize {
        self.rebind();
        self.consumer.extend(self.inner.now(), seqs)
    }

    /// Whether its queue is closed or removed, empty, and nothing of it in anybody's hands: then a poll is
    /// [`PollError::Closed`].
    pub fn has_ended(&self) -> bool {
        self.consumer.queue().has_ended()
    }

    /// Ends, gives back all it holds, and answers how many messages that were.
    pub fn close(mut self) -> usize {
        self.rebind();
        self.consumer.drop_held()
    }

    /// After the store was opened again this is a consumer of the queue that has its name now, and holds nothing. Says
    /// whether it became one.
    #[inline]
    fn rebind(&mut self) -> bool {
        // Acquire, paired with the step in `reopen`: who sees it sees the queues that were opened.
        let epoch = self.inner.epoch.load(Ordering::Acquire);
        if epoch == self.epoch {
            return false;
        }
        self.epoch = epoch;
        let Some(queue) = self.inner.running.load().queue(&self.queue.name) else { return false };
        self.consumer = queue.queue.consumer();
        self.queue = queue;
        true
    }
}
