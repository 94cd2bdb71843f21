//! Tables of redb behind the trait of a store: opened when first asked for, held for the transaction.

use std::cell::OnceCell;
use std::ops::Bound;

use ::redb::{ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};

use super::super::store::{Reader, StoreError, Table, Writer};
use super::failure::guarded;

/// How a table is kept in redb.
pub(super) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// The table of redb for one of the store.
pub(super) const fn definition(table: Table) -> Definition {
    TableDefinition::new(table.name())
}

type ReadTable = ReadOnlyTable<&'static [u8], &'static [u8]>;
type WriteTable<'t> = ::redb::Table<'t, &'static [u8], &'static [u8]>;

/// The tables of one transaction. Opening all of them would cost more than what most transactions do.
struct Tables<T>([OnceCell<T>; Table::ALL.len()]);

impl<T> Tables<T> {
    fn new() -> Self {
        Self([const { OnceCell::new() }; Table::ALL.len()])
    }

    fn opened(&self, table: Table, open: impl FnOnce() -> Result<T, StoreError>) -> Result<&T, StoreError> {
        let cell = &self.0[table as usize];
        match cell.get() {
            Some(there) => Ok(there),
            None => {
                let opened = open()?;
                Ok(cell.get_or_init(|| opened))
            }
        }
    }
}

/// Reads one snapshot.
pub(super) struct RedbReader<'t> {
    transaction: &'t ReadTransaction,
    /// A table that no transaction has made yet is `None`, and reads as empty.
    tables: Tables<Option<ReadTable>>,
    failure: OnceCell<StoreError>,
}

impl<'t> RedbReader<'t> {
    pub(super) fn new(transaction: &'t ReadTransaction) -> Self {
        Self { transaction, tables: Tables::new(), failure: OnceCell::new() }
    }

    /// The first thing that redb refused.
    pub(super) fn finish(self) -> Option<StoreError> {
        self.failure.into_inner()
    }

    fn table(&self, table: Table) -> Result<Option<&ReadTable>, StoreError> {
        let open = || {
            guarded(|| match self.transaction.open_table(definition(table)) {
                Ok(opened) => Ok(Some(opened)),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error),
            })
        };
        Ok(self.tables.opened(table, open)?.as_ref())
    }

    fn noting<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        note(&self.failure, answer)
    }
}

impl Reader for RedbReader<'_> {
    fn get(&self, table: Table, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
        let table = self.noting(self.table(table))?;
        table.map_or(Ok(false), |table| self.noting(get(table, key, found)))
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let table = self.noting(self.table(table))?;
        table.map_or(Ok(()), |table| self.noting(scan(table, from, to, each)))
    }

    fn last(&self, table: Table, to: Option<&[u8]>, found: &mut dyn FnMut(&[u8], &[u8])) -> Result<bool, StoreError> {
        let table = self.noting(self.table(table))?;
        table.map_or(Ok(false), |table| self.noting(last(table, to, found)))
    }
}

/// Writes one transaction, and reads what it has written.
pub(super) struct RedbWriter<'t> {
    transaction: &'t WriteTransaction,
    tables: Tables<WriteTable<'t>>,
    failure: OnceCell<StoreError>,
}

impl<'t> RedbWriter<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction) -> Self {
        Self { transaction, tables: Tables::new(), failure: OnceCell::new() }
    }

    /// Lets the tables go, and answers the first thing that redb refused: then nothing may be committed.
    pub(super) fn finish(self) -> Option<StoreError> {
        let Self { tables, failure, .. } = self;
        let dropped = guarded(|| {
            drop(tables);
            Ok::<_, ::redb::Error>(())
        });
        failure.into_inner().or(dropped.err())
    }

    fn table(&self, table: Table) -> Result<&WriteTable<'t>, StoreError> {
        let opened = self.tables.opened(table, || guarded(|| self.transaction.open_table(definition(table))));
        self.noting(opened)
    }

    fn table_to_change(&mut self, table: Table) -> Result<&mut WriteTable<'t>, StoreError> {
        self.table(table)?;
        Ok(self.tables.0[table as usize].get_mut().expect("it was opened a line above"))
    }

    fn noting<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        note(&self.failure, answer)
    }
}

/// Keeps the first error, whatever becomes of the answer.
fn note<T>(failure: &OnceCell<StoreError>, answer: Result<T, StoreError>) -> Result<T, StoreError> {
    if let Err(error) = &answer {
        failure.get_or_init(|| error.clone());
    }
    answer
}

impl Reader for RedbWriter<'_> {
    fn get(&self, table: Table, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
        self.noting(get(self.table(table)?, key, found))
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.noting(scan(self.table(table)?, from, to, each))
    }

    fn last(&self, table: Table, to: Option<&[u8]>, found: &mut dyn FnMut(&[u8], &[u8])) -> Result<bool, StoreError> {
        self.noting(last(self.table(table)?, to, found))
    }
}

impl Writer for RedbWriter<'_> {
    fn insert(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let table = self.table_to_change(table)?;
        let inserted = guarded(|| table.insert(key, value).map(drop));
        self.noting(inserted)
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Result<bool, StoreError> {
        let table = self.table_to_change(table)?;
        let removed = guarded(|| table.remove(key).map(|old| old.is_some()));
        self.noting(removed)
    }
}

/// What can be read in both sorts of transaction.
trait Readable: ReadableTable<&'static [u8], &'static [u8]> {}

impl<T: ReadableTable<&'static [u8], &'static [u8]>> Readable for T {}

fn get(table: &impl Readable, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
    let value = guarded(|| table.get(key))?;
    if let Some(value) = &value {
        found(guarded(|| Ok::<_, ::redb::Error>(value.value()))?);
    }
    Ok(value.is_some())
}

fn scan(
    table: &impl Readable,
    from: &[u8],
    to: Option<&[u8]>,
    each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> Result<(), StoreError> {
    if to.is_some_and(|to| to <= from) {
        return Ok(());
    }
    let mut rows = guarded(|| table.range::<&[u8]>((Bound::Included(from), below(to))))?;
    while let Some((key, value)) = guarded(|| rows.next().transpose())? {
        let (key, value) = guarded(|| Ok::<_, ::redb::Error>((key.value(), value.value())))?;
        if !each(key, value) {
            break;
        }
    }
    Ok(())
}

fn last(table: &impl Readable, to: Option<&[u8]>, found: &mut dyn FnMut(&[u8], &[u8])) -> Result<bool, StoreError> {
    let row = guarded(|| table.range::<&[u8]>((Bound::Unbounded, below(to)))?.next_back().transpose())?;
    if let Some((key, value)) = &row {
        let (key, value) = guarded(|| Ok::<_, ::redb::Error>((key.value(), value.value())))?;
        found(key, value);
    }
    Ok(row.is_some())
}

fn below(to: Option<&[u8]>) -> Bound<&[u8]> {
    to.map_or(Bound::Unbounded, Bound::Excluded)
}
