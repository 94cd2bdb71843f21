//! What an engine says about itself.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

use super::Engine;
use super::pending::lock;
use crate::delivery::{Verdict, Window};
use crate::nexo::Kind;
use crate::queue;

/// A snapshot. Bodies or items are counted by their verdict; `accepted` counts messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// New messages.
    pub accepted: u64,
    /// New messages by what they are, those of which there are any.
    pub kinds: Vec<(Kind, u64)>,
    /// Bodies or items seen before.
    pub duplicate: u64,
    /// Entries that went to the quarantine.
    pub quarantined: u64,
    /// Entries of the quarantine that had to make room for later ones.
    pub quarantine_left: u64,
    /// Dead letters that had to make room for later ones.
    pub dead_letters_left: u64,
    /// Transactions of the store: `accepted` by this is how many share a sync.
    pub commits: u64,
    /// Messages that wait for a commit or of which the completion is still to be read.
    pub pending: u64,
    /// Keys that are live.
    pub dedupe_keys: u64,
    /// Keys that had to make room for later ones before their time.
    pub dedupe_left: u64,
    /// For how many milliseconds back every key of a terminal's message is known, and of a webhook's item: the windows,
    /// or less if keys had to make room.
    pub dedupe_horizon: [u64; 2],
    /// Bodies that are no message.
    pub ignored: u64,
    /// Bodies that must be sent again.
    pub busy: u64,
    /// Bodies from senders that are not believed.
    pub unauthorized: u64,
    /// Requests of third parties that they may not send.
    pub not_allowed: u64,
    /// Bodies over the limit of size.
    pub too_large: u64,
    /// Bodies with an encoding.
    pub encoded: u64,
    /// Answers to requests of the host's own.
    pub reply: u64,
    /// Bad items beside good ones, which an endpoint without credentials does not keep.
    pub items_dropped: u64,
    /// Bytes of all bodies that were given to the engine.
    pub bytes: u64,
    /// By the name of the queue, those included that are still being drained.
    pub queues: Vec<(String, queue::Counters)>,
}

/// The running numbers: each thread counts in a place that it shares with few others or none, as counting in one place
/// costs threads more than reading a message does.
#[derive(Debug, Default)]
pub(super) struct Tally {
    shares: [CachePadded<Share>; SHARES],
}

/// Threads beyond so many share places.
const SHARES: usize = 16;

/// What some threads have counted. Relaxed, all of it: nobody concludes anything from the order of two.
#[derive(Debug, Default)]
struct Share {
    /// By the number of the kind.
    accepted: [AtomicU64; KINDS],
    duplicate: AtomicU64,
    quarantined: AtomicU64,
    ignored: AtomicU64,
    busy: AtomicU64,
    unauthorized: AtomicU64,
    not_allowed: AtomicU64,
    too_large: AtomicU64,
    encoded: AtomicU64,
    reply: AtomicU64,
    items_dropped: AtomicU64,
    commits: AtomicU64,
    bytes: AtomicU64,
}

/// Bodies that are one message each, to be counted together.
#[derive(Debug, Default)]
pub(super) struct Sent {
    accepted: [u64; KINDS],
    bytes: u64,
}

impl Sent {
    #[inline]
    pub(super) fn count(&mut self, kind: Kind, bytes: usize) {
        self.accepted[kind as usize] += 1;
        self.bytes += bytes as u64;
    }
}

/// Kinds have numbers from 1.
const KINDS: usize = Kind::ALL.len() + 1;

impl Tally {
    /// Where this thread counts.
    #[inline]
    fn share(&self) -> &Share {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static SHARE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARES;
        }
        // A thread that ends may find its own number gone.
        &self.shares[SHARE.try_with(|share| *share).unwrap_or(0)]
    }

    /// A number, of all threads together.
    fn sum(&self, counter: impl Fn(&Share) -> &AtomicU64) -> u64 {
        self.shares.iter().map(|share| counter(share).load(Ordering::Relaxed)).sum()
    }

    /// Counts a body and its verdict.
    ///
    /// Messages, duplicates and entries of the quarantine are counted one by one where they are found.
    #[inline]
    pub(super) fn verdict(&self, verdict: Verdict, bytes: usize) {
        let share = self.share();
        share.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let counter = match verdict {
            Verdict::Accepted { .. } | Verdict::Quarantined { .. } | Verdict::Duplicate { .. } => return,
            Verdict::Ignored { .. } => &share.ignored,
            Verdict::Busy { .. } => &share.busy,
            Verdict::Unauthorized { .. } => &share.unauthorized,
            Verdict::NotAllowed => &share.not_allowed,
            Verdict::TooLarge => &share.too_large,
            Verdict::Encoded => &share.encoded,
            Verdict::Reply(_) => &share.reply,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a body of so many bytes that is one message.
    #[inline]
    pub(super) fn sent(&self, kind: Kind, bytes: usize) {
        let share = self.share();
        share.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        share.accepted[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts several of them.
    pub(super) fn sent_all(&self, sent: &Sent) {
        let share = self.share();
        share.bytes.fetch_add(sent.bytes, Ordering::Relaxed);
        for (counter, count) in share.accepted.iter().zip(sent.accepted) {
            if count > 0 {
                counter.fetch_add(count, Ordering::Relaxed);
            }
        }
    }

    #[inline]
    pub(super) fn accepted(&self, kind: Kind, count: u32) {
        self.share().accepted[kind as usize].fetch_add(u64::from(count), Ordering::Relaxed);
    }

    pub(super) fn duplicate(&self, count: u32) {
        self.share().duplicate.fetch_add(u64::from(count), Ordering::Relaxed);
    }

    pub(super) fn quarantined(&self) {
        self.share().quarantined.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn items_dropped(&self, count: u32) {
        self.share().items_dropped.fetch_add(u64::from(count), Ordering::Relaxed);
    }

    pub(super) fn committed(&self) {
        self.share().commits.fetch_add(1, Ordering::Relaxed);
    }
}

impl Engine {
    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        let tally = &self.inner.tally;
        let pending = self.inner.durable.as_ref().map_or(0, |durable| durable.pending.list().messages());
        let stored = self.inner.durable.as_ref().map(|durable| durable.ledger.counts());
        let now = self.inner.now();
        let (dedupe_keys, dedupe_left, dedupe_horizon) = {
            let index = lock(&self.inner.dedupe);
            let horizon = [Window::Terminal, Window::Webhook].map(|window| index.horizon(window, now));
            (index.len(), index.left(), horizon)
        };
        let kinds = Kind::ALL.map(|kind| (kind, tally.sum(|share| &share.accepted[kind as usize])));
        Counters {
            accepted: kinds.iter().map(|(_, count)| count).sum(),
            kinds: kinds.into_iter().filter(|(_, count)| *count > 0).collect(),
            duplicate: tally.sum(|share| &share.duplicate),
            quarantined: tally.sum(|share| &share.quarantined),
            quarantine_left: stored
                .as_ref()
                .map_or_else(|| self.inner.quarantine.left(), |stored| stored.quarantine_left),
            dead_letters_left: stored.map_or_else(|| self.inner.dead_letters.left(), |stored| stored.dead_letters_left),
            commits: tally.sum(|share| &share.commits),
            pending: pending as u64,
            dedupe_keys,
            dedupe_left,
            dedupe_horizon,
            ignored: tally.sum(|share| &share.ignored),
            busy: tally.sum(|share| &share.busy),
            unauthorized: tally.sum(|share| &share.unauthorized),
            not_allowed: tally.sum(|share| &share.not_allowed),
            too_large: tally.sum(|share| &share.too_large),
            encoded: tally.sum(|share| &share.encoded),
            reply: tally.sum(|share| &share.reply),
            items_dropped: tally.sum(|share| &share.items_dropped),
            bytes: tally.sum(|share| &share.bytes),
            queues: self.inner.running.load().counters(),
        }
    }
}
