//! An opening: what is there, whether it can be read, and every row where it belongs. Source: `delivery.md`, 1.10, 4.3, 7.2
//! and 8.

use std::collections::{BTreeMap, BTreeSet};

use super::super::store::{Reader, Store, StoreError, StoreErrorKind, Table, Writer};
use super::codec::Encoder;
use super::message_row::{BodyRow, decode_message};
use super::queues::{QueueRow, UNSETTLED, lane_of, write};
use super::rows::{
    DeliveryRow, Held, Hold, Totals, corrupt, delivery_key, get, held_key, page, read_delivery_key, read_seq_key,
    seq_key,
};
use super::types::{LaneCount, Opened, OpenedQueue, QUEUE_GONE};
use super::write::{Fronts, TOTALS};
use super::{Ledger, Writing, lock};

/// The version of the layout that this code writes, and the only one that it reads.
const VERSION: u64 = 1;
const VERSION_NAME: &[u8] = b"version";
const HASH_KEY_NAME: &[u8] = b"hash_key";
/// How many rows one transaction moves at most.
const CHUNK: usize = 1_024;

/// What a store has, or what a new one begins with.
struct Found {
    is_new: bool,
    hash_key: [u8; 16],
    totals: Totals,
    queues: Vec<QueueRow>,
}

impl Ledger {
    pub(super) fn opening(
        &self,
        writing: &mut Writing,
        queues: &[(String, u32)],
        default_queue: usize,
    ) -> Result<Opened, StoreError> {
        let found = find(&*self.store)?;
        let ids = self.settle(&found, queues)?;
        if let (Some(heir), Some((_, lanes))) = (ids.get(default_queue), queues.get(default_queue)) {
            self.inherit(&ids, *heir, *lanes)?;
            lock(&self.queues).set_default(*heir);
        }
        let mut counted = count(&*self.store)?;
        let pending = counted.values().flat_map(|queue| &queue.lanes).map(|lane| lane.count).sum();
        let mut totals = found.totals;
        totals.last_seq = totals.last_seq.max(writing.seen);
        *writing = Writing { totals, fronts: Fronts::default(), seen: totals.last_seq };
        self.show(&totals);
        let empty = |id| OpenedQueue { id, lanes: vec![], next_due: None };
        let queues = ids.into_iter().map(|id| counted.remove(&id).unwrap_or_else(|| empty(id)));
        Ok(Opened {
            queues: queues.collect(),
            last_seq: totals.last_seq,
            clock_ms: totals.clock,
            hash_key: found.hash_key,
            pending,
        })
    }

    /// Gives every queue its id, and deals out anew what is in other lanes than the queue has now.
    fn settle(&self, found: &Found, queues: &[(String, u32)]) -> Result<Vec<u32>, StoreError> {
        let stored: BTreeMap<&str, u32> = found.queues.iter().map(|row| (&*row.name, row.lanes)).collect();
        let (ids, added) = {
            let mut known = lock(&self.queues);
            known.restore(&found.queues);
            let ids: Result<Vec<u32>, _> = queues.iter().map(|(name, lanes)| known.add(name, *lanes)).collect();
            (ids?, known.unwritten())
        };
        let changed: Vec<_> = added.iter().filter(|row| stored.get(&*row.name) != Some(&row.lanes)).cloned().collect();
        let (moved, new): (Vec<_>, Vec<_>) = changed.into_iter().partition(|row| stored.contains_key(&*row.name));
        // Until all of its rows are dealt out, a queue has no number of lanes that a later opening could rely on.
        let unsettled = moved.iter().map(|row| QueueRow { lanes: UNSETTLED, ..row.clone() });
        let rows: Vec<_> = unsettled.chain(new).collect();
        if found.is_new || !rows.is_empty() {
            self.store.write(&mut |writer| {
                if found.is_new {
                    begin(writer, found)?;
                }
                write(writer, &rows)
            })?;
        }
        for row in &moved {
            self.resettle(row.id, row.id, row.lanes)?;
        }
        if !moved.is_empty() {
            self.store.write(&mut |writer| write(writer, &moved))?;
        }
        lock(&self.queues).written(&added);
        Ok(ids)
    }

    /// Gives the default queue what queues that are gone have left.
    fn inherit(&self, ids: &[u32], heir: u32, lanes: u32) -> Result<(), StoreError> {
        let ids: BTreeSet<u32> = ids.iter().copied().collect();
        let mut from = Some(0);
        while let Some(start) = from {
            let mut first = vec![];
            self.store.read(&mut |reader| {
                let range = (&delivery_key(start, 0, 0)[..], None);
                first = page(reader, Table::Deliveries, range, 1, |key, _| read_delivery_key(key))?;
                Ok(())
            })?;
            let Some(&(queue, ..)) = first.first() else { break };
            if !ids.contains(&queue) {
                self.resettle(queue, heir, lanes)?;
            }
            from = queue.checked_add(1);
        }
        Ok(())
    }

    /// Moves the rows of a queue into their lanes of a queue, in transactions of a bounded size. Each leaves rows that a
    /// later opening goes on from.
    fn resettle(&self, queue: u32, to: u32, lanes: u32) -> Result<(), StoreError> {
        let end = queue.checked_add(1).map(|next| delivery_key(next, 0, 0));
        let mut from = Some(delivery_key(queue, 0, 0));
        while let Some(start) = from {
            let range = (&start[..], end.as_ref().map(|end| &end[..]));
            self.store.write(&mut |writer| {
                from = move_rows(writer, range, to, lanes)?;
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Reads what concerns the whole.
fn find(store: &dyn Store) -> Result<Found, StoreError> {
    let mut found = None;
    store.read(&mut |reader| {
        found = Some(match get(reader, Table::Meta, VERSION_NAME, |value| super::codec::Decoder(value).number())? {
            None => find_nothing(reader)?,
            Some(VERSION) => find_all(reader)?,
            Some(newer) if newer > VERSION => {
                let message = format!("version {newer} has written this store, and this is version {VERSION}");
                return Err(StoreError::new(StoreErrorKind::Version, message));
            }
            Some(_) => return Err(corrupt(Table::Meta)),
        });
        Ok(())
    })?;
    found.ok_or_else(|| corrupt(Table::Meta))
}

/// A store without a version must be empty.
fn find_nothing(reader: &dyn Reader) -> Result<Found, StoreError> {
    for table in Table::ALL {
        if reader.last(*table, None, &mut |_, _| {})? {
            return Err(corrupt(*table));
        }
    }
    let mut hash_key = [0; 16];
    getrandom::fill(&mut hash_key)
        .map_err(|error| StoreError::new(StoreErrorKind::Io, format!("the system gives no random bytes: {error}")))?;
    Ok(Found { is_new: true, hash_key, totals: Totals::default(), queues: vec![] })
}

fn find_all(reader: &dyn Reader) -> Result<Found, StoreError> {
    let hash_key = get(reader, Table::Meta, HASH_KEY_NAME, |value| value.try_into().ok())?;
    let totals = get(reader, Table::Meta, TOTALS, Totals::decode)?;
    let (Some(hash_key), Some(mut totals)) = (hash_key, totals) else { return Err(corrupt(Table::Meta)) };
    for table in [Table::Messages, Table::Quarantine, Table::TerminalKeys, Table::WebhookKeys] {
        let mut last = None;
        if reader.last(table, None, &mut |key, _| last = read_seq_key(key))? {
            totals.last_seq = totals.last_seq.max(last.ok_or_else(|| corrupt(table))?);
        }
    }
    let queues = page(reader, Table::Queues, (&[], None), usize::MAX, QueueRow::decode)?;
    let ids: BTreeSet<u32> = queues.iter().map(|row| row.id).collect();
    if ids.len() < queues.len() {
        return Err(corrupt(Table::Queues));
    }
    Ok(Found { is_new: false, hash_key, totals, queues })
}

fn begin(writer: &mut dyn Writer, found: &Found) -> Result<(), StoreError> {
    let mut version = Encoder::default();
    version.number(VERSION);
    writer.insert(Table::Meta, VERSION_NAME, &version.0)?;
    writer.insert(Table::Meta, HASH_KEY_NAME, &found.hash_key)?;
    writer.insert(Table::Meta, TOTALS, &found.totals.encode())
}

/// Moves some rows, and says where to go on.
fn move_rows(
    writer: &mut dyn Writer,
    range: (&[u8], Option<&[u8]>),
    to: u32,
    lanes: u32,
) -> Result<Option<[u8; 16]>, StoreError> {
    let rows = page(writer, Table::Deliveries, range, CHUNK, |key, value| {
        Some((read_delivery_key(key)?, DeliveryRow::decode(value)?))
    })?;
    for &((queue, lane, seq), mut row) in &rows {
        let order_hash = get(writer, Table::Messages, &seq_key(seq), |value| match decode_message(seq, value)? {
            BodyRow::Message(row) => Some(row.order_hash),
            BodyRow::BodyOnly(_) => None,
        })?;
        let right = lane_of(order_hash.ok_or_else(|| corrupt(Table::Messages))?, lanes);
        if (queue, lane) == (to, right) {
            continue;
        }
        writer.remove(Table::Deliveries, &delivery_key(queue, lane, seq))?;
        let key = delivery_key(to, right, seq);
        if queue != to {
            if let Some(there) = get(writer, Table::Deliveries, &key, DeliveryRow::decode)? {
                // The message is there already, and one row is enough.
                one_less(writer, row.hold)?;
                row = there;
            }
            row.flags |= QUEUE_GONE;
        }
        writer.insert(Table::Deliveries, &key, &row.encode())?;
    }
    let full = rows.len() == CHUNK;
    let next = |&((queue, lane, seq), _): &((u32, u32, u64), _)| {
        let key = u128::from_be_bytes(delivery_key(queue, lane, seq));
        key.checked_add(1).map(u128::to_be_bytes)
    };
    Ok(rows.last().filter(|_| full).and_then(next))
}

fn one_less(writer: &mut dyn Writer, hold: Hold) -> Result<(), StoreError> {
    let Hold::Shared(owner) = hold else { return Err(corrupt(Table::Deliveries)) };
    let key = held_key(owner);
    let held = get(writer, Table::Consumed, &key, Held::decode)?.ok_or_else(|| corrupt(Table::Consumed))?;
    let held = Held { pending: held.pending.saturating_sub(1), ..held };
    writer.insert(Table::Consumed, &key, &held.encode())
}

/// What waits, by queue and lane.
fn count(store: &dyn Store) -> Result<BTreeMap<u32, OpenedQueue>, StoreError> {
    let mut queues: BTreeMap<u32, OpenedQueue> = BTreeMap::new();
    let mut whole = true;
    store.read(&mut |reader| {
        reader.scan(Table::Deliveries, &[], None, &mut |key, value| {
            let (Some((id, lane, seq)), Some(row)) = (read_delivery_key(key), DeliveryRow::decode(value)) else {
                whole = false;
                return false;
            };
            let queue = queues.entry(id).or_insert_with(|| OpenedQueue { id, lanes: vec![], next_due: None });
            match queue.lanes.last_mut().filter(|last| last.lane == lane) {
                Some(last) => *last = LaneCount { lane, count: last.count + 1, last_seq: seq },
                None => queue.lanes.push(LaneCount { lane, count: 1, last_seq: seq }),
            }
            let due = Some(row.state.due).filter(|due| *due > 0);
            queue.next_due = [queue.next_due, due].into_iter().flatten().min();
            true
        })
    })?;
    if whole { Ok(queues) } else { Err(corrupt(Table::Deliveries)) }
}
