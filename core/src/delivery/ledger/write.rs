//! One transaction: what is new, what has become of the old, and what goes with it.

use std::collections::BTreeMap;

use super::super::key_row::Window;
use super::super::store::{StoreError, StoreErrorKind, Table, Writer};
use super::codec::Encoder;
use super::message_row::{encode_body, encode_message};
use super::rows::{DeliveryRow, EntryRow, Held, Hold, ROW_BYTES, Totals, delivery_key, encode_key, seq_key};
use super::types::{DeliveryState, Group, LedgerOptions, NewEntry, NewMessage, StoredBody};

/// Lower bounds of what stands first in the tables that things leave by time, so that a commit need not look where
/// nothing can be due. They are not stored: 0 is always right.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fronts {
    pub(super) consumed: u64,
    pub(super) died: u64,
    /// By window: number and first acceptance.
    pub(super) keys: [(u64, u64); 2],
}

/// The name of the row of [`Totals`] in the table of what concerns the whole.
pub(super) const TOTALS: &[u8] = b"totals";

/// A transaction under way.
pub(super) struct Transaction<'t> {
    pub(super) writer: &'t mut dyn Writer,
    pub(super) options: LedgerOptions,
    pub(super) now: u64,
    pub(super) totals: Totals,
    pub(super) fronts: Fronts,
    /// How many more rows may be deleted by what is not urgent.
    pub(super) budget: usize,
    /// What has changed of shared bodies; written when everything else is known.
    pub(super) held: BTreeMap<u64, Held>,
}

/// The table of a window's keys.
pub(super) fn key_table(window: Window) -> Table {
    match window {
        Window::Terminal => Table::TerminalKeys,
        Window::Webhook => Table::WebhookKeys,
    }
}

/// By number: the message or entry of this group whose body each one has, where it is another's.
fn owners(group: &Group<'_>) -> Result<BTreeMap<u64, u64>, StoreError> {
    let messages = group.messages.iter().map(|message| (message.record.seq, message.body));
    let entries = group.quarantined.iter().map(|entry| (entry.seq, entry.body));
    let mut bodies: Vec<_> = messages.chain(entries).collect();
    bodies.sort_unstable_by_key(|(seq, _)| *seq);
    let mut owners = BTreeMap::new();
    for (at, (seq, body)) in bodies.iter().enumerate() {
        let StoredBody::Of(earlier) = body else { continue };
        let found = bodies[..at].binary_search_by_key(earlier, |(seq, _)| *seq);
        let other = found.map(|found| bodies[found].0).map_err(|_| {
            StoreError::new(StoreErrorKind::Corrupt, "a message shares the body of one that its group does not have")
        })?;
        owners.insert(*seq, owners.get(&other).copied().unwrap_or(other));
    }
    Ok(owners)
}

impl<'t> Transaction<'t> {
    pub(super) fn new(
        writer: &'t mut dyn Writer,
        options: LedgerOptions,
        totals: Totals,
        fronts: Fronts,
        group: &Group<'_>,
    ) -> Self {
        let members = group.messages.len() + group.quarantined.len();
        let budget = members.saturating_mul(2).max(1_024);
        Self { writer, options, now: group.now, totals, fronts, budget, held: BTreeMap::new() }
    }

    /// Does all of it.
    pub(super) fn run(&mut self, group: &Group<'_>) -> Result<(), StoreError> {
        self.store_new(group)?;
        for change in group.changes {
            self.change(change)?;
        }
        self.let_go_of_dead_letters()?;
        self.let_go_of_entries()?;
        self.write_held()?;
        self.let_go_of_bodies()?;
        self.let_go_of_keys(group.forget_keys_before)?;
        self.make_room()?;
        self.write_held()?;
        self.totals.last_seq = self.totals.last_seq.max(group.last_seq);
        self.totals.clock = self.totals.clock.max(group.now);
        self.writer.insert(Table::Meta, TOTALS, &self.totals.encode())
    }

    fn store_new(&mut self, group: &Group<'_>) -> Result<(), StoreError> {
        let owners = owners(group)?;
        let shares = |seq: u64| owners.get(&seq).copied();
        for &owner in owners.values() {
            self.held.insert(owner, Held { last: owner, ..Held::default() });
        }
        let mut row = Encoder::default();
        for message in &group.messages {
            let seq = message.record.seq;
            self.totals.last_seq = self.totals.last_seq.max(seq);
            row.0.clear();
            self.store_message(message, shares(seq), &mut row)?;
            if let Some((window, key)) = &message.key {
                self.writer.insert(key_table(*window), &seq_key(key.seq), &encode_key(key))?;
                let front = &mut self.fronts.keys[*window as usize];
                *front = (*front).min((key.seq, key.first_at));
            }
        }
        for entry in &group.quarantined {
            self.totals.last_seq = self.totals.last_seq.max(entry.seq);
            row.0.clear();
            self.store_entry(entry, shares(entry.seq), &mut row)?;
        }
        Ok(())
    }

    fn store_message(
        &mut self,
        message: &NewMessage<'_>,
        owner: Option<u64>,
        row: &mut Encoder,
    ) -> Result<(), StoreError> {
        let (seq, targets) = (message.record.seq, message.queues.len() as u32);
        let body = self.count(message.body);
        if owner.is_none() && targets > 1 {
            self.held.entry(seq).or_insert(Held { last: seq, ..Held::default() });
        }
        let hold = match self.held.get_mut(&owner.unwrap_or(seq)) {
            Some(held) => {
                held.pending += targets;
                held.messages += 1;
                held.last = held.last.max(seq);
                held.rows += 1;
                held.body += body;
                Hold::Shared(owner.unwrap_or(seq))
            }
            None => Hold::Sole(body),
        };
        encode_message(message, owner, row);
        self.writer.insert(Table::Messages, &seq_key(seq), &row.0)?;
        let delivery = DeliveryRow { hold, flags: 0, state: DeliveryState::default() }.encode();
        for (queue, lane) in &message.queues {
            self.writer.insert(Table::Deliveries, &delivery_key(*queue, *lane, seq), &delivery)?;
        }
        if targets == 0 { self.release(seq, hold, |_| {}) } else { Ok(()) }
    }

    fn store_entry(&mut self, entry: &NewEntry<'_>, owner: Option<u64>, row: &mut Encoder) -> Result<(), StoreError> {
        let body = self.count(entry.body);
        let mut first = true;
        let hold = match self.held.get_mut(&owner.unwrap_or(entry.seq)) {
            Some(held) => {
                first = held.entries == 0;
                held.entries += 1;
                held.rows += 1;
                held.body += body;
                Hold::Shared(owner.unwrap_or(entry.seq))
            }
            None => Hold::Sole(body),
        };
        let counts = &mut self.totals.counts;
        counts.quarantined += 1;
        if first {
            // A body that a message brought counts here too: this is what the quarantine keeps.
            let shared = self.held.get(&owner.unwrap_or(entry.seq)).map_or(body, |held| held.body);
            counts.quarantine_bytes = counts.quarantine_bytes.saturating_add(shared);
        }
        if let StoredBody::Own(bytes) = entry.body {
            encode_body(bytes, row);
            self.writer.insert(Table::Messages, &seq_key(entry.seq), &row.0)?;
        }
        let NewEntry { item, reason, received_at, endpoint, tag, .. } = *entry;
        let entry_row = EntryRow { hold, item, received_at, tag, reason, endpoint };
        self.writer.insert(Table::Quarantine, &seq_key(entry.seq), &entry_row.encode())
    }

    /// Counts one more row, and its body if it brings one; the length of that.
    fn count(&mut self, body: StoredBody<'_>) -> u64 {
        let counts = &mut self.totals.counts;
        let length = match body {
            StoredBody::Own(bytes) => bytes.len() as u64,
            StoredBody::Of(_) => 0,
        };
        counts.bodies += u64::from(matches!(body, StoredBody::Own(_)));
        counts.live_bytes = counts.live_bytes.saturating_add(length + ROW_BYTES);
        length
    }
}
