//! What a lane keeps out of the way until its delay ends.

use super::book::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Messages that were nacked with a delay. They are asked for by number (late acks, `drop-oldest`) and by time.
pub(super) struct Delayed<T> {
    by_seq: BTreeMap<u64, (u64, Entry<T>)>,
    /// When the delay ends, and whose.
    by_due: BTreeSet<(u64, u64)>,
}

impl<T> Default for Delayed<T> {
    fn default() -> Self {
        Self { by_seq: BTreeMap::new(), by_due: BTreeSet::new() }
    }
}

impl<T> Delayed<T> {
    pub(super) fn len(&self) -> usize {
        self.by_seq.len()
    }

    pub(super) fn insert(&mut self, due: u64, entry: Entry<T>) {
        let seq = entry.seq;
        self.by_due.insert((due, seq));
        self.by_seq.insert(seq, (due, entry));
    }

    pub(super) fn remove(&mut self, seq: u64) -> Option<Entry<T>> {
        let (due, entry) = self.by_seq.remove(&seq)?;
        self.by_due.remove(&(due, seq));
        Some(entry)
    }

    /// When the first of the delays ends.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.by_due.first().map(|&(due, _)| due)
    }

    /// Takes one whose delay has ended by `now`, in the order in which they ended.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<Entry<T>> {
        let &(due, seq) = self.by_due.first()?;
        if due <= now { self.remove(seq) } else { None }
    }

    /// The lowest sequence number.
    pub(super) fn first_seq(&self) -> Option<u64> {
        self.by_seq.first_key_value().map(|(&seq, _)| seq)
    }

    /// The message of this number, and when its delay ends.
    pub(super) fn get_mut(&mut self, seq: u64) -> Option<(u64, &mut Entry<T>)> {
        self.by_seq.get_mut(&seq).map(|(due, entry)| (*due, entry))
    }
}
