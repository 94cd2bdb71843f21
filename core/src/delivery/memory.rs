//! A store in memory: for tests, and for hosts that do not ask that messages outlive the process.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Reader, Store, StoreError, StoreErrorKind, Table, Writer};

type Rows = BTreeMap<Bytes, Bytes>;
/// What a transaction has changed so far; `None`: removed.
type Changed = BTreeMap<Bytes, Option<Bytes>>;

/// A [`Store`] of ordered maps in memory. Nothing of it outlives the process.
///
/// A clone is another handle to the same contents; [`close`](Store::close) closes one handle only.
///
/// ```
/// use nexowire_core::delivery::{MemoryStore, Store, Table};
///
/// let store = MemoryStore::new();
/// store.write(&mut |writer| writer.insert(Table::Meta, b"name", b"value"))?;
/// store.close();
///
/// let again = store.clone();
/// let mut found = Vec::<u8>::new();
/// again.read(&mut |reader| reader.get(Table::Meta, b"name", &mut |value| found.extend(value)).map(drop))?;
/// assert_eq!(found, b"value");
/// # Ok::<_, nexowire_core::delivery::StoreError>(())
/// ```
#[derive(Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Shared {
    /// Held by the one who writes, from the beginning of a transaction to its end.
    turn: Mutex<()>,
    /// By [`Table`]. A reader takes the maps as they are; a writer copies only what a reader still looks at.
    tables: Mutex<Vec<Arc<Rows>>>,
    fail: AtomicBool,
    keep: AtomicBool,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// For tests of hosts: from now on every write fails with [`StoreErrorKind::Io`], until this is called with `false`.
    pub fn fail_writes(&self, fail: bool) {
        self.shared.fail.store(fail, Ordering::SeqCst);
    }

    /// For tests of hosts: whether a write that [`fail_writes`](Self::fail_writes) lets fail is there after all, as with
    /// a disk whose sync fails too late.
    pub fn keep_failed_writes(&self, keep: bool) {
        self.shared.keep.store(keep, Ordering::SeqCst);
    }

    fn check_open(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Closed, "the store is closed"));
        }
        Ok(())
    }

    fn snapshot(&self) -> Vec<Arc<Rows>> {
        self.shared.tables().clone()
    }
}

impl Shared {
    fn tables(&self) -> MutexGuard<'_, Vec<Arc<Rows>>> {
        // Nothing that runs under this lock can leave half a transaction: there is no code of others in it.
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.resize_with(Table::ALL.len(), Arc::default);
        tables
    }

    fn keep(&self, changed: Vec<Changed>) {
        for (rows, changed) in self.tables().iter_mut().zip(changed) {
            if changed.is_empty() {
                continue;
            }
            let rows = Arc::make_mut(rows);
            for (key, value) in changed {
                match value {
                    Some(value) => rows.insert(key, value),
                    None => rows.remove(&key),
                };
            }
        }
    }
}

impl Clone for MemoryStore {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), closed: AtomicBool::new(false) }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("closed", &self.closed).finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn write(&self, changes: &mut dyn FnMut(&mut dyn Writer) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.check_open()?;
        // A panic of `changes` leaves the contents as they were, so that the next may write.
        let _turn = self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut transaction = Transaction { rows: self.snapshot(), changed: vec![Changed::new(); Table::ALL.len()] };
        changes(&mut transaction)?;
        let Transaction { rows, changed } = transaction;
        // Let go first: what nobody else looks at is changed in place.
        drop(rows);
        let fails = self.shared.fail.load(Ordering::SeqCst);
        if !fails || self.shared.keep.load(Ordering::SeqCst) {
            self.shared.keep(changed);
        }
        if fails { Err(StoreError::new(StoreErrorKind::Io, "this write was told to fail")) } else { Ok(()) }
    }

    fn read(&self, look: &mut dyn FnMut(&dyn Reader) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.check_open()?;
        look(&Transaction { rows: self.snapshot(), changed: vec![Changed::new(); Table::ALL.len()] })
    }

    fn reopen(&self) -> Result<(), StoreError> {
        self.closed.store(false, Ordering::SeqCst);
        Ok(())
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    fn free_bytes(&self) -> Option<u64> {
        None
    }
}

/// The contents at the beginning, and what has been changed since; both by [`Table`].
struct Transaction {
    rows: Vec<Arc<Rows>>,
    changed: Vec<Changed>,
}

/// The keys from `from` to `to`; an empty range where they stand the other way round.
fn range<'a>(from: &'a [u8], to: Option<&'a [u8]>) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    match to {
        Some(to) => (Bound::Included(from.min(to)), Bound::Excluded(to)),
        None => (Bound::Included(from), Bound::Unbounded),
    }
}

impl Reader for Transaction {
    fn get(&self, table: Table, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
        let value = match self.changed[table as usize].get(key) {
            Some(value) => value.as_ref(),
            None => self.rows[table as usize].get(key),
        };
        value.into_iter().for_each(|value| found(value));
        Ok(value.is_some())
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let mut rows = self.rows[table as usize].range::<[u8], _>(range(from, to)).peekable();
        let mut changed = self.changed[table as usize].range::<[u8], _>(range(from, to)).peekable();
        loop {
            let next = match (rows.peek(), changed.peek()) {
                (Some((row, _)), Some((change, _))) if row < change => {
                    rows.next().map(|(key, value)| (key, Some(value)))
                }
                (Some((row, _)), Some((change, _))) => {
                    if row == change {
                        rows.next();
                    }
                    changed.next().map(|(key, value)| (key, value.as_ref()))
                }
                (Some(_), None) => rows.next().map(|(key, value)| (key, Some(value))),
                (None, _) => changed.next().map(|(key, value)| (key, value.as_ref())),
            };
            match next {
                None => return Ok(()),
                Some((key, Some(value))) if !each(key, value) => return Ok(()),
                Some(_) => {}
            }
        }
    }

    fn last(&self, table: Table, to: Option<&[u8]>, found: &mut dyn FnMut(&[u8], &[u8])) -> Result<bool, StoreError> {
        let changed = &self.changed[table as usize];
        let mut rows = self.rows[table as usize].range::<[u8], _>(range(&[], to)).rev();
        // What the transaction has changed hides what was there.
        let row = rows.find(|(key, _)| !changed.contains_key(*key));
        let mut present = changed.range::<[u8], _>(range(&[], to)).rev();
        let change = present.find_map(|(key, value)| Some((key, value.as_ref()?)));
        let last = row.max(change);
        last.into_iter().for_each(|(key, value)| found(key, value));
        Ok(last.is_some())
    }
}

impl Writer for Transaction {
    fn insert(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.changed[table as usize].insert(Bytes::copy_from_slice(key), Some(Bytes::copy_from_slice(value)));
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Result<bool, StoreError> {
        let there = self.get(table, key, &mut |_| {})?;
        if there {
            self.changed[table as usize].insert(Bytes::copy_from_slice(key), None);
        }
        Ok(there)
    }
}

#[cfg(test)]
mod tests;
