//! What every store promises, each rule a function over any store: `contract!` makes tests of them for one.

use crate::random::Random;
use crate::{Content, content, put};
use nexowire_core::delivery::{Reader, Store, StoreError, StoreErrorKind, Table};
use std::ops::Bound;
use std::sync::Barrier;
use std::thread;

/// Holds a store against every rule. It is made by an expression, empty, once a rule.
macro_rules! contract {
    ($module:ident, $make:expr, [$($rule:ident)+]) => {
        mod $module {
            $(
                #[test]
                fn $rule() {
                    let (store, _kept) = $make;
                    super::$rule(&store);
                }
            )+
        }
    };
    ($module:ident, $make:expr) => {
        contract!($module, $make, [
            a_new_store_is_empty
            what_is_written_is_read
            a_row_is_replaced_and_removed
            keys_are_ordered_as_bytes_are
            a_scan_ends_when_it_is_told_to
            empty_ranges_show_nothing
            the_last_row_is_found
            a_transaction_reads_what_it_wrote
            a_transaction_that_fails_leaves_nothing
            an_error_of_the_host_comes_back_as_it_was
            a_transaction_that_panics_leaves_nothing
            a_snapshot_does_not_change
            a_closed_store_says_so
            everything_is_there_after_an_opening
            it_does_what_a_map_does
        ]);
    };
}

contract!(redb, {
    let directory = tempfile::tempdir().unwrap();
    let store = nexowire_core::delivery::RedbStore::open(&directory.path().join("store"), 1 << 20).unwrap();
    (store, directory)
});

fn get(reader: &(impl Reader + ?Sized), table: Table, key: &[u8]) -> Option<Vec<u8>> {
    let mut value = None;
    let found = reader.get(table, key, &mut |bytes| value = Some(bytes.to_vec())).unwrap();
    assert_eq!(found, value.is_some());
    value
}

fn last(reader: &(impl Reader + ?Sized), table: Table, to: Option<&[u8]>) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut row = None;
    let found = reader.last(table, to, &mut |key, value| row = Some((key.to_vec(), value.to_vec()))).unwrap();
    assert_eq!(found, row.is_some());
    row
}

fn keys(reader: &(impl Reader + ?Sized), table: Table, from: &[u8], to: Option<&[u8]>) -> Vec<Vec<u8>> {
    let mut keys = vec![];
    let mut each = |key: &[u8], _: &[u8]| {
        keys.push(key.to_vec());
        true
    };
    reader.scan(table, from, to, &mut each).unwrap();
    keys
}

fn look<T>(store: &dyn Store, mut at: impl FnMut(&dyn Reader) -> T) -> T {
    let mut seen = None;
    let mut look = |reader: &dyn Reader| {
        seen = Some(at(reader));
        Ok(())
    };
    store.read(&mut look).unwrap();
    seen.expect("a read shows a snapshot")
}

fn a_new_store_is_empty(store: &dyn Store) {
    assert_eq!(content(store), Ok(Content::new()));
    for table in Table::ALL {
        look(store, |reader| {
            assert_eq!(get(reader, *table, b"key"), None);
            assert_eq!(last(reader, *table, None), None);
        });
    }
}

fn what_is_written_is_read(store: &dyn Store) {
    let long = vec![7; 1 << 20];
    for table in Table::ALL {
        let own = table.name().as_bytes();
        put(store, *table, b"key", own).unwrap();
        put(store, *table, own, &long).unwrap();
        put(store, *table, b"", b"").unwrap();
    }
    for table in Table::ALL {
        let own = table.name().as_bytes();
        look(store, |reader| {
            assert_eq!(get(reader, *table, b"key").as_deref(), Some(own));
            assert_eq!(get(reader, *table, own).as_ref(), Some(&long));
            assert_eq!(get(reader, *table, b"").as_deref(), Some(&b""[..]), "empty keys and values are some too");
            assert_eq!(get(reader, *table, b"ke"), None);
            assert_eq!(keys(reader, *table, b"", None).len(), 3);
        });
    }
}

fn a_row_is_replaced_and_removed(store: &dyn Store) {
    put(store, Table::Meta, b"key", b"old").unwrap();
    put(store, Table::Meta, b"key", b"new").unwrap();
    look(store, |reader| assert_eq!(get(reader, Table::Meta, b"key").unwrap(), b"new"));
    let mut removed = vec![];
    store
        .write(&mut |writer| {
            removed.push(writer.remove(Table::Meta, b"key")?);
            removed.push(writer.remove(Table::Meta, b"key")?);
            removed.push(writer.remove(Table::Queues, b"key")?);
            Ok(())
        })
        .unwrap();
    assert_eq!(removed, [true, false, false]);
    assert_eq!(content(store), Ok(Content::new()));
}

fn keys_are_ordered_as_bytes_are(store: &dyn Store) {
    let ordered: [&[u8]; 7] = [b"", b"\0", b"\0\0", b"\x01", b"\x7f\xff", b"\x80", b"\xff\xff"];
    for key in ordered.iter().rev() {
        put(store, Table::Deliveries, key, b"").unwrap();
    }
    look(store, |reader| {
        assert_eq!(keys(reader, Table::Deliveries, b"", None), ordered);
        assert_eq!(keys(reader, Table::Deliveries, b"\0", Some(b"\x7f\xff")), ordered[1..4]);
        assert_eq!(keys(reader, Table::Deliveries, b"\0\x01", Some(b"\x7f\xff\0")), ordered[3..5]);
        assert_eq!(keys(reader, Table::Deliveries, b"\x80", None), ordered[5..]);
    });
}

fn a_scan_ends_when_it_is_told_to(store: &dyn Store) {
    for key in 0..10_u8 {
        put(store, Table::Messages, &[key], b"").unwrap();
    }
    let mut seen = vec![];
    let mut each = |key: &[u8], _: &[u8]| {
        seen.push(key[0]);
        seen.len() < 3
    };
    store.read(&mut |reader| reader.scan(Table::Messages, &[4], None, &mut each)).unwrap();
    assert_eq!(seen, [4, 5, 6]);
}

fn empty_ranges_show_nothing(store: &dyn Store) {
    put(store, Table::Messages, b"b", b"").unwrap();
    look(store, |reader| {
        for (from, to) in [("b", "b"), ("c", "a"), ("b\0", "c"), ("a", "b"), ("", "")] {
            let shown = keys(reader, Table::Messages, from.as_bytes(), Some(to.as_bytes()));
            assert!(shown.is_empty(), "{from} to {to}");
        }
    });
}

fn the_last_row_is_found(store: &dyn Store) {
    for key in [2_u8, 4, 6] {
        put(store, Table::Quarantine, &[key], &[key, key]).unwrap();
    }
    look(store, |reader| {
        let last = |to: Option<&[u8]>| last(reader, Table::Quarantine, to).map(|(key, value)| (key[0], value.len()));
        assert_eq!(last(None), Some((6, 2)));
        assert_eq!(last(Some(&[7])), Some((6, 2)));
        assert_eq!(last(Some(&[6])), Some((4, 2)), "the end is excluded");
        assert_eq!(last(Some(&[5])), Some((4, 2)));
        assert_eq!(last(Some(&[2])), None);
        assert_eq!(last(Some(b"")), None);
    });
}

fn a_transaction_reads_what_it_wrote(store: &dyn Store) {
    put(store, Table::Meta, b"1", b"old").unwrap();
    store
        .write(&mut |writer| {
            assert_eq!(get(writer, Table::Meta, b"1").unwrap(), b"old");
            writer.insert(Table::Meta, b"1", b"new")?;
            writer.insert(Table::Meta, b"2", b"")?;
            assert_eq!(get(writer, Table::Meta, b"1").unwrap(), b"new");
            assert_eq!(last(writer, Table::Meta, None).unwrap().0, b"2");
            writer.remove(Table::Meta, b"1")?;
            assert_eq!(get(writer, Table::Meta, b"1"), None);
            assert_eq!(keys(writer, Table::Meta, b"", None), [b"2"]);
            assert_eq!(keys(writer, Table::DeadLetters, b"", None), [b""; 0]);
            Ok(())
        })
        .unwrap();
}

/// Fills tables, and fails then.
fn fail(store: &dyn Store) -> Result<(), StoreError> {
    store.write(&mut |writer| {
        writer.insert(Table::Messages, b"2", b"never")?;
        writer.insert(Table::Deliveries, b"2", b"never")?;
        writer.remove(Table::Messages, b"1")?;
        Err(StoreError::new(StoreErrorKind::Full, "the host has had enough"))
    })
}

fn a_transaction_that_fails_leaves_nothing(store: &dyn Store) {
    put(store, Table::Messages, b"1", b"here").unwrap();
    let before = content(store).unwrap();
    fail(store).unwrap_err();
    assert_eq!(content(store).unwrap(), before);
    put(store, Table::Messages, b"3", b"").expect("a host that changed its mind is no failure of the store");
    assert_eq!(content(store).unwrap().len(), 2);
}

fn an_error_of_the_host_comes_back_as_it_was(store: &dyn Store) {
    let full = StoreError::new(StoreErrorKind::Full, "the host has had enough");
    assert_eq!(fail(store), Err(full.clone()));
    assert_eq!(store.read(&mut |_| Err(full.clone())), Err(full));
}

fn a_transaction_that_panics_leaves_nothing(store: &dyn Store) {
    put(store, Table::Messages, b"1", b"here").unwrap();
    let panicked = thread::scope(|scope| {
        let writes = || {
            store.write(&mut |writer| {
                writer.insert(Table::Messages, b"2", b"never")?;
                panic!("a fault that was planted");
            })
        };
        scope.spawn(writes).join()
    });
    assert!(panicked.is_err(), "what is not the store's it does not hide");
    assert_eq!(content(store).unwrap().len(), 1);
    put(store, Table::Messages, b"3", b"").unwrap();
    store.reopen().unwrap();
    assert_eq!(content(store).unwrap().len(), 2);
}

fn a_snapshot_does_not_change(store: &dyn Store) {
    put(store, Table::Meta, b"1", b"old").unwrap();
    let written = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            written.wait();
            put(store, Table::Meta, b"1", b"new").unwrap();
            put(store, Table::Queues, b"1", b"new").unwrap();
            written.wait();
        });
        look(store, |reader| {
            written.wait();
            written.wait(); // Both are durable, while this snapshot is held.
            assert_eq!(get(reader, Table::Meta, b"1").unwrap(), b"old");
            assert_eq!(get(reader, Table::Queues, b"1"), None, "nor does a table that is looked into later");
        });
    });
    look(store, |reader| assert_eq!(get(reader, Table::Meta, b"1").unwrap(), b"new"));
}

fn a_closed_store_says_so(store: &dyn Store) {
    put(store, Table::Meta, b"1", b"here").unwrap();
    store.close();
    store.close();
    assert_eq!(put(store, Table::Meta, b"2", b"").unwrap_err().kind, StoreErrorKind::Closed);
    assert_eq!(content(store).unwrap_err().kind, StoreErrorKind::Closed);
    store.reopen().unwrap();
    assert_eq!(content(store).unwrap().len(), 1);
}

fn everything_is_there_after_an_opening(store: &dyn Store) {
    for key in 0..200_u8 {
        put(store, Table::ALL[usize::from(key) % Table::ALL.len()], &[key], &[key; 300]).unwrap();
    }
    let before = content(store).unwrap();
    assert_eq!(before.len(), 200);
    store.reopen().unwrap();
    assert_eq!(content(store).unwrap(), before);
    store.reopen().unwrap();
    put(store, Table::Meta, b"more", b"").unwrap();
    assert_eq!(content(store).unwrap().len(), 201);
}

/// Random transactions, against a map of the standard library.
fn it_does_what_a_map_does(store: &dyn Store) {
    let mut random = Random(1);
    let mut model = Content::new();
    for _ in 0..200 {
        let mut changed = model.clone();
        let kept = !random.one_in(5);
        let outcome = store.write(&mut |writer| {
            for _ in 0..random.below(30) {
                let table = Table::ALL[random.below(3) as usize];
                let key = random.below(60).to_be_bytes()[6..].to_vec();
                if random.one_in(3) {
                    assert_eq!(writer.remove(table, &key)?, changed.remove(&(table, key)).is_some());
                } else {
                    let value = vec![random.next() as u8; random.below(900) as usize];
                    writer.insert(table, &key, &value)?;
                    changed.insert((table, key), value);
                }
                let to = random.below(60).to_be_bytes()[6..].to_vec();
                let below = (Bound::Included((table, vec![])), Bound::Excluded((table, to.clone())));
                let expected = changed.range(below).next_back().map(|((_, key), value)| (key.clone(), value.clone()));
                assert_eq!(last(writer, table, Some(&to)), expected);
            }
            if kept { Ok(()) } else { Err(StoreError::new(StoreErrorKind::Io, "undone")) }
        });
        assert_eq!(outcome.is_ok(), kept);
        model = if kept { changed } else { model };
        assert_eq!(content(store).unwrap(), model);
    }
}
