//! Each rule of the ledger, one at a time; `model.rs` holds all of them together against a plain model.

mod bytes;
mod model;
mod opening;
mod random;
mod retention;
mod rules;

use std::sync::Arc;

use super::super::MemoryStore;
use super::super::key_row::{KeyRow, Window};
use super::super::store::{Reader, Table, Writer};
use super::rows::ROW_BYTES;
use super::*;

/// Nothing goes by itself.
const FOR_EVER: LedgerOptions = LedgerOptions {
    retention_ms: u64::MAX,
    dead_letter_retention_ms: u64::MAX,
    max_bytes: 1 << 40,
    quarantine_bytes: 1 << 40,
    terminal_window_ms: u64::MAX,
    webhook_window_ms: u64::MAX,
};

fn names(queues: &[(&str, u32)]) -> Vec<(String, u32)> {
    queues.iter().map(|(name, lanes)| ((*name).to_owned(), *lanes)).collect()
}

/// A ledger with the queues `a` (id 1, 4 lanes) and `b` (id 2, 2 lanes), the first of them the default.
fn open(store: &MemoryStore, options: LedgerOptions) -> (Ledger, Opened) {
    Ledger::open(Arc::new(store.clone()), options, &names(&[("a", 4), ("b", 2)]), 0).unwrap()
}

fn group<'a>(now: u64, changes: &'a [Change]) -> Group<'a> {
    Group { now, last_seq: 0, messages: vec![], quarantined: vec![], changes, forget_keys_before: [0; 2] }
}

fn record(seq: u64) -> Record<'static> {
    let (item, tag, origin_seq, dead) = (None, None, None, None);
    Record { seq, item, received_at: seq * 10, endpoint: "default", tag, flags: 0, origin_seq, dead }
}

/// A message whose order hash is its number.
fn message<'a>(seq: u64, queues: &[u32], body: StoredBody<'a>) -> NewMessage<'a> {
    let queues = queues.iter().map(|queue| (*queue, lane(*queue, seq))).collect();
    NewMessage { record: record(seq), body, order_hash: seq, queues, key: None }
}

fn entry<'a>(seq: u64, body: StoredBody<'a>) -> NewEntry<'a> {
    NewEntry { seq, item: Some(3), reason: "foreign", received_at: seq, endpoint: "default", tag: Some(7), body }
}

fn lane(queue: u32, seq: u64) -> u32 {
    (seq % if queue == 1 { 4 } else { 2 }) as u32
}

fn done(queue: u32, seq: u64) -> Change {
    Change::Done { queue, lane: lane(queue, seq), seq }
}

fn dead(queue: u32, seq: u64) -> Change {
    Change::Dead { queue, lane: lane(queue, seq), seq, reason: "nack".to_owned(), attempts: 3 }
}

/// Stores messages, each for itself, with a body of ten bytes, in the queues.
fn store_all(ledger: &Ledger, now: u64, seqs: impl IntoIterator<Item = u64>, queues: &[u32]) {
    let messages = seqs.into_iter().map(|seq| message(seq, queues, StoredBody::Own(b"0123456789"))).collect();
    ledger.commit(&Group { messages, ..group(now, &[]) }).unwrap();
}

fn change(ledger: &Ledger, now: u64, changes: &[Change]) {
    ledger.commit(&group(now, changes)).unwrap();
}

/// The numbers that wait in a queue.
fn waiting(ledger: &Ledger, queue: u32, lanes: u32) -> Vec<u64> {
    let lanes = 0..lanes;
    let rows = lanes.flat_map(|lane| ledger.deliveries(queue, lane, 0, u64::MAX, 9_999, usize::MAX).unwrap());
    let mut seqs: Vec<u64> = rows.map(|row| row.seq).collect();
    seqs.sort_unstable();
    seqs
}

/// The numbers of the log.
fn logged(ledger: &Ledger) -> Vec<u64> {
    ledger.log(&Bounds::default(), 0, 9_999).unwrap().iter().map(|logged| logged.message.seq).collect()
}

fn rows(store: &MemoryStore, table: Table) -> usize {
    let mut count = 0;
    store
        .read(&mut |reader| {
            reader.scan(table, &[], None, &mut |_, _| {
                count += 1;
                true
            })
        })
        .unwrap();
    count
}
