//! Failures: how long a message waits after one, and when it has had enough of them.

use super::book::{Book, Entry, insert};
use super::shared::Shared;
use super::wake::lock;
use super::{Item, Queue, QueueOptions};
use crate::limits::NACK_REASON_BYTES_MAX;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// How a consumer says that it could not do what a message asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nack {
    /// Milliseconds until it comes back; 0 is at once. Without it [`QueueOptions::retry_ms`], doubled with each failure.
    pub delay_ms: Option<u64>,
    /// What the dead letters say if this failure is the last. Without it `nack`. Of a longer text the first
    /// [`NACK_REASON_BYTES_MAX`] bytes are kept, or a little less, so that no character is cut.
    pub reason: Option<String>,
    /// Whether the message goes to the dead letters at once.
    pub dead: bool,
}

/// A message that has left its queue for the dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead<T> {
    /// The message.
    pub item: T,
    /// Its lane.
    pub lane: u32,
    /// The text of its last nack, cut as [`Nack::reason`] says; `nack` if that had none; `ack_wait` if its consumer gave
    /// no sign of life.
    pub reason: String,
    /// How often it was handed out.
    pub attempts: u32,
}

/// What a failure leads to. A reload may change it.
pub(super) struct Retry {
    max_attempts: AtomicU32,
    pause_ms: AtomicU64,
    pause_max_ms: AtomicU64,
}

/// The dead letters that nobody has asked for yet.
pub(super) struct Letters<T> {
    letters: Mutex<Vec<Dead<T>>>,
    /// How many there are, for those who ask often.
    count: AtomicUsize,
}

impl Retry {
    pub(super) fn new(options: &QueueOptions) -> Self {
        Self {
            max_attempts: AtomicU32::new(options.max_attempts),
            pause_ms: AtomicU64::new(options.retry_ms),
            pause_max_ms: AtomicU64::new(options.retry_max_ms),
        }
    }

    // Relaxed, all of them: a reload and a failure that come at the same time have no order between them.
    fn set(&self, max_attempts: u32, retry_ms: u64, retry_max_ms: u64) {
        self.max_attempts.store(max_attempts, Ordering::Relaxed);
        self.pause_ms.store(retry_ms, Ordering::Relaxed);
        self.pause_max_ms.store(retry_max_ms, Ordering::Relaxed);
    }

    /// Whether the failure of this number is the last one.
    fn is_last(&self, failures: u32) -> bool {
        failures >= self.max_attempts.load(Ordering::Relaxed)
    }

    /// The pause after the failure of this number.
    fn pause_ms(&self, failures: u32) -> u64 {
        let doubled = 1_u64 << failures.saturating_sub(1).min(63);
        let pause = self.pause_ms.load(Ordering::Relaxed).saturating_mul(doubled);
        pause.min(self.pause_max_ms.load(Ordering::Relaxed))
    }
}

impl<T> Default for Letters<T> {
    fn default() -> Self {
        Self { letters: Mutex::new(Vec::new()), count: AtomicUsize::new(0) }
    }
}

impl<T> Letters<T> {
    fn push(&self, letter: Dead<T>) {
        let mut letters = lock(&self.letters);
        letters.push(letter);
        // Release, paired with the load in `take`.
        self.count.store(letters.len(), Ordering::Release);
    }

    fn take(&self, out: &mut Vec<Dead<T>>) -> usize {
        if self.count.load(Ordering::Acquire) == 0 {
            return 0;
        }
        let mut letters = lock(&self.letters);
        let count = letters.len();
        out.append(&mut letters);
        self.count.store(0, Ordering::Release);
        count
    }
}

impl<T: Item> Shared<T> {
    /// A nack of one message in hands. Returns the permits that it gives back; nothing if these hands do not hold it.
    pub(super) fn nack(&self, lane: u32, book: &mut Book<T>, now: u64, seq: u64, nack: &Nack) -> Option<usize> {
        let mut entry = book.take_back(now, seq)?;
        entry.fail();
        book.counts.nacked += 1;
        if nack.dead || self.retry.is_last(entry.failures()) {
            self.bury(lane, book, now, entry, nack.reason.as_deref().unwrap_or("nack"));
            return Some(1);
        }
        book.note_state(now, &mut entry);
        match nack.delay_ms.unwrap_or_else(|| self.retry.pause_ms(entry.failures())) {
            0 => insert(&mut book.front, entry),
            delay_ms => {
                book.delayed.insert(now.saturating_add(delay_ms), entry);
                self.note_delays(book);
            }
        }
        Some(0)
    }

    /// `ack_wait` has ended for what is in hands: a failure of the first of it, the one its consumer was at. Returns the
    /// permits that this gives back.
    pub(super) fn fail_first(&self, lane: u32, book: &mut Book<T>, now: u64) -> usize {
        let Some(mut entry) = book.hands.pop_front() else { return 0 };
        entry.fail();
        if self.retry.is_last(entry.failures()) {
            self.bury(lane, book, now, entry, "ack_wait");
            return 1;
        }
        book.note_state(now, &mut entry);
        book.hands.push_front(entry);
        0
    }

    fn bury(&self, lane: u32, book: &mut Book<T>, now: u64, entry: Entry<T>, reason: &str) {
        // A host may pass on whatever an error says, and every letter of a batch has a copy.
        let reason = &reason[..reason.floor_char_boundary(NACK_REASON_BYTES_MAX)];
        let (seq, was_noted, attempts) = (entry.seq, entry.is_noted(), entry.attempt);
        book.counts.dead += 1;
        // Before the note: whoever has taken that finds the letter.
        self.letters.push(Dead { item: entry.item, lane, reason: reason.to_owned(), attempts });
        if let Some(rows) = &mut book.rows {
            rows.changes.dead(now, seq, was_noted, reason.to_owned(), attempts);
        }
    }
}

impl<T: Item> Queue<T> {
    /// Changes what a failure leads to, from the next one on: see [`QueueOptions::max_attempts`],
    /// [`QueueOptions::retry_ms`] and [`QueueOptions::retry_max_ms`].
    pub fn set_retry(&self, max_attempts: u32, retry_ms: u64, retry_max_ms: u64) {
        self.shared.retry.set(max_attempts, retry_ms, retry_max_ms);
    }

    /// Appends the messages that have left for the dead letters since the last call, and says how many. None is one
    /// load. They are kept until they are asked for: ask after each nack, poll and [`advance`](Self::advance), or, over
    /// a backlog, after [`take_changes`](Self::take_changes), which says the same of each by its number.
    pub fn take_dead(&self, out: &mut Vec<Dead<T>>) -> usize {
        self.shared.letters.take(out)
    }
}
