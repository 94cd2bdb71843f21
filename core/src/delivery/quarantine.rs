//! What nobody may read is kept for people, in memory: the latest of it, within bounds.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::QuarantineReason;
use crate::limits::QUARANTINE_ENTRIES_MAX;

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
    /// The body as it arrived; items of one body share it.
    pub body: Bytes,
}

/// The entries, the oldest first. When there are too many, or too many bytes, the oldest leave and are counted.
#[derive(Debug)]
pub(crate) struct Quarantine {
    bytes_max: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    entries: VecDeque<QuarantineEntry>,
    bytes: usize,
    left: u64,
}

impl Quarantine {
    pub(crate) fn new(bytes_max: u32) -> Self {
        Self { bytes_max: bytes_max as usize, held: Mutex::default() }
    }

    /// Keeps an entry; older ones make room for it.
    pub(crate) fn keep(&self, entry: QuarantineEntry) {
        let mut held = self.held();
        held.bytes += entry.body.len();
        // Calls that overlap in time may come with their numbers the other way round.
        let at = held.entries.partition_point(|other| other.seq < entry.seq);
        held.entries.insert(at, entry);
        while held.entries.len() > QUARANTINE_ENTRIES_MAX || held.bytes > self.bytes_max {
            let Some(oldest) = held.entries.pop_front() else { break };
            held.bytes -= oldest.body.len();
            held.left += 1;
        }
    }

    /// The oldest entries, at most `max`, by number.
    pub(crate) fn entries(&self, max: usize) -> Vec<QuarantineEntry> {
        self.held().entries.iter().take(max).cloned().collect()
    }

    /// How many have had to make room.
    pub(crate) fn left(&self) -> u64 {
        self.held().left
    }

    fn held(&self) -> MutexGuard<'_, Held> {
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
}
