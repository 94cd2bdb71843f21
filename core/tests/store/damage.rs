//! Files that were changed behind the back of the store: an error, or what was stored; never a panic, never other bytes.

use crate::disk::Disk;
use crate::random::Random;
use crate::{CACHE_BYTES, Content, cases, content, put};
use nexowire_core::delivery::{RedbStore, Store, StoreError, StoreErrorKind, Table};
use std::collections::BTreeMap;
use std::panic;
use std::sync::Once;

fn open(image: &[u8]) -> Result<RedbStore, StoreError> {
    let disk = Disk::new(image.to_vec(), 0);
    RedbStore::over(move || Ok(disk.clone()), CACHE_BYTES)
}

/// The panics of redb that are expected here would fill pages; all others are told as ever.
fn hush_redb() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("/redb-")) {
                told(panic);
            }
        }));
    });
}

/// Images of a small store, and what each holds: one closed in order, and one whose process was killed, with what was
/// in it one transaction earlier as well.
struct Images {
    closed: Vec<u8>,
    killed: Vec<u8>,
    before: Content,
    held: Content,
}

fn images() -> Images {
    let disk = Disk::new(vec![], 0);
    let same = disk.clone();
    let store = RedbStore::over(move || Ok(same.clone()), CACHE_BYTES).unwrap();
    for number in 0..120_u64 {
        let table = Table::ALL[number as usize % Table::ALL.len()];
        put(&store, table, &number.to_be_bytes(), &vec![number as u8; 37 * number as usize]).unwrap();
    }
    let before = content(&store).unwrap();
    put(&store, Table::Messages, b"last", &[9; 700]).unwrap();
    let held = content(&store).unwrap();
    let killed = disk.image();
    drop(store);
    disk.restart();
    Images { closed: disk.image(), killed, before, held }
}

/// Changes an image somewhere where there is something.
fn damage(image: &mut Vec<u8>, used: &[usize], random: &mut Random) {
    let somewhere = |random: &mut Random| used[random.below(used.len() as u64) as usize];
    let at = if random.one_in(3) { random.below(320) as usize } else { somewhere(random) };
    match random.below(8) {
        0..4 => image[at] ^= 1 << random.below(8),
        4 => image[at] = random.next() as u8,
        5 => image.truncate(if random.one_in(2) { at } else { random.below(image.len() as u64) as usize }),
        6 => {
            let end = (at / 512 * 512 + 512).min(image.len());
            image[at / 512 * 512..end].fill(0);
        }
        _ => {
            let (from, to) = (somewhere(random) / 4096 * 4096, at / 4096 * 4096);
            let page = image[from..from + 4096].to_vec();
            image[to..to + 4096].copy_from_slice(&page);
        }
    }
}

#[test]
fn damage_is_told_and_never_read() {
    hush_redb();
    let Images { closed, killed, before, held } = images();
    let mut random = Random(2);
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    for case in 0..cases(1_000) {
        let was_killed = random.one_in(2);
        let mut image = if was_killed { killed.clone() } else { closed.clone() };
        let used: Vec<usize> = (0..image.len()).filter(|at| image[*at] != 0).collect();
        damage(&mut image, &used, &mut random);
        let outcome = match open(&image).and_then(|store| content(&store)) {
            Err(error) => {
                let known = [StoreErrorKind::Corrupt, StoreErrorKind::Version, StoreErrorKind::Io];
                assert!(known.contains(&error.kind), "case {case}: {error:?}");
                let start = error.message.split_once("damaged: ").map_or(&*error.message, |(_, what)| what);
                format!(
                    "{:?}: {}",
                    error.kind,
                    start.split(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '{']).next().unwrap()
                )
            }
            Ok(found) if found == held => "what was stored".to_owned(),
            // A damaged last transaction looks like one that a crash has torn, where nobody has closed the file.
            Ok(found) if was_killed && found == before => "all but the last transaction, of a killed store".to_owned(),
            Ok(found) => panic!("case {case}: {} rows were read, not all as they were stored", found.len()),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    for (outcome, count) in &outcomes {
        println!("{count:>7} {outcome}");
    }
    assert!(outcomes.len() > 2, "damage must show");
}

#[test]
fn a_later_format_is_called_one() {
    let mut image = images().closed;
    // The version stands first in both commit slots, which begin at 64 and 192.
    (image[64], image[192]) = (4, 4);
    let error = open(&image).expect_err("a format that is not known");
    assert_eq!(error.kind, StoreErrorKind::Version);
    assert!(error.message.contains("another version"), "{error}");
}

#[test]
fn damage_under_an_open_store_is_no_panic() {
    hush_redb();
    let Images { closed, held, .. } = images();
    let mut random = Random(3);
    for case in 0..cases(100) {
        let disk = Disk::new(closed.clone(), 0);
        let same = disk.clone();
        let store = RedbStore::over(move || Ok(same.clone()), 0).unwrap();
        for _ in 0..random.below(40) {
            let at = random.below(closed.len() as u64 / 512) * 512;
            redb::StorageBackend::write(&disk, at, &random.next().to_be_bytes()).unwrap();
        }
        // redb verifies at openings only: what is read now may be wrong, but answers come, and the next opening tells.
        let _any_answer = content(&store);
        let _any_answer = put(&store, Table::Messages, b"more", &[1; 700]);
        match store.reopen().and_then(|()| content(&store)) {
            Ok(found) => assert!(found.len() >= held.len(), "case {case}: rows are missing"),
            Err(error) => assert_ne!(error.kind, StoreErrorKind::Locked, "case {case}: {error}"),
        }
    }
}
