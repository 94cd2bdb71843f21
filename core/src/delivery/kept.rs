//! What nobody polls is kept for people, in memory: the latest of it, within bounds. With a store it is there instead.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{QuarantineReason, StoredDead, StoredEntry, StoredMessage};
use crate::limits::{DEAD_LETTERS_MAX, QUARANTINE_ENTRIES_MAX};

/// One body, or one item of a webhook, that is kept from the queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineEntry {
    /// Its number, from the same counter as messages.
    pub seq: u64,
    /// The index of the webhook's bad item, counted from 0; `None` for a whole body.
    pub item: Option<u32>,
    /// Why it is here.
    pub reason: QuarantineReason,
    /// When it arrived, in whole milliseconds since 1970.
    pub received_at: u64,
    /// The name of its endpoint.
    pub endpoint: String,
    /// The host's own mark.
    pub tag: Option<u64>,
    /// The body as it arrived; items of one body share it.
    pub body: Bytes,
}

/// A message that could not be delivered, out of one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The number of the message.
    pub seq: u64,
    /// The name of the queue.
    pub queue: String,
    /// Its id.
    pub(crate) queue_id: u32,
    /// The index of a webhook's item, counted from 0; `None` for a whole body.
    pub item: Option<u32>,
    /// The flags that delivery has added to it.
    pub(crate) flags: u16,
    /// What the consumer said, `nack` or `ack_wait`; or why it could not even be handed out.
    pub reason: String,
    /// When it arrived, in whole milliseconds since 1970.
    pub received_at: u64,
    /// The name of its endpoint.
    pub endpoint: String,
    /// The host's own mark.
    pub tag: Option<u64>,
    /// How often it had been handed out.
    pub attempts: u32,
    /// The body as it arrived.
    pub body: Bytes,
}

impl From<StoredEntry> for QuarantineEntry {
    fn from(stored: StoredEntry) -> Self {
        let StoredEntry { seq, item, reason, received_at, endpoint, tag, body } = stored;
        // A word that this version does not know was written by a later one.
        let reason = QuarantineReason::from_word(&reason).unwrap_or(QuarantineReason::Malformed);
        Self { seq, item, reason, received_at, endpoint, tag, body }
    }
}

impl From<StoredDead> for DeadLetter {
    fn from(stored: StoredDead) -> Self {
        let StoredDead { queue: queue_id, queue_name: queue, reason, attempts, message, .. } = stored;
        let StoredMessage { seq, item, received_at, endpoint, tag, flags, body, .. } = message;
        Self { seq, queue, queue_id, item, flags, reason, received_at, endpoint, tag, attempts, body }
    }
}

/// What can be kept: it has a number and a size.
pub(crate) trait Keepable: Clone {
    /// Entries that are kept at most.
    const MAX: usize;

    fn seq(&self) -> u64;
    fn bytes(&self) -> usize;
}

/// What is kept from the queues.
pub(crate) type Quarantine = Kept<QuarantineEntry>;

/// What could not be delivered.
pub(crate) type DeadLetters = Kept<DeadLetter>;

impl Keepable for QuarantineEntry {
    const MAX: usize = QUARANTINE_ENTRIES_MAX;

    fn seq(&self) -> u64 {
        self.seq
    }

    fn bytes(&self) -> usize {
        self.body.len()
    }
}

impl Keepable for DeadLetter {
    const MAX: usize = DEAD_LETTERS_MAX;

    fn seq(&self) -> u64 {
        self.seq
    }

    fn bytes(&self) -> usize {
        self.body.len()
    }
}

/// The entries, the oldest first. When there are too many, or too many bytes, the oldest leave and are counted.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    bytes_max: usize,
    held: Mutex<Held<T>>,
}

#[derive(Debug)]
struct Held<T> {
    entries: VecDeque<T>,
    bytes: usize,
    left: u64,
}

impl<T: Keepable> Kept<T> {
    pub(crate) fn new(bytes_max: u32) -> Self {
        let held = Held { entries: VecDeque::new(), bytes: 0, left: 0 };
        Self { bytes_max: bytes_max as usize, held: Mutex::new(held) }
    }

    /// Keeps an entry; older ones make room for it.
    pub(crate) fn keep(&self, entry: T) {
        let mut held = self.held();
        held.bytes += entry.bytes();
        // Calls that overlap in time may come with their numbers the other way round.
        let at = held.entries.partition_point(|other| other.seq() < entry.seq());
        held.entries.insert(at, entry);
        while held.entries.len() > T::MAX || held.bytes > self.bytes_max {
            let Some(oldest) = held.entries.pop_front() else { break };
            held.bytes -= oldest.bytes();
            held.left += 1;
        }
    }

    /// Takes out the first entry of this number for which `wanted` is true.
    pub(crate) fn remove(&self, seq: u64, wanted: impl Fn(&T) -> bool) {
        let mut held = self.held();
        let at = held.entries.partition_point(|other| other.seq() < seq);
        let found = (at..held.entries.len())
            .take_while(|&at| held.entries[at].seq() == seq)
            .find(|&at| wanted(&held.entries[at]));
        if let Some(entry) = found.and_then(|at| held.entries.remove(at)) {
            held.bytes -= entry.bytes();
        }
    }

    /// The oldest entries, at most `max`, by number.
    pub(crate) fn entries(&self, max: usize) -> Vec<T> {
        self.held().entries.iter().take(max).cloned().collect()
    }

    /// How many have had to make room.
    pub(crate) fn left(&self) -> u64 {
        self.held().left
    }

    fn held(&self) -> MutexGuard<'_, Held<T>> {
        // A panic inside leaves whole entries, as each step above does.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, length: usize) -> QuarantineEntry {
        QuarantineEntry {
            seq,
            item: None,
            reason: QuarantineReason::Foreign,
            received_at: 0,
            endpoint: "default".to_owned(),
            tag: None,
            body: vec![b'x'; length].into(),
        }
    }

    fn seqs(quarantine: &Quarantine) -> Vec<u64> {
        quarantine.entries(usize::MAX).iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn the_oldest_leave_when_there_are_too_many_bytes() {
        let quarantine = Quarantine::new(10);
        for seq in [2, 1, 3] {
            quarantine.keep(entry(seq, 4));
        }
        assert_eq!((seqs(&quarantine), quarantine.left()), (vec![2, 3], 1));
        quarantine.keep(entry(4, 11));
        assert_eq!((seqs(&quarantine), quarantine.left()), (vec![], 4));
    }

    #[test]
    fn the_oldest_leave_when_there_are_too_many() {
        let quarantine = Quarantine::new(1 << 20);
        let last = QUARANTINE_ENTRIES_MAX as u64 + 3;
        (1..=last).for_each(|seq| quarantine.keep(entry(seq, 1)));
        assert_eq!(seqs(&quarantine), (4..=last).collect::<Vec<_>>());
        assert_eq!(quarantine.entries(2).len(), 2);
    }

    #[test]
    fn what_is_taken_out_frees_its_bytes() {
        let quarantine = Quarantine::new(10);
        (1..=2).for_each(|seq| quarantine.keep(entry(seq, 5)));
        quarantine.remove(1, |_| true);
        quarantine.remove(2, |_| false);
        quarantine.keep(entry(3, 5));
        assert_eq!((seqs(&quarantine), quarantine.left()), (vec![2, 3], 0));
    }
}
