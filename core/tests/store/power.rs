//! Random transactions on a disk that loses its power, or refuses, at every step: what was answered `Ok` is there whole,
//! what was not is there whole or not at all, and nothing else is ever read.

use crate::disk::{Disk, Fault};
use crate::random::Random;
use crate::{Content, cases, content, put};
use nexowire_core::delivery::{RedbStore, Store, StoreErrorKind, Table};
use redb::StorageBackend;
use std::io::ErrorKind;

/// Cuts of one script are tried at every step until it ends; a script that never ends would be a fault of its own.
const STEPS_MAX: u64 = 100_000;

enum Act {
    Write(Vec<Row>),
    Reopen,
}

/// A row to set, or without a value to remove.
type Row = (Table, Vec<u8>, Option<Vec<u8>>);

/// What a script does, with so much memory for pages.
struct Script {
    acts: Vec<Act>,
    cache_bytes: u64,
}

impl Script {
    fn random(random: &mut Random) -> Self {
        let rows = |random: &mut Random| {
            let large = random.one_in(24);
            let row = |random: &mut Random| {
                let table = Table::ALL[random.below(Table::ALL.len() as u64) as usize];
                let key = random.below(40).to_be_bytes().to_vec();
                let length = if large { random.below(120_000) } else { random.below(1_400) };
                let value = vec![random.next() as u8; length as usize];
                (table, key, (!random.one_in(3)).then_some(value))
            };
            (0..1 + random.below(12)).map(|_| row(random)).collect()
        };
        let act = |random: &mut Random| if random.one_in(6) { Act::Reopen } else { Act::Write(rows(random)) };
        let acts = (0..1 + random.below(4)).map(|_| act(random)).collect();
        Self { acts, cache_bytes: [0, 1 << 16, 1 << 22][random.below(3) as usize] }
    }

    fn open(&self, disk: &Disk) -> Result<RedbStore, nexowire_core::delivery::StoreError> {
        let disk = disk.clone();
        RedbStore::over(move || Ok(disk.clone()), self.cache_bytes)
    }
}

/// What a store must hold: everything that was answered, and at most what was under way besides.
struct Model {
    answered: Content,
    under_way: Option<Content>,
}

impl Model {
    fn new(answered: Content) -> Self {
        Self { answered, under_way: None }
    }

    /// Does it on the store, and answers whether that went well.
    fn act(&mut self, store: &RedbStore, act: &Act) -> bool {
        let Act::Write(rows) = act else { return store.reopen().is_ok() };
        let mut after = self.answered.clone();
        for (table, key, value) in rows {
            match value {
                Some(value) => after.insert((*table, key.clone()), value.clone()),
                None => after.remove(&(*table, key.clone())),
            };
        }
        let written = store.write(&mut |writer| {
            for (table, key, value) in rows {
                match value {
                    Some(value) => writer.insert(*table, key, value)?,
                    None => drop(writer.remove(*table, key)?),
                }
            }
            Ok(())
        });
        if written.is_ok() {
            self.answered = after
        } else {
            self.under_way = Some(after)
        }
        written.is_ok()
    }

    /// Holds what is found against it, and goes on from there.
    fn found(&mut self, found: Content, case: &str) {
        let whole = found == self.answered || self.under_way.as_ref() == Some(&found);
        assert!(whole, "{case}: a transaction is lost, or is there in part");
        *self = Self::new(found);
    }
}

/// A new store on a disk, closed in order.
fn image() -> Vec<u8> {
    let disk = Disk::new(vec![], 0);
    let same = disk.clone();
    drop(RedbStore::over(move || Ok(same.clone()), 1 << 20).unwrap());
    disk.restart();
    disk.image()
}

/// Opens a disk after a cut; the power may go once more meanwhile.
fn recover(script: &Script, disk: &Disk, random: &mut Random, case: &str) -> RedbStore {
    disk.restart();
    if random.one_in(3) {
        disk.plan(random.below(20), Fault::Cut);
        drop(script.open(disk));
        disk.restart();
    }
    script.open(disk).unwrap_or_else(|error| panic!("{case}: {error}"))
}

#[test]
fn a_cut_of_the_power_at_any_step_loses_nothing() {
    let wanted = cases(2_000);
    let mut random = Random(0);
    let (mut base, mut held) = (image(), Content::new());
    let mut cuts = 0;
    for script_number in 0_u64.. {
        let script = Script::random(&mut random);
        let mut last = None;
        for step in 0..STEPS_MAX {
            let case = format!("script {script_number}, step {step}");
            let disk = Disk::new(base.clone(), random.next());
            disk.plan(step, Fault::Cut);
            let mut model = Model::new(held.clone());
            if let Ok(store) = script.open(&disk) {
                let _cut_or_done = script.acts.iter().all(|act| model.act(&store, act));
            }
            let ended = !disk.fired();
            let store = recover(&script, &disk, &mut random, &case);
            model.found(content(&store).unwrap_or_else(|error| panic!("{case}: {error}")), &case);
            cuts += 1;
            if random.one_in(8) {
                put(&store, Table::Meta, b"again", &step.to_be_bytes()).expect("a store that was recovered can write");
                model.answered.insert((Table::Meta, b"again".to_vec()), step.to_be_bytes().to_vec());
                store.reopen().unwrap();
                model.found(content(&store).unwrap(), &case);
            }
            drop(store);
            disk.restart();
            last = Some((disk.image(), model.answered));
            if ended || cuts >= wanted {
                break;
            }
        }
        // Whatever is left goes on to the next script, so that files grow old.
        (base, held) = last.expect("a script has steps");
        if cuts >= wanted {
            println!("{cuts} cuts in {} scripts; the file has {} bytes at last", script_number + 1, base.len());
            return;
        }
    }
}

#[test]
fn a_refusal_at_any_step_stops_the_store_until_it_is_opened_again() {
    let wanted = cases(1_000);
    let mut random = Random(1);
    let (mut base, mut held) = (image(), Content::new());
    let (mut refusals, mut opened_badly) = (0, 0);
    while refusals < wanted {
        let script = Script::random(&mut random);
        let mut last = None;
        for step in 0..STEPS_MAX {
            let case = format!("refusal {refusals}, step {step}");
            let kinds = [ErrorKind::StorageFull, ErrorKind::PermissionDenied];
            let faults = [Fault::Refuse(kinds[0]), Fault::Refuse(kinds[1]), Fault::RefuseRead];
            let fault = faults[random.below(3) as usize];
            let disk = Disk::new(base.clone(), random.next());
            let mut model = Model::new(held.clone());
            let store = script.open(&disk).unwrap();
            disk.plan(step, fault);
            let done = script.acts.iter().all(|act| model.act(&store, act));
            let fired = disk.fired();
            assert!(done || fired, "{case}: the store refused what the disk did not");
            if !done && model.under_way.is_some() {
                let refused = put(&store, Table::Meta, b"after", b"").expect_err("it must not write on");
                assert!(refused.message.contains("opened again"), "{case}: {refused}");
                assert_ne!(refused.kind, StoreErrorKind::Corrupt, "{case}: {refused}");
                content(&store).expect_err("nor may it read");
            }
            opened_badly += u64::from(!done && model.under_way.is_none());
            disk.mend();
            store.reopen().unwrap_or_else(|error| panic!("{case}, {fault:?}: {error}"));
            model.found(content(&store).unwrap_or_else(|error| panic!("{case}, {fault:?}: {error}")), &case);
            put(&store, Table::Meta, b"again", &step.to_be_bytes()).unwrap();
            model.answered.insert((Table::Meta, b"again".to_vec()), step.to_be_bytes().to_vec());
            drop(store);
            disk.restart();
            last = Some((disk.image(), model.answered));
            refusals += 1;
            if !fired || refusals >= wanted {
                break;
            }
        }
        (base, held) = last.expect("a script has steps");
    }
    println!("{refusals} refusals, {opened_badly} of them while the store was opened again");
}

#[test]
fn a_transaction_costs_one_sync() {
    let disk = Disk::new(image(), 0);
    let same = disk.clone();
    let store = RedbStore::over(move || Ok(same.clone()), 1 << 20).unwrap();
    let mut growths = 0;
    for number in 0..1_000_u64 {
        let before = (disk.syncs(), disk.len().unwrap());
        put(&store, Table::Messages, &number.to_be_bytes(), &[1; 700]).unwrap();
        // A file that grows is synced for that too. It does so by doubling, not with every transaction.
        let grown = u64::from(disk.len().unwrap() > before.1);
        assert_eq!(disk.syncs() - before.0, 1 + grown, "transaction {number}");
        growths += grown;
    }
    assert!(growths < 20, "it grew {growths} times");
}
