//! All that nexowire writes into a store, and the only place that knows what stands where. Source: `delivery.md`, 1.5 to
//! 1.10, 3, 5, 6.1 and 8; design, section 10.
//!
//! | table | key | value |
//! |---|---|---|
//! | `Meta` | a name | version of the layout, hash key, totals (last number, clock, counts) |
//! | `Queues` | name | id, lanes (0: rows are being dealt out anew) |
//! | `Messages` | number | record and body; or where the body is; or only a body, of the quarantine |
//! | `TerminalKeys`, `WebhookKeys` | number | hash, digest, first acceptance |
//! | `Deliveries` | queue, lane, number | attempt, failures, due; how it holds the body |
//! | `Quarantine` | number | reason and so on; how it holds the body |
//! | `DeadLetters` | number, queue | time, reason, attempts; how it holds the body |
//! | `Consumed` | 0, time, number | a consumed body: bytes, rows |
//! | | 1, time, number, queue | a dead letter by its time |
//! | | 2, number | what still holds a body that several share |
//!
//! A body is held by deliveries, dead letters and entries of the quarantine. One that a single row holds costs nothing
//! more than that row: it knows the length, so that an ack looks at no message.
//!
//! | file | what it is |
//! |---|---|
//! | `types.rs` | what goes in and comes out |
//! | `codec.rs`, `rows.rs`, `message_row.rs` | bytes of rows |
//! | `write.rs`, `change.rs`, `retention.rs` | a transaction: what is new, what changes, what goes by itself |
//! | `queues.rs`, `open.rs` | ids of queues; an opening |
//! | `look.rs` | all that reads |

mod change;
mod codec;
mod look;
mod message_row;
mod open;
mod queues;
mod retention;
mod rows;
#[cfg(test)]
mod tests;
mod types;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::queues::Queues;
use self::rows::Totals;
use self::write::{Fronts, Transaction};
use super::store::{Store, StoreError, StoreErrorKind};

pub(crate) use types::*;

/// Room on the disk that a store leaves to others. Source: design, section 10.
const DISK_RESERVE: u64 = 64 << 20;

/// What is written where. Shared by threads: one commits at a time, others read meanwhile.
pub(crate) struct Ledger {
    store: Arc<dyn Store>,
    /// Held by a commit and by an opening, from beginning to end.
    writing: Mutex<Writing>,
    /// Held for a moment only, so that nobody who looks waits for a sync.
    shown: Mutex<Shown>,
    queues: Mutex<Queues>,
}

#[derive(Default)]
struct Writing {
    totals: Totals,
    fronts: Fronts,
    /// The highest number of all groups, those included that failed.
    seen: u64,
}

struct Shown {
    options: LedgerOptions,
    counts: LedgerCounts,
    /// What the store said when it was last asked.
    free: Option<u64>,
    latched: Option<StoreError>,
}

/// Latches when it is dropped: a panic between its making and its end leaves nobody who knows what is stored.
struct Latching<'l>(Option<&'l Ledger>);

impl Drop for Latching<'_> {
    fn drop(&mut self) {
        if let Some(ledger) = self.0 {
            ledger.latch();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under any of these locks latches, or leaves whole what it guards.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    /// Opens a store: `queues` are the names and lanes of the configuration, `default_queue` is the index of the one
    /// that inherits what queues that are gone have left.
    ///
    /// # Errors
    /// What the store says; [`StoreErrorKind::Version`] if a newer version has written it, [`StoreErrorKind::Corrupt`]
    /// if what it has cannot be right.
    pub(crate) fn open(
        store: Arc<dyn Store>,
        options: LedgerOptions,
        queues: &[(String, u32)],
        default_queue: usize,
    ) -> Result<(Self, Opened), StoreError> {
        let shown = Shown { options, counts: LedgerCounts::default(), free: None, latched: None };
        let ledger = Self { store, writing: Mutex::default(), shown: Mutex::new(shown), queues: Mutex::default() };
        let opened = ledger.opening(&mut lock(&ledger.writing), queues, default_queue)?;
        Ok((ledger, opened))
    }

    /// Closes the store, opens it again, and looks at it afresh; then commits go on.
    ///
    /// # Errors
    /// As [`open`](Self::open); then the ledger is latched.
    pub(crate) fn reopen(&self, queues: &[(String, u32)], default_queue: usize) -> Result<Opened, StoreError> {
        let mut writing = lock(&self.writing);
        let mut latching = Latching(Some(self));
        let opened = self.store.reopen().and_then(|()| self.opening(&mut writing, queues, default_queue));
        latching.0 = None;
        lock(&self.shown).latched = opened.as_ref().err().cloned();
        opened
    }

    /// The id of a queue that a reload has added; the same name has the same id for ever. It is written with the next
    /// commit.
    ///
    /// # Errors
    /// [`StoreErrorKind::Full`] when there have been 2^32 queues.
    pub(crate) fn queue_id(&self, name: &str, lanes: u32) -> Result<u32, StoreError> {
        lock(&self.queues).add(name, lanes)
    }

    /// Writes a group, in one transaction.
    ///
    /// # Errors
    /// What the store says. Whatever fails latches: all later commits fail at once with the same error, until
    /// [`reopen`](Self::reopen).
    pub(crate) fn commit(&self, group: &Group<'_>) -> Result<(), StoreError> {
        let mut writing = lock(&self.writing);
        self.check()?;
        writing.seen = writing.seen.max(group.last_seq);
        let mut latching = Latching(Some(self));
        let options = lock(&self.shown).options;
        let added = lock(&self.queues).unwritten();
        let mut after = (writing.totals, writing.fronts);
        let written = self.store.write(&mut |writer| {
            queues::write(writer, &added)?;
            let mut transaction = Transaction::new(writer, options, writing.totals, writing.fronts, group);
            transaction.run(group)?;
            after = (transaction.totals, transaction.fronts);
            Ok(())
        });
        if let Err(error) = written {
            self.latch_with(error.clone());
            latching.0 = None;
            return Err(error);
        }
        (writing.totals, writing.fronts) = after;
        lock(&self.queues).written(&added);
        self.show(&writing.totals);
        latching.0 = None;
        Ok(())
    }

    fn show(&self, totals: &Totals) {
        let free = self.store.free_bytes();
        let mut shown = lock(&self.shown);
        shown.counts = totals.counts;
        shown.free = free;
    }

    /// Whether all commits fail.
    pub(crate) fn is_latched(&self) -> bool {
        lock(&self.shown).latched.is_some()
    }

    /// Lets all commits fail from now on: somebody has failed between a commit and what must follow it.
    pub(crate) fn latch(&self) {
        self.latch_with(StoreError::new(StoreErrorKind::Io, "a commit was left half done"));
    }

    fn latch_with(&self, error: StoreError) {
        // The first error is the cause of those behind it.
        lock(&self.shown).latched.get_or_insert(error);
    }

    /// The error that has latched it.
    fn check(&self) -> Result<(), StoreError> {
        lock(&self.shown).latched.clone().map_or(Ok(()), Err)
    }

    /// A reload may change times; what follows from it is done with the next commits.
    pub(crate) fn set_options(&self, options: LedgerOptions) {
        lock(&self.shown).options = options;
    }

    /// Forgets the stored time, which stands too far ahead (`delivery.md`, 6.1): the next commit stores its own.
    pub(crate) fn drop_clock(&self) {
        lock(&self.writing).totals.clock = 0;
    }

    /// Whether so many bytes more fit: among the live ones, and on the disk with a reserve. Rows cost room of their
    /// own, so that the disk must have twice as much.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        let shown = lock(&self.shown);
        let fits = shown.counts.live_bytes.saturating_add(bytes) <= shown.options.max_bytes;
        let wanted = bytes.saturating_mul(2).saturating_add(DISK_RESERVE);
        let enough = |free: Option<u64>| free.is_none_or(|free| free >= wanted);
        let last = shown.free;
        drop(shown);
        // The disk is asked after each commit, and again only when that said no: somebody may have made room.
        fits && (enough(last) || enough(self.store.free_bytes()))
    }

    /// Whether something may be over its time: then a commit, even of nothing, lets it go. It waits for a commit that is
    /// under way.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        let options = lock(&self.shown).options;
        let fronts = lock(&self.writing).fronts;
        let [terminal, webhook] = fronts.keys;
        let due = |front: u64, kept_ms: u64| front < now.saturating_sub(kept_ms);
        due(fronts.consumed, options.retention_ms)
            || due(fronts.died, options.dead_letter_retention_ms)
            || due(terminal.1, options.terminal_window_ms)
            || due(webhook.1, options.webhook_window_ms)
    }

    /// How much there is.
    pub(crate) fn counts(&self) -> LedgerCounts {
        lock(&self.shown).counts
    }

    /// Lets the store go.
    pub(crate) fn close(&self) {
        self.store.close();
    }
}
