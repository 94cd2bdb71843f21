//! The store in memory against an ordered map, and its switches.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn put(store: &MemoryStore, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    store.write(&mut |writer| writer.insert(Table::Messages, key, value))
}

fn contents(reader: &dyn Reader) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = vec![];
    let each = &mut |key: &[u8], value: &[u8]| {
        found.push((key.to_vec(), value.to_vec()));
        true
    };
    reader.scan(Table::Messages, &[], None, each).unwrap();
    found
}

fn durable(store: &MemoryStore) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = vec![];
    store
        .read(&mut |reader| {
            found = contents(reader);
            Ok(())
        })
        .unwrap();
    found
}

#[test]
fn a_transaction_that_fails_leaves_nothing() {
    let store = MemoryStore::new();
    put(&store, b"1", b"a").unwrap();
    let failed = store.write(&mut |writer| {
        writer.insert(Table::Messages, b"2", b"b")?;
        assert!(writer.remove(Table::Messages, b"1")?);
        Err(StoreError::new(StoreErrorKind::Full, "no"))
    });
    assert_eq!(failed.unwrap_err().kind, StoreErrorKind::Full);
    assert_eq!(durable(&store), [(b"1".to_vec(), b"a".to_vec())]);
}

#[test]
fn a_panic_leaves_nothing_and_the_next_may_write() {
    let store = MemoryStore::new();
    let writing = std::panic::AssertUnwindSafe(|| {
        store.write(&mut |writer| {
            writer.insert(Table::Messages, b"1", b"a")?;
            panic!("in the middle")
        })
    });
    assert!(std::panic::catch_unwind(writing).is_err());
    put(&store, b"2", b"b").unwrap();
    assert_eq!(durable(&store), [(b"2".to_vec(), b"b".to_vec())]);
}

#[test]
fn a_reader_sees_one_state_while_others_write() {
    let store = MemoryStore::new();
    put(&store, b"1", b"a").unwrap();
    store
        .read(&mut |reader| {
            put(&store, b"2", b"b")?;
            assert_eq!(contents(reader).len(), 1);
            Ok(())
        })
        .unwrap();
    assert_eq!(durable(&store).len(), 2);
}

#[test]
fn a_handle_closes_for_itself_and_opens_again() {
    let store = MemoryStore::new();
    put(&store, b"1", b"a").unwrap();
    let other = store.clone();
    store.close();
    assert_eq!(put(&store, b"2", b"b").unwrap_err().kind, StoreErrorKind::Closed);
    assert_eq!(store.read(&mut |_| Ok(())).unwrap_err().kind, StoreErrorKind::Closed);
    put(&other, b"2", b"b").unwrap();
    store.reopen().unwrap();
    assert_eq!(durable(&store).len(), 2);
    assert_eq!(store.free_bytes(), None);
}

#[test]
fn writes_fail_when_told_and_are_kept_when_told() {
    let store = MemoryStore::new();
    store.fail_writes(true);
    assert_eq!(put(&store, b"1", b"a").unwrap_err().kind, StoreErrorKind::Io);
    assert!(durable(&store).is_empty());
    store.keep_failed_writes(true);
    assert_eq!(put(&store, b"2", b"b").unwrap_err().kind, StoreErrorKind::Io);
    assert_eq!(durable(&store).len(), 1);
    store.fail_writes(false);
    put(&store, b"3", b"c").unwrap();
    assert_eq!(durable(&store).len(), 2);
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..3_u8, 0..3)
}

proptest! {
    /// Every look, in a transaction and after it, is what one map would answer.
    #[test]
    fn it_is_an_ordered_map(
        transactions in prop::collection::vec(prop::collection::vec((key(), any::<Option<u8>>()), 0..12), 1..5),
        from in key(),
        to in prop::option::of(key()),
    ) {
        let (store, mut model) = (MemoryStore::new(), BTreeMap::new());
        for transaction in transactions {
            store.write(&mut |writer| {
                for (key, value) in &transaction {
                    match value {
                        Some(value) => {
                            writer.insert(Table::Messages, key, &[*value])?;
                            model.insert(key.clone(), vec![*value]);
                        }
                        None => {
                            assert_eq!(writer.remove(Table::Messages, key)?, model.remove(key).is_some());
                        }
                    }
                }
                check(writer, &model, &from, to.as_deref());
                Ok(())
            }).unwrap();
            store.read(&mut |reader| { check(reader, &model, &from, to.as_deref()); Ok(()) }).unwrap();
        }
    }
}

fn check<R: Reader + ?Sized>(reader: &R, model: &BTreeMap<Vec<u8>, Vec<u8>>, from: &[u8], to: Option<&[u8]>) {
    let inside = |key: &[u8]| key >= from && to.is_none_or(|to| key < to);
    let wanted: Vec<_> = model.iter().filter(|(key, _)| inside(key)).collect();
    let mut found = vec![];
    let each = &mut |key: &[u8], value: &[u8]| {
        found.push((key.to_vec(), value.to_vec()));
        true
    };
    reader.scan(Table::Messages, from, to, each).unwrap();
    assert_eq!(found.iter().map(|(key, value)| (key, value)).collect::<Vec<_>>(), wanted);
    let mut seen = 0;
    reader
        .scan(Table::Messages, from, to, &mut |_, _| {
            seen += 1;
            false
        })
        .unwrap();
    assert_eq!(seen, wanted.len().min(1));

    let wanted = model.iter().rfind(|(key, _)| to.is_none_or(|to| &key[..] < to));
    let mut last = None;
    let there =
        reader.last(Table::Messages, to, &mut |key, value| last = Some((key.to_vec(), value.to_vec()))).unwrap();
    assert_eq!((there, last), (wanted.is_some(), wanted.map(|(key, value)| (key.clone(), value.clone()))));

    let mut got = None;
    let there = reader.get(Table::Messages, from, &mut |value| got = Some(value.to_vec())).unwrap();
    assert_eq!((there, got.as_ref()), (model.contains_key(from), model.get(from)));
}
