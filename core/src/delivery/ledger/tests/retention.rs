//! What goes by itself, and what never does.

use super::*;

const ROW: u64 = ROW_BYTES + 10;

#[test]
fn a_consumed_body_is_kept_for_its_time_from_its_last_delivery_on() {
    let (ledger, _) = open(&MemoryStore::new(), LedgerOptions { retention_ms: 100, ..FOR_EVER });
    store_all(&ledger, 0, [1, 2], &[1, 2]);
    store_all(&ledger, 0, [3], &[2]);
    change(&ledger, 50, &[done(1, 1), done(1, 2), done(2, 3)]);
    change(&ledger, 60, &[dead(2, 1), done(2, 2)]);
    change(&ledger, 70, &[Change::DeadLeft { queue: 2, seq: 1 }]);
    change(&ledger, 150, &[]);
    assert_eq!(logged(&ledger), [1, 2, 3]);
    change(&ledger, 151, &[]);
    assert_eq!(logged(&ledger), [1, 2]);
    change(&ledger, 161, &[]);
    assert_eq!(logged(&ledger), [1]);
    change(&ledger, 171, &[]);
    assert_eq!((logged(&ledger), ledger.counts()), (vec![], LedgerCounts::default()));
}

#[test]
fn a_body_is_kept_while_any_item_of_it_waits_and_all_go_together() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, LedgerOptions { retention_ms: 10, ..FOR_EVER });
    let own = StoredBody::Own(b"0123456789");
    // Something else stands between the items of the body.
    let messages = vec![message(1, &[1], own), message(2, &[2], own), message(3, &[1], StoredBody::Of(1))];
    let quarantined = vec![entry(4, StoredBody::Of(1))];
    ledger.commit(&Group { messages, quarantined, ..group(0, &[]) }).unwrap();
    change(&ledger, 5, &[done(1, 1), done(1, 3)]);
    change(&ledger, 99, &[Change::QuarantineLeft { seq: 4 }]);
    assert_eq!(logged(&ledger), [1, 2, 3], "the entry of the quarantine held it");
    change(&ledger, 110, &[]);
    assert_eq!((logged(&ledger), ledger.counts().live_bytes), (vec![2], ROW));
    assert_eq!((rows(&store, Table::Consumed), rows(&store, Table::Messages)), (0, 1));
}

#[test]
fn a_message_without_a_queue_is_consumed_at_once() {
    let (ledger, _) = open(&MemoryStore::new(), LedgerOptions { retention_ms: 10, ..FOR_EVER });
    let messages = vec![message(1, &[], StoredBody::Own(b"")), message(2, &[], StoredBody::Of(1))];
    ledger.commit(&Group { messages, ..group(5, &[]) }).unwrap();
    store_all(&ledger, 5, [3], &[]);
    assert_eq!(logged(&ledger), [1, 2, 3]);
    change(&ledger, 16, &[]);
    assert_eq!(ledger.counts(), LedgerCounts::default());
}

#[test]
fn too_many_bytes_push_out_the_oldest_consumed_and_nothing_else() {
    let (ledger, _) = open(&MemoryStore::new(), LedgerOptions { max_bytes: 16 * ROW, ..FOR_EVER });
    store_all(&ledger, 0, 1..=15, &[1]);
    change(&ledger, 1, &[done(1, 7)]);
    change(&ledger, 2, &[done(1, 3), done(1, 4)]);
    assert_eq!(logged(&ledger).len(), 15, "a sixteenth is kept free, and it still is");
    store_all(&ledger, 3, [16, 17], &[1]);
    assert_eq!(logged(&ledger).len(), 15);
    assert!(!logged(&ledger).contains(&7) && !logged(&ledger).contains(&3), "7 was consumed first");
    store_all(&ledger, 4, 18..=30, &[1]);
    assert!(!logged(&ledger).contains(&4));
    assert_eq!(waiting(&ledger, 1, 4).len(), 27, "what waits is never pushed out");
}

#[test]
fn dead_letters_are_kept_for_their_time() {
    let options = LedgerOptions { dead_letter_retention_ms: 100, retention_ms: 10, ..FOR_EVER };
    let (ledger, _) = open(&MemoryStore::new(), options);
    store_all(&ledger, 0, [1, 2, 3], &[1]);
    change(&ledger, 20, &[dead(1, 3)]);
    change(&ledger, 30, &[dead(1, 1), dead(1, 2)]);
    change(&ledger, 120, &[]);
    assert_eq!(ledger.counts().dead_letters, 3);
    change(&ledger, 121, &[Change::DeadLeft { queue: 1, seq: 2 }]);
    let left: Vec<u64> = ledger.dead_letters(None, 9).unwrap().iter().map(|dead| dead.message.seq).collect();
    assert_eq!((left, ledger.counts().dead_letters_left), (vec![1], 1));
    change(&ledger, 132, &[]);
    assert_eq!((logged(&ledger), ledger.counts().dead_letters_left), (vec![1], 2), "3 was consumed at 121, 1 at 132");
    change(&ledger, 143, &[]);
    assert_eq!(logged(&ledger), [0_u64; 0]);
}

#[test]
fn dead_letters_make_room_when_nothing_consumed_is_left() {
    let (ledger, _) = open(&MemoryStore::new(), LedgerOptions { max_bytes: 16 * ROW, ..FOR_EVER });
    store_all(&ledger, 0, 1..=4, &[1]);
    store_all(&ledger, 0, [5], &[1, 2]);
    change(&ledger, 1, &[dead(1, 5), dead(1, 2), dead(1, 1), done(1, 3)]);
    store_all(&ledger, 2, 6..=16, &[1]);
    assert_eq!((logged(&ledger).contains(&3), ledger.counts().dead_letters), (false, 3), "the consumed one first");
    store_all(&ledger, 3, [17], &[1]);
    let left = ledger.dead_letters(None, 9).unwrap();
    let left: Vec<_> = left.iter().map(|dead| (dead.message.seq, dead.queue)).collect();
    // 5 is the oldest dead letter beside 1 and 2, but queue b still needs its body.
    assert_eq!((left, ledger.counts().dead_letters_left), (vec![(2, 1), (5, 1)], 1));
    change(&ledger, 4, &[]);
    assert!(!logged(&ledger).contains(&1), "it goes with the next commit");
}

#[test]
fn the_quarantine_keeps_so_many_bytes_and_counts_what_leaves() {
    let (ledger, _) = open(&MemoryStore::new(), LedgerOptions { quarantine_bytes: 30, ..FOR_EVER });
    let ten = StoredBody::Own(b"0123456789");
    let quarantined = vec![entry(1, ten), entry(2, ten), entry(3, StoredBody::Of(2)), entry(4, ten)];
    ledger.commit(&Group { quarantined, ..group(0, &[]) }).unwrap();
    assert_eq!((ledger.counts().quarantined, ledger.counts().quarantine_bytes), (4, 30));
    ledger.commit(&Group { quarantined: vec![entry(5, ten)], ..group(0, &[]) }).unwrap();
    ledger.commit(&Group { quarantined: vec![entry(6, ten)], ..group(0, &[]) }).unwrap();
    let seqs: Vec<u64> = ledger.quarantine(0, 9).unwrap().iter().map(|entry| entry.seq).collect();
    assert_eq!((seqs, ledger.counts().quarantine_left), (vec![4, 5, 6], 3));
    change(&ledger, 0, &[Change::QuarantineLeft { seq: 5 }, Change::QuarantineLeft { seq: 5 }]);
    let counts = ledger.counts();
    assert_eq!((counts.quarantined, counts.quarantine_bytes, counts.quarantine_left), (2, 20, 3));
    assert_eq!((counts.bodies, counts.live_bytes), (2, 2 * ROW));
    ledger.commit(&Group { quarantined: vec![entry(7, StoredBody::Own(&[0; 31]))], ..group(0, &[]) }).unwrap();
    assert_eq!(ledger.counts().bodies, 0, "one that is too large alone leaves, too");
}

fn keyed(seq: u64, window: Window, first_at: u64) -> NewMessage<'static> {
    let row = KeyRow { hash: 1, digest: 2, first_at, seq };
    NewMessage { key: Some((window, row)), ..message(seq, &[1], StoredBody::Own(b"")) }
}

fn keys(ledger: &Ledger) -> Vec<u64> {
    let mut seqs = vec![];
    ledger.for_each_key(&mut |_, row| seqs.push(row.seq)).unwrap();
    seqs
}

#[test]
fn keys_outlive_their_messages_and_leave_from_the_front() {
    let options = LedgerOptions { terminal_window_ms: 100, webhook_window_ms: 200, retention_ms: 0, ..FOR_EVER };
    let (ledger, _) = open(&MemoryStore::new(), options);
    let (terminal, webhook) = (Window::Terminal, Window::Webhook);
    let messages = vec![keyed(1, terminal, 10), keyed(2, webhook, 10), keyed(3, terminal, 50), keyed(4, terminal, 10)];
    ledger.commit(&Group { messages, ..group(50, &[done(1, 1), done(1, 2), done(1, 3), done(1, 4)]) }).unwrap();
    change(&ledger, 110, &[]);
    assert_eq!((logged(&ledger), keys(&ledger)), (vec![], vec![1, 2, 3, 4]));
    change(&ledger, 111, &[]);
    assert_eq!(keys(&ledger), [2, 3, 4], "4 is as old as 1, but stands behind 3");
    change(&ledger, 151, &[]);
    assert_eq!(keys(&ledger), [2]);
    change(&ledger, 211, &[]);
    assert_eq!(keys(&ledger), [0_u64; 0]);
    ledger.commit(&Group { messages: vec![keyed(5, terminal, 10)], ..group(220, &[]) }).unwrap();
    assert_eq!(keys(&ledger), [0_u64; 0], "an empty table is looked at again when something enters it");
}

#[test]
fn keys_that_left_the_index_leave_the_store() {
    let (ledger, _) = open(&MemoryStore::new(), FOR_EVER);
    let messages = (1..=6).map(|seq| keyed(seq, if seq % 2 == 0 { Window::Webhook } else { Window::Terminal }, 1));
    ledger.commit(&Group { messages: messages.collect(), ..group(1, &[]) }).unwrap();
    ledger.commit(&Group { forget_keys_before: [3, 5], ..group(1, &[]) }).unwrap();
    assert_eq!(keys(&ledger), [3, 5, 6]);
}

#[test]
fn a_commit_deletes_twice_its_group_and_at_least_1024() {
    let options = LedgerOptions { retention_ms: 10, terminal_window_ms: 10, ..FOR_EVER };
    let (ledger, _) = open(&MemoryStore::new(), options);
    let messages: Vec<_> = (1..=3_000).map(|seq| keyed(seq, Window::Terminal, 1)).collect();
    let acks: Vec<_> = (1..=3_000).map(|seq| done(1, seq)).collect();
    ledger.commit(&Group { messages, ..group(1, &acks) }).unwrap();
    let left = || logged(&ledger).len() + keys(&ledger).len();
    assert_eq!(left(), 6_000);
    change(&ledger, 99, &[]);
    assert_eq!(left(), 6_000 - 1_024);
    store_all(&ledger, 99, 4_001..=4_600, &[1]);
    assert_eq!(left(), 6_000 - 1_024 + 600 - 1_200);
    (0..5).for_each(|_| change(&ledger, 99, &[]));
    assert_eq!(left(), 600);
}

#[test]
fn a_body_of_more_rows_than_a_commit_deletes_goes_at_once() {
    let store = MemoryStore::new();
    let (ledger, _) = open(&store, LedgerOptions { retention_ms: 10, ..FOR_EVER });
    let of = |seq: u64| if seq == 1 { StoredBody::Own(b"body") } else { StoredBody::Of(1) };
    let messages = (1..=2_000).map(|seq| message(seq, &[], of(seq))).collect();
    ledger.commit(&Group { messages, ..group(1, &[]) }).unwrap();
    change(&ledger, 99, &[]);
    assert_eq!((rows(&store, Table::Messages), ledger.counts()), (0, LedgerCounts::default()));
}

#[test]
fn time_saturates() {
    let options = LedgerOptions { max_bytes: u64::MAX, quarantine_bytes: u64::MAX, ..FOR_EVER };
    let (ledger, _) = open(&MemoryStore::new(), options);
    store_all(&ledger, 0, [1, 2], &[1]);
    change(&ledger, u64::MAX, &[done(1, 1), dead(1, 2)]);
    change(&ledger, 0, &[]);
    assert_eq!((logged(&ledger), ledger.counts().dead_letters), (vec![1, 2], 1));
    ledger.set_options(LedgerOptions { retention_ms: 0, dead_letter_retention_ms: 0, max_bytes: 0, ..options });
    change(&ledger, u64::MAX, &[]);
    change(&ledger, u64::MAX, &[]);
    assert_eq!((ledger.counts().bodies, ledger.counts().live_bytes), (0, 0), "no room at all is no panic");
}
