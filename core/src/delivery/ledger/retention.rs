//! What goes by itself: what is over its time, and the oldest of what is too much. Source: `delivery.md`, 3.1, 3.7, 5.

use super::super::key_row::Window;
use super::super::store::{StoreError, Table};
use super::message_row::{BodyRow, decode_message};
use super::rows::{
    CONSUMED, Consumed, DIED, DeadRow, HELD, Hold, ROW_BYTES, consumed_key, corrupt, dead_key, decode_key, get, page,
    read_dead_key, read_seq_key, read_timed_key, seq_key,
};
use super::write::{Transaction, key_table};

/// How many rows are looked at at a time.
const PAGE: usize = 256;

impl Transaction<'_> {
    /// Dead letters that are over their time.
    pub(super) fn let_go_of_dead_letters(&mut self) -> Result<(), StoreError> {
        let before = self.now.saturating_sub(self.options.dead_letter_retention_ms);
        while self.budget > 0 && self.fronts.died < before {
            let dead = self.oldest_dead(PAGE.min(self.budget))?;
            if dead.is_empty() {
                self.fronts.died = u64::MAX;
            }
            for (died_at, seq, queue) in dead {
                self.fronts.died = died_at;
                if died_at >= before || self.budget == 0 {
                    return Ok(());
                }
                self.drop_dead_letter(seq, queue)?;
            }
        }
        Ok(())
    }

    /// Time, number and queue of the oldest.
    fn oldest_dead(&self, max: usize) -> Result<Vec<(u64, u64, u32)>, StoreError> {
        page(self.writer, Table::Consumed, (&[DIED], Some(&[HELD])), max, |key, _| {
            let (died_at, rest) = read_timed_key(key)?;
            let (seq, queue) = read_dead_key(rest)?;
            Some((died_at, seq, queue))
        })
    }

    fn drop_dead_letter(&mut self, seq: u64, queue: u32) -> Result<(), StoreError> {
        if !self.dead_letter_leaves(seq, queue)? {
            return Err(corrupt(Table::DeadLetters));
        }
        self.totals.counts.dead_letters_left += 1;
        self.budget -= 1;
        Ok(())
    }

    /// The oldest entries of the quarantine, while there are too many bytes.
    pub(super) fn let_go_of_entries(&mut self) -> Result<(), StoreError> {
        while self.budget > 0 && self.totals.counts.quarantine_bytes > self.options.quarantine_bytes {
            let max = PAGE.min(self.budget);
            let oldest = page(self.writer, Table::Quarantine, (&[], None), max, |key, _| read_seq_key(key))?;
            if oldest.is_empty() {
                return Err(corrupt(Table::Quarantine));
            }
            for seq in oldest {
                if self.totals.counts.quarantine_bytes <= self.options.quarantine_bytes {
                    return Ok(());
                }
                self.entry_leaves(seq)?;
                self.totals.counts.quarantine_left += 1;
                self.budget -= 1;
            }
        }
        Ok(())
    }

    /// How many bytes are too many. Some room is always kept, as what is new comes before what is old can go.
    fn excess(&self) -> u64 {
        let max = self.options.max_bytes;
        self.totals.counts.live_bytes.saturating_sub(max - max / 16)
    }

    /// Consumed bodies that are over their time, and the oldest while there are too many bytes.
    pub(super) fn let_go_of_bodies(&mut self) -> Result<(), StoreError> {
        let before = self.now.saturating_sub(self.options.retention_ms);
        let whole = self.budget;
        while self.budget > 0 && self.fronts.consumed < u64::MAX && (self.fronts.consumed < before || self.excess() > 0)
        {
            let range = (&[CONSUMED][..], Some(&[DIED][..]));
            let consumed = page(self.writer, Table::Consumed, range, PAGE.min(self.budget), |key, value| {
                let (time, seq) = read_timed_key(key)?;
                Some((time, read_seq_key(seq)?, Consumed::decode(value)?))
            })?;
            if consumed.is_empty() {
                self.fronts.consumed = u64::MAX;
            }
            for (time, seq, consumed) in consumed {
                self.fronts.consumed = time.min(u64::MAX - 1);
                let due = time < before || self.excess() > 0;
                // A body with more rows than a whole budget has must go some day, too.
                let fits = consumed.rows as usize <= self.budget || self.budget == whole;
                if !due || !fits {
                    return Ok(());
                }
                self.writer.remove(Table::Consumed, &consumed_key(time, seq))?;
                self.delete_body(seq, &consumed)?;
                self.budget = self.budget.saturating_sub(consumed.rows.max(1) as usize);
            }
        }
        Ok(())
    }

    fn delete_body(&mut self, seq: u64, consumed: &Consumed) -> Result<(), StoreError> {
        // The messages that share it stand behind it, perhaps among others of the same group.
        let (mut from, end) = (seq.saturating_add(1), seq_key(consumed.last.saturating_add(1)));
        while from <= consumed.last {
            let range = (&seq_key(from)[..], Some(&end[..]));
            let siblings = page(self.writer, Table::Messages, range, PAGE, |key, value| {
                let other = read_seq_key(key)?;
                let shares = match decode_message(other, value)? {
                    BodyRow::Message(row) => row.owner == Some(seq),
                    BodyRow::BodyOnly(_) => false,
                };
                Some((other, shares))
            })?;
            let Some(&(last, _)) = siblings.last() else { break };
            for (other, _) in siblings.into_iter().filter(|(_, shares)| *shares) {
                self.writer.remove(Table::Messages, &seq_key(other))?;
            }
            from = last.saturating_add(1);
        }
        self.delete_row(seq, consumed.bytes)
    }

    /// Keys that are over their window or have left the index, as far as they stand in front.
    pub(super) fn let_go_of_keys(&mut self, forget_before: [u64; 2]) -> Result<(), StoreError> {
        let windows =
            [(Window::Terminal, self.options.terminal_window_ms), (Window::Webhook, self.options.webhook_window_ms)];
        for (window, length) in windows {
            let (table, at) = (key_table(window), window as usize);
            let before = self.now.saturating_sub(length);
            let goes = |(seq, first_at): (u64, u64)| seq < forget_before[at] || first_at < before;
            'pages: while self.budget > 0 && goes(self.fronts.keys[at]) {
                let rows = page(self.writer, table, (&[], None), PAGE.min(self.budget), decode_key)?;
                if rows.is_empty() {
                    self.fronts.keys[at] = (u64::MAX, u64::MAX);
                }
                for row in rows {
                    self.fronts.keys[at] = (row.seq, row.first_at);
                    if !goes(self.fronts.keys[at]) {
                        break 'pages;
                    }
                    self.writer.remove(table, &seq_key(row.seq))?;
                    self.budget -= 1;
                }
            }
        }
        Ok(())
    }

    /// The oldest dead letters, where there is still too much when nothing consumed is left: they are kept within the
    /// same bound. Only those whose bodies nobody else needs: others would free nothing.
    pub(super) fn make_room(&mut self) -> Result<(), StoreError> {
        let mut excess = self.excess();
        if excess == 0 || self.fronts.consumed < u64::MAX {
            return Ok(());
        }
        for (_, seq, queue) in self.oldest_dead(self.budget)? {
            if excess == 0 {
                break;
            }
            let row = get(self.writer, Table::DeadLetters, &dead_key(seq, queue), DeadRow::decode)?;
            let row = row.ok_or_else(|| corrupt(Table::DeadLetters))?;
            let freed = match row.hold {
                Hold::Sole(body) => body.saturating_add(ROW_BYTES),
                Hold::Shared(owner) => {
                    let held = *self.held(owner)?;
                    if held.pending > 0 || held.entries > 0 {
                        continue;
                    }
                    if held.dead > 1 { 0 } else { held.bytes() }
                }
            };
            self.drop_dead_letter(seq, queue)?;
            excess = excess.saturating_sub(freed);
        }
        Ok(())
    }
}
