//! Stores: what every one promises (`contract`), and what the one in a file does when files, disks and processes go
//! wrong (`faults`, `damage`, `power`), the last on a disk that is simulated (`disk`).
#![cfg(feature = "store")]

mod contract;
mod damage;
mod disk;
mod faults;
mod power;
mod random;

use nexowire_core::delivery::{Store, StoreError, Table};
use std::collections::BTreeMap;

/// Memory for pages: small, so that tests read what is on the disk.
pub(crate) const CACHE_BYTES: u64 = 1 << 20;

/// Everything in a store.
pub(crate) type Content = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Reads everything, in one snapshot.
pub(crate) fn content(store: &dyn Store) -> Result<Content, StoreError> {
    let mut content = Content::new();
    store.read(&mut |reader| {
        for table in Table::ALL {
            reader.scan(*table, b"", None, &mut |key, value| {
                content.insert((*table, key.to_vec()), value.to_vec());
                true
            })?;
        }
        Ok(())
    })?;
    Ok(content)
}

/// Writes one row, in a transaction of its own.
pub(crate) fn put(store: &dyn Store, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    store.write(&mut |writer| writer.insert(table, key, value))
}

/// How many cases a test of many tries: `NEXOWIRE_CASES`, or so many.
pub(crate) fn cases(by_default: u64) -> u64 {
    std::env::var("NEXOWIRE_CASES").map_or(by_default, |cases| cases.parse().expect("NEXOWIRE_CASES is a number"))
}
