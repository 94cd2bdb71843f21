//! Claims: 64 messages in one transaction cost less than 8 times of what one costs, and 256 less than 4 times of what 64
//! cost; so it is syncs that cost, and groups that pay for them.
//!
//! An iteration is one durable transaction of 1, 64 or 256 messages of 700 bytes, each with a row of its key and a row to
//! deliver, and the removal of as many older rows to deliver. `bare` appends the same bytes to a file and syncs it:
//! no store can be faster. Both are in the directory for temporary files, so its disk is what is measured.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nexowire_core::delivery::{RedbStore, Store, StoreError, Table, Writer};

const GROUPS: [u64; 3] = [1, 64, 256];
const BODY: [u8; 700] = [b'x'; 700];
const KEY_ROW: [u8; 40] = [1; 40];
const DELIVERY_ROW: [u8; 16] = [0; 16];
/// How many messages are still to be delivered at any time.
const UNDELIVERED: u64 = 4_096;
/// What the store of a receiver has by default.
const CACHE_BYTES: u64 = 32 << 20;

/// Queue, lane and number, as a store orders them.
fn delivery_key(seq: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[7] = (seq % 32) as u8;
    key[8..].copy_from_slice(&seq.to_be_bytes());
    key
}

fn write_message(writer: &mut dyn Writer, seq: u64) -> Result<(), StoreError> {
    let key = seq.to_be_bytes();
    writer.insert(Table::Messages, &key, &BODY)?;
    writer.insert(Table::TerminalKeys, &key, &KEY_ROW)?;
    writer.insert(Table::Deliveries, &delivery_key(seq), &DELIVERY_ROW)?;
    if let Some(done) = seq.checked_sub(UNDELIVERED) {
        writer.remove(Table::Deliveries, &delivery_key(done))?;
    }
    Ok(())
}

/// One transaction of so many messages from `next` on, which goes up by as many.
fn write_group(store: &dyn Store, next: &mut u64, count: u64) {
    let seqs = *next..*next + count;
    store
        .write(&mut |writer| seqs.clone().try_for_each(|seq| write_message(writer, seq)))
        .expect("the disk has room for a benchmark");
    *next += count;
}

/// The bytes of so many messages, appended and synced.
fn append(file: &mut File, bytes: &[u8]) {
    file.write_all(bytes).expect("the disk has room for a benchmark");
    file.sync_data().expect("the disk syncs");
}

fn open(directory: &Path) -> (RedbStore, File) {
    let store = RedbStore::open(&directory.join("store"), CACHE_BYTES).expect("a new store opens");
    (store, File::create(directory.join("bare")).expect("a new file opens"))
}

fn transactions(criterion: &mut Criterion) {
    let kept = tempfile::tempdir().expect("there is a place for temporary files");
    let (store, mut file) = open(kept.path());
    let mut next = 0;
    // What a transaction costs depends on how deep the trees are: a store that has run for a while has some levels.
    while next < 64 * 1_024 {
        write_group(&store, &mut next, 1_024);
    }
    let mut group = criterion.benchmark_group("store");
    for count in GROUPS {
        group.throughput(Throughput::Elements(count));
        let row_bytes = BODY.len() + KEY_ROW.len() + DELIVERY_ROW.len();
        let bytes = vec![b'x'; row_bytes * count as usize];
        group.bench_function(format!("redb/{count}"), |bencher| {
            bencher.iter(|| write_group(&store, &mut next, count));
        });
        group.bench_function(format!("bare/{count}"), |bencher| bencher.iter(|| append(&mut file, &bytes)));
    }
    group.finish();
}

criterion_group!(benches, transactions);
criterion_main!(benches);
