//! Rows as bytes: what is written is read, and nothing else is believed.

use proptest::prelude::*;

use super::super::codec::{Decoder, Encoder};
use super::super::message_row::{BodyRow, decode_message, encode_message};
use super::super::queues::QueueRow;
use super::super::rows::*;
use super::*;

fn hold() -> impl Strategy<Value = Hold> {
    any::<(bool, u64)>().prop_map(|(sole, number)| if sole { Hold::Sole(number) } else { Hold::Shared(number) })
}

proptest! {
    #[test]
    fn numbers_are_read_as_written(number: u64, other: Option<u32>, text: String) {
        let mut to = Encoder::default();
        to.number(number).optional(other).text(&text);
        let mut from = Decoder(&to.0);
        let read = (from.number(), from.optional(), from.text().map(str::to_owned), from.end());
        prop_assert_eq!(read, (Some(number), Some(other), Some(text), Some(())));
    }

    #[test]
    fn small_rows_are_read_as_written(hold in hold(), flags: u16, numbers: [u64; 4], small: [u32; 6], reason: String) {
        let [attempt, failures, ..] = small;
        let state = DeliveryState { attempt, failures, due: numbers[0] };
        let row = DeliveryRow { hold, flags, state };
        prop_assert_eq!(DeliveryRow::decode(&row.encode()), Some(row));
        let row = DeadRow { hold, flags, died_at: numbers[0], attempts: attempt, reason: reason.clone() };
        prop_assert_eq!(DeadRow::decode(&row.encode()), Some(row));
        let [pending, dead, entries, messages, rows, _] = small;
        let held = Held { pending, dead, entries, messages, rows, last: numbers[0], body: numbers[1] };
        prop_assert_eq!(Held::decode(&held.encode()), Some(held));
        let consumed = Consumed { bytes: numbers[0], rows, last: numbers[1] };
        prop_assert_eq!(Consumed::decode(&consumed.encode()), Some(consumed));
        let (item, tag) = (Some(attempt), Some(numbers[2]));
        let entry = EntryRow { hold, item, received_at: numbers[1], tag, reason: &reason, endpoint: "é" };
        let bytes = entry.encode();
        prop_assert_eq!(EntryRow::decode(&bytes), Some(entry));
        let counts = LedgerCounts { live_bytes: numbers[2], dead_letters_left: numbers[3], ..LedgerCounts::default() };
        let totals = Totals { last_seq: numbers[0], clock: numbers[1], counts };
        prop_assert_eq!(Totals::decode(&totals.encode()), Some(totals));
    }

    #[test]
    fn messages_are_read_as_written(numbers: [u64; 3], flags: u16, endpoint: String, some: bool, body: Vec<u8>) {
        let note = DeadNote { queue: "q".to_owned(), reason: endpoint.clone(), attempts: 9 };
        let record = Record {
            seq: numbers[0],
            item: some.then_some(5),
            received_at: numbers[1],
            endpoint: &endpoint,
            tag: some.then_some(numbers[2]),
            flags,
            origin_seq: some.then_some(1),
            dead: some.then_some(note.clone()),
        };
        let queues = vec![(7, 0), (u32::MAX, 3)];
        let new = NewMessage { record, body: StoredBody::Own(&body), order_hash: numbers[2], queues, key: None };
        let mut to = Encoder::default();
        encode_message(&new, None, &mut to);
        let Some(BodyRow::Message(row)) = decode_message(numbers[0], &to.0) else { panic!("it is a message") };
        prop_assert_eq!(format!("{:?}", row.record), format!("{:?}", new.record));
        prop_assert_eq!((row.order_hash, row.queues, row.owner), (numbers[2], vec![7, u32::MAX], None));
        prop_assert_eq!(row.body, &body[..]);
        for end in 0..to.0.len() - body.len() {
            prop_assert!(decode_message(1, &to.0[..end]).is_none(), "cut at {end}");
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(key: Vec<u8>, value: Vec<u8>) {
        let _ = (DeliveryRow::decode(&value), DeadRow::decode(&value), Held::decode(&value), Consumed::decode(&value));
        let _ = (EntryRow::decode(&value), Totals::decode(&value), QueueRow::decode(&key, &value));
        let _ = (decode_message(1, &value), decode_key(&key, &value), read_delivery_key(&key), read_timed_key(&key));
        let mut record = vec![1, 1];
        record.extend(&value);
        let _ = decode_message(1, &record);
    }

    /// Whatever one row is replaced by, everything either works or says that it cannot be right.
    #[test]
    fn a_damaged_row_is_an_error(table in prop::sample::select(Table::ALL), at: prop::sample::Index, bytes: Vec<u8>) {
        let store = MemoryStore::new();
        let ledger = everything(&store);
        let mut keys = vec![];
        store.read(&mut |reader| reader.scan(table, &[], None, &mut |key, _| { keys.push(key.to_vec()); true })).unwrap();
        let key = at.get(&keys);
        store.write(&mut |writer| writer.insert(table, key, &bytes)).unwrap();
        let changes = [done(1, 1), done(1, 2), dead(2, 2), Change::QuarantineLeft { seq: 4 }];
        let ends = [
            ledger.deliveries(1, 1, 0, u64::MAX, 9, 999).map(drop),
            ledger.delivery(1, 1).map(drop),
            ledger.log(&Bounds::default(), 0, 9).map(drop),
            ledger.quarantine(0, 9).map(drop),
            ledger.dead_letters(None, 9).map(drop),
            ledger.for_each_key(&mut |_, _| {}),
            ledger.commit(&group(u64::MAX, &changes)),
            ledger.reopen(&names(&[("b", 3)]), 0).map(drop),
        ];
        for error in ends.into_iter().filter_map(Result::err) {
            prop_assert!([StoreErrorKind::Corrupt, StoreErrorKind::Version].contains(&error.kind), "{error}");
        }
    }
}

/// A store with something in every table.
fn everything(store: &MemoryStore) -> Ledger {
    let (ledger, _) = open(store, LedgerOptions { retention_ms: 5, dead_letter_retention_ms: 5, ..FOR_EVER });
    let mut messages = vec![];
    for (seq, window) in [(1, Window::Terminal), (2, Window::Webhook), (3, Window::Terminal)] {
        let row = KeyRow { hash: 1, digest: 2, first_at: 3, seq };
        let body = if seq == 3 { StoredBody::Of(2) } else { StoredBody::Own(b"body") };
        messages.push(NewMessage { key: Some((window, row)), ..message(seq, &[1, 2][..seq.min(2) as usize], body) });
    }
    let quarantined = vec![entry(4, StoredBody::Own(b"bad")), entry(5, StoredBody::Of(2))];
    ledger.commit(&Group { messages, quarantined, ..group(1, &[]) }).unwrap();
    store_all(&ledger, 1, [6, 7], &[1]);
    change(&ledger, 2, &[dead(1, 3), dead(1, 6), done(1, 7)]);
    for table in Table::ALL {
        assert!(rows(store, *table) > 0, "{table:?}");
    }
    ledger
}

#[test]
fn numbers_that_do_not_fit_are_not_read() {
    let mut eleven = vec![0xff; 10];
    eleven.push(0);
    assert_eq!(Decoder(&eleven).number(), None);
    assert_eq!(Decoder(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).number(), None);
    assert_eq!(Decoder(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).number(), Some(u64::MAX));
    assert_eq!(Decoder(&[0x80, 0x80, 4]).narrow::<u16>(), None);
    assert_eq!(Decoder(&[2]).optional::<u64>(), None);
    assert_eq!(Decoder(&[2, b'a']).text(), None);
    assert_eq!(Decoder(&[1, 0xff]).text(), None);
}
