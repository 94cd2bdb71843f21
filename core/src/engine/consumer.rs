//! The way out: the queues' consumers, with the engine's time.

use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use super::running::NamedQueue;
use crate::message::Message;
use crate::os;
use crate::queue::{self, Delivery, PollError};

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
            consumer: self.queue.queue.consumer(),
            name: Arc::clone(&self.queue.name),
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

/// One worker's access to a queue. What it was handed it holds until it acks or releases it, polls again, or
/// `ack_wait` ends; dropping it releases all it holds.
pub struct Consumer {
    inner: Arc<Inner>,
    consumer: queue::Consumer<Message>,
    name: Arc<str>,
    /// Empty between calls; kept for its memory.
    deliveries: Vec<Delivery<Message>>,
}

impl Consumer {
    /// The name of its queue.
    pub fn queue_name(&self) -> &str {
        &self.name
    }

    /// Appends at most `max` messages to `batch` and says how many, without waiting; nothing is not an error.
    ///
    /// First it acks what its last poll handed out. See [`queue::Consumer::poll`].
    ///
    /// # Errors
    /// [`PollError::Closed`] when the queue will never have anything again.
    pub fn poll(&mut self, max: usize, batch: &mut Vec<Delivered>) -> Result<usize, PollError> {
        let count = self.consumer.poll(self.inner.clock.now(), max, &mut self.deliveries)?;
        let delivered = self.deliveries.drain(..);
        batch.extend(delivered.map(|Delivery { item, attempt }| Delivered { message: item, attempt }));
        Ok(count)
    }

    /// The same, and waits up to `timeout` for the first message. Meanwhile it fires what is due.
    ///
    /// # Errors
    /// [`PollError::Closed`] when the queue will never have anything again.
    pub fn poll_timeout(
        &mut self,
        max: usize,
        timeout: Duration,
        batch: &mut Vec<Delivered>,
    ) -> Result<usize, PollError> {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let end = os::boot_ms().saturating_add(timeout_ms);
        loop {
            let count = self.poll(max, batch)?;
            let left = end.saturating_sub(os::boot_ms());
            // Who wants nothing would find that again and again.
            if count > 0 || left == 0 || max == 0 {
                return Ok(count);
            }
            self.consumer.wait(Duration::from_millis(left.min(self.until_deadline())));
        }
    }

    /// Milliseconds until the queue has something due; with a manual clock that is never for those who wait.
    fn until_deadline(&self) -> u64 {
        let deadline = self.consumer.queue().next_deadline().filter(|_| self.inner.clock.is_system());
        deadline.map_or(u64::MAX, |deadline| deadline.saturating_sub(self.inner.clock.now()).max(1))
    }

    /// Ends the duty for messages that this or another consumer was handed, however late; answers how many.
    pub fn ack(&mut self, seqs: &[u64]) -> usize {
        self.consumer.ack(self.inner.clock.now(), seqs)
    }

    /// Gives back messages that it holds: each comes again, before those behind it; answers how many.
    pub fn release(&mut self, seqs: &[u64]) -> usize {
        self.consumer.release(self.inner.clock.now(), seqs)
    }

    /// Whether its queue is closed or removed, empty, and nothing of it in anybody's hands: then a poll is [`PollError::Closed`].
    pub fn has_ended(&self) -> bool {
        self.consumer.queue().has_ended()
    }

    /// Ends, gives back all it holds, and answers how many messages that were.
    pub fn close(self) -> usize {
        self.consumer.drop_held()
    }
}
