//! A disk in memory that fails as disks do: it loses, reorders and tears what was not synced, and refuses.

use crate::random::Random;
use redb::StorageBackend;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

/// What a disk writes at once.
const SECTOR: usize = 512;

/// What goes wrong, at a step that is numbered from the last [`Disk::plan`] on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power goes before this change or sync is done.
    Cut,
    /// This change is refused when a part of it is done, or this sync when a part of it has reached the disk.
    Refuse(ErrorKind),
    /// This reading is refused.
    RefuseRead,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

struct Inner {
    /// What a restart finds.
    durable: Vec<u8>,
    /// What is read until then.
    seen: Vec<u8>,
    /// What is in the one and not yet in the other, in order.
    unsynced: Vec<Change>,
    random: Random,
    plan: Option<(u64, Fault)>,
    changes: u64,
    reads: u64,
    syncs: u64,
    fired: bool,
    /// The power is off.
    dark: bool,
}

/// A disk. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

impl Disk {
    pub(crate) fn new(image: Vec<u8>, random: u64) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            durable: image.clone(),
            seen: image,
            unsynced: vec![],
            random: Random(random),
            plan: None,
            changes: 0,
            reads: 0,
            syncs: 0,
            fired: false,
            dark: false,
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Lets a fault happen at the step of this number.
    pub(crate) fn plan(&self, step: u64, fault: Fault) {
        let mut inner = self.inner();
        (inner.plan, inner.changes, inner.reads, inner.fired) = (Some((step, fault)), 0, 0, false);
    }

    /// Nothing is planned any more.
    pub(crate) fn mend(&self) {
        self.inner().plan = None;
    }

    /// Whether what was planned has happened.
    pub(crate) fn fired(&self) -> bool {
        self.inner().fired
    }

    /// Switches the power off, if it is on, and on again. Nothing is planned then.
    pub(crate) fn restart(&self) {
        let mut inner = self.inner();
        inner.settle();
        inner.seen = inner.durable.clone();
        (inner.plan, inner.dark) = (None, false);
    }

    /// What is on the disk after a restart.
    pub(crate) fn image(&self) -> Vec<u8> {
        self.inner().durable.clone()
    }

    /// How many syncs have been done.
    pub(crate) fn syncs(&self) -> u64 {
        self.inner().syncs
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

impl Inner {
    /// Counts a change, and says what goes wrong with it.
    fn step(&mut self) -> Option<Fault> {
        self.changes += 1;
        let (step, fault) = self.plan?;
        let now = fault != Fault::RefuseRead && step + 1 == self.changes;
        self.fired |= now;
        now.then_some(fault)
    }

    fn change(&mut self, change: Change) -> Result<(), Error> {
        if self.dark {
            return Err(Error::other("the power is off"));
        }
        match self.step() {
            None => self.enter(change),
            // Whether any of what was under way when the power went is on the disk, `settle` decides.
            Some(Fault::Cut) => {
                self.enter(change);
                self.dark = true;
                return Err(Error::other("the power is off"));
            }
            Some(Fault::Refuse(kind)) => {
                if let Change::Write(offset, mut data) = change {
                    data.truncate(self.random.below(data.len() as u64 + 1) as usize);
                    self.enter(Change::Write(offset, data));
                }
                return Err(kind.into());
            }
            Some(Fault::RefuseRead) => unreachable!("that is no change"),
        }
        Ok(())
    }

    fn enter(&mut self, change: Change) {
        apply(&mut self.seen, &change);
        self.unsynced.push(change);
    }

    fn sync(&mut self) -> Result<(), Error> {
        if self.dark {
            return Err(Error::other("the power is off"));
        }
        match self.step() {
            None => {
                self.durable.clone_from(&self.seen);
                self.unsynced.clear();
                self.syncs += 1;
                Ok(())
            }
            Some(Fault::Cut) => {
                self.dark = true;
                Err(Error::other("the power is off"))
            }
            // Linux takes for written what it could not write: only an opening that forgets the cache sees the disk.
            Some(_) => {
                self.settle();
                self.seen.clone_from(&self.durable);
                Err(Error::from_raw_os_error(5))
            }
        }
    }

    /// Decides what of the unsynced is on the disk: each sector as it was at any time since the last sync, some torn.
    fn settle(&mut self) {
        let changes = std::mem::take(&mut self.unsynced);
        if changes.is_empty() {
            return;
        }
        let manner = self.random.below(6);
        if manner == 0 {
            return; // Nothing.
        }
        if manner <= 2 {
            // All of it, or all up to a moment.
            let count = if manner == 1 { changes.len() as u64 } else { self.random.below(changes.len() as u64 + 1) };
            changes[..count as usize].iter().for_each(|change| apply(&mut self.durable, change));
            return;
        }
        let mut versions: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
        let mut lengths = vec![self.durable.len()];
        let mut replayed = self.durable.clone();
        for change in &changes {
            let before = replayed.len();
            apply(&mut replayed, change);
            let touched = match change {
                Change::Write(offset, data) => *offset..*offset + data.len(),
                Change::Length(length) => {
                    lengths.push(*length);
                    *length.min(&before)..before.min(*length + (1 << 16))
                }
            };
            for sector in touched.start / SECTOR..touched.end.div_ceil(SECTOR) {
                versions.entry(sector).or_default().push(sector_of(&replayed, sector));
            }
        }
        let length = lengths[self.random.below(lengths.len() as u64) as usize];
        self.durable.resize(length.max(self.durable.len()), 0);
        for (sector, versions) in versions {
            let chosen = self.random.below(versions.len() as u64 + 1) as usize;
            let torn_at = if self.random.one_in(8) { self.random.below(SECTOR as u64) as usize } else { SECTOR };
            let Some(bytes) = versions.get(chosen) else { continue };
            let start = sector * SECTOR;
            let end = (start + torn_at).min(self.durable.len());
            if start < end {
                self.durable[start..end].copy_from_slice(&bytes[..end - start]);
            }
        }
        self.durable.truncate(length);
    }
}

fn sector_of(bytes: &[u8], sector: usize) -> Vec<u8> {
    let start = (sector * SECTOR).min(bytes.len());
    let mut copy = bytes[start..(start + SECTOR).min(bytes.len())].to_vec();
    copy.resize(SECTOR, 0);
    copy
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => bytes.resize(*length, 0),
        Change::Write(offset, data) => {
            let end = offset + data.len();
            bytes.resize(bytes.len().max(end), 0);
            bytes[*offset..end].copy_from_slice(data);
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        let inner = self.inner();
        if inner.dark { Err(Error::other("the power is off")) } else { Ok(inner.seen.len() as u64) }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.reads += 1;
        if inner.plan == Some((inner.reads - 1, Fault::RefuseRead)) {
            inner.fired = true;
            return Err(Error::from_raw_os_error(5));
        }
        let start = usize::try_from(offset).map_err(Error::other)?;
        let there = inner.seen.get(start..start + out.len()).filter(|_| !inner.dark);
        out.copy_from_slice(there.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let length = usize::try_from(len).map_err(Error::other)?;
        self.inner().change(Change::Length(length))
    }

    fn sync_data(&self) -> Result<(), Error> {
        self.inner().sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let offset = usize::try_from(offset).map_err(Error::other)?;
        self.inner().change(Change::Write(offset, data.to_vec()))
    }
}
