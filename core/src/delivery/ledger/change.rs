//! What becomes of what is stored: who lets a body go, and what happens when nobody holds it any more.

use super::super::store::{StoreError, Table};
use super::rows::{
    Consumed, DeadRow, DeliveryRow, EntryRow, Held, Hold, ROW_BYTES, consumed_key, corrupt, dead_key, delivery_key,
    died_key, get, held_key, seq_key,
};
use super::types::{Change, DeliveryState};
use super::write::Transaction;

impl Transaction<'_> {
    pub(super) fn change(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Done { queue, lane, seq } => self.done(*queue, *lane, *seq),
            Change::State { queue, lane, seq, attempt, failures, due } => {
                let state = DeliveryState { attempt: *attempt, failures: *failures, due: *due };
                let key = delivery_key(*queue, *lane, *seq);
                let Some(row) = get(self.writer, Table::Deliveries, &key, DeliveryRow::decode)? else { return Ok(()) };
                self.writer.insert(Table::Deliveries, &key, &DeliveryRow { state, ..row }.encode())
            }
            Change::Dead { queue, lane, seq, reason, attempts } => self.bury(*queue, *lane, *seq, reason, *attempts),
            Change::QuarantineLeft { seq } => self.entry_leaves(*seq).map(drop),
            Change::DeadLeft { queue, seq } => self.dead_letter_leaves(*seq, *queue).map(drop),
        }
    }

    fn done(&mut self, queue: u32, lane: u32, seq: u64) -> Result<(), StoreError> {
        let key = delivery_key(queue, lane, seq);
        let Some(row) = get(self.writer, Table::Deliveries, &key, DeliveryRow::decode)? else { return Ok(()) };
        self.writer.remove(Table::Deliveries, &key)?;
        self.release(seq, row.hold, |held| held.pending = held.pending.saturating_sub(1))
    }

    fn bury(&mut self, queue: u32, lane: u32, seq: u64, reason: &str, attempts: u32) -> Result<(), StoreError> {
        let key = delivery_key(queue, lane, seq);
        let Some(row) = get(self.writer, Table::Deliveries, &key, DeliveryRow::decode)? else { return Ok(()) };
        self.writer.remove(Table::Deliveries, &key)?;
        // One that came here from a queue that is gone may find itself dead here already.
        self.dead_letter_leaves(seq, queue)?;
        if let Hold::Shared(owner) = row.hold {
            let held = self.held(owner)?;
            held.pending = held.pending.saturating_sub(1);
            held.dead = held.dead.saturating_add(1);
        }
        let dead = DeadRow { hold: row.hold, flags: row.flags, died_at: self.now, attempts, reason: reason.to_owned() };
        self.writer.insert(Table::DeadLetters, &dead_key(seq, queue), &dead.encode())?;
        self.writer.insert(Table::Consumed, &died_key(self.now, seq, queue), &[])?;
        self.fronts.died = self.fronts.died.min(self.now);
        self.totals.counts.dead_letters += 1;
        Ok(())
    }

    /// Takes a dead letter away; whether it was there.
    pub(super) fn dead_letter_leaves(&mut self, seq: u64, queue: u32) -> Result<bool, StoreError> {
        let key = dead_key(seq, queue);
        let Some(row) = get(self.writer, Table::DeadLetters, &key, DeadRow::decode)? else { return Ok(false) };
        self.writer.remove(Table::DeadLetters, &key)?;
        self.writer.remove(Table::Consumed, &died_key(row.died_at, seq, queue))?;
        self.totals.counts.dead_letters = self.totals.counts.dead_letters.saturating_sub(1);
        self.release(seq, row.hold, |held| held.dead = held.dead.saturating_sub(1))?;
        Ok(true)
    }

    /// Takes an entry out of the quarantine; whether it was there.
    pub(super) fn entry_leaves(&mut self, seq: u64) -> Result<bool, StoreError> {
        let key = seq_key(seq);
        let hold = get(self.writer, Table::Quarantine, &key, |value| EntryRow::decode(value).map(|row| row.hold))?;
        let Some(hold) = hold else { return Ok(false) };
        self.writer.remove(Table::Quarantine, &key)?;
        let freed = match hold {
            Hold::Sole(body) => {
                self.delete_row(seq, body.saturating_add(ROW_BYTES))?;
                body
            }
            Hold::Shared(owner) => {
                let held = self.held(owner)?;
                held.entries = held.entries.saturating_sub(1);
                if held.entries == 0 { held.body } else { 0 }
            }
        };
        let counts = &mut self.totals.counts;
        counts.quarantined = counts.quarantined.saturating_sub(1);
        counts.quarantine_bytes = counts.quarantine_bytes.saturating_sub(freed);
        Ok(true)
    }

    /// A delivery or a dead letter lets its body go. `less` says so where others may hold it too.
    pub(super) fn release(&mut self, seq: u64, hold: Hold, less: impl FnOnce(&mut Held)) -> Result<(), StoreError> {
        match hold {
            Hold::Sole(body) => {
                let consumed = Consumed { bytes: body.saturating_add(ROW_BYTES), rows: 1, last: seq };
                self.consume(seq, consumed)
            }
            Hold::Shared(owner) => {
                less(self.held(owner)?);
                Ok(())
            }
        }
    }

    /// What holds a shared body, to be changed.
    pub(super) fn held(&mut self, owner: u64) -> Result<&mut Held, StoreError> {
        if !self.held.contains_key(&owner) {
            let held = get(self.writer, Table::Consumed, &held_key(owner), Held::decode)?;
            self.held.insert(owner, held.ok_or_else(|| corrupt(Table::Consumed))?);
        }
        Ok(self.held.entry(owner).or_default())
    }

    /// Writes what has changed of shared bodies; those that nobody holds any more are consumed.
    pub(super) fn write_held(&mut self) -> Result<(), StoreError> {
        for (owner, held) in std::mem::take(&mut self.held) {
            let key = held_key(owner);
            if !held.is_free() {
                self.writer.insert(Table::Consumed, &key, &held.encode())?;
                continue;
            }
            self.writer.remove(Table::Consumed, &key)?;
            if held.messages == 0 {
                self.delete_row(owner, held.bytes())?;
            } else {
                self.consume(owner, Consumed { bytes: held.bytes(), rows: held.rows, last: held.last })?;
            }
        }
        Ok(())
    }

    fn consume(&mut self, seq: u64, consumed: Consumed) -> Result<(), StoreError> {
        // The end of all time stands for a table in which nothing is.
        self.fronts.consumed = self.fronts.consumed.min(self.now).min(u64::MAX - 1);
        self.writer.insert(Table::Consumed, &consumed_key(self.now, seq), &consumed.encode())
    }

    /// Deletes the row that has a body, which was so many bytes with all that belongs to it.
    pub(super) fn delete_row(&mut self, seq: u64, bytes: u64) -> Result<(), StoreError> {
        self.writer.remove(Table::Messages, &seq_key(seq))?;
        let counts = &mut self.totals.counts;
        counts.bodies = counts.bodies.saturating_sub(1);
        counts.live_bytes = counts.live_bytes.saturating_sub(bytes);
        Ok(())
    }
}
