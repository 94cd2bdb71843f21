//! What the store in a file says of directories, files and processes that are not as they should be.

use crate::{CACHE_BYTES, content, put};
use nexowire_core::delivery::{RedbStore, Store, StoreError, StoreErrorKind, Table};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};

fn open(directory: &Path) -> Result<RedbStore, StoreError> {
    RedbStore::open(directory, CACHE_BYTES)
}

/// Fails to open, and holds the error against its kind; the message names the directory.
fn refused(directory: &Path, kind: StoreErrorKind) -> String {
    let error = open(directory).expect_err("it must not open");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(&directory.display().to_string()), "{error}");
    error.message
}

/// A store with one row in a new directory.
fn made() -> (tempfile::TempDir, std::path::PathBuf) {
    let kept = tempfile::tempdir().unwrap();
    let directory = kept.path().join("store");
    put(&open(&directory).unwrap(), Table::Meta, b"1", &[7; 5_000]).unwrap();
    (kept, directory)
}

/// The file of a store.
fn file(directory: &Path) -> std::path::PathBuf {
    directory.join("messages.redb")
}

#[test]
fn a_missing_parent_is_not_made() {
    let kept = tempfile::tempdir().unwrap();
    refused(&kept.path().join("no/store"), StoreErrorKind::Io);
    assert!(!kept.path().join("no").exists());
}

#[test]
fn a_file_is_no_directory() {
    let kept = tempfile::tempdir().unwrap();
    let path = kept.path().join("store");
    fs::write(&path, "hello").unwrap();
    assert!(refused(&path, StoreErrorKind::Io).contains("not a directory"));
    assert_eq!(fs::read(&path).unwrap(), b"hello");
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_cannot_be_written_is_refused() {
    // Even the superuser, whom no mode stops, makes nothing there.
    refused(Path::new("/sys/kernel"), StoreErrorKind::Io);
    refused(Path::new("/sys/kernel/nexowire"), StoreErrorKind::Io);
}

#[test]
fn a_file_that_was_cut_off_is_damaged() {
    for kept_bytes in [0, 1, 100, 4_096, 100_000] {
        let (_kept, directory) = made();
        fs::OpenOptions::new().write(true).open(file(&directory)).unwrap().set_len(kept_bytes).unwrap();
        refused(&directory, StoreErrorKind::Corrupt);
        assert_eq!(fs::metadata(file(&directory)).unwrap().len(), kept_bytes, "evidence is left as it is");
    }
}

#[test]
fn a_flipped_bit_is_damage() {
    let (_kept, directory) = made();
    let whole = fs::read(file(&directory)).unwrap();
    let value = whole.windows(100).position(|bytes| bytes == [7; 100]).unwrap();
    for at in [3, value, value + 4_000] {
        let mut flipped = whole.clone();
        flipped[at] ^= 16;
        fs::write(file(&directory), flipped).unwrap();
        refused(&directory, StoreErrorKind::Corrupt);
    }
    fs::write(file(&directory), whole).unwrap();
    open(&directory).expect("only the bit was wrong");
}

#[test]
fn what_is_no_store_is_not_touched() {
    let (_kept, directory) = made();
    let text = "This is a letter.\n".repeat(1_000);
    fs::write(file(&directory), &text).unwrap();
    refused(&directory, StoreErrorKind::Corrupt);
    assert_eq!(fs::read_to_string(file(&directory)).unwrap(), text);
}

#[test]
fn a_file_that_is_gone_is_not_made_anew_behind_the_back() {
    let (_kept, directory) = made();
    let store = open(&directory).unwrap();
    fs::remove_file(file(&directory)).unwrap();
    let error = store.reopen().unwrap_err();
    assert!(error.kind == StoreErrorKind::Io && error.message.contains("gone"), "{error}");
    assert!(put(&store, Table::Meta, b"2", b"").unwrap_err().message.contains("gone"));
}

#[test]
fn a_store_that_was_never_finished_is_made_anew() {
    let (_kept, directory) = made();
    fs::rename(file(&directory), directory.join("messages.redb.new")).unwrap();
    assert!(content(&open(&directory).unwrap()).unwrap().is_empty());
    assert!(!directory.join("messages.redb.new").exists());
}

#[test]
fn a_store_has_one_owner() {
    let (_kept, directory) = made();
    let store = open(&directory).unwrap();
    assert!(refused(&directory, StoreErrorKind::Locked).contains("one owner"));
    assert!(another_process(&directory, "open", "").contains("Locked"));
    store.reopen().expect("the owner may");
    assert!(another_process(&directory, "open", "").contains("Locked"));
    store.close();
    assert!(another_process(&directory, "open", "").contains("opened"), "who has closed it owns it no more");
    store.reopen().unwrap();
    drop(store);
    open(&directory).unwrap();
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    for mask in ["0", "022", "0777"] {
        let kept = tempfile::tempdir().unwrap();
        let directory = kept.path().join("store");
        assert!(another_process(&directory, "open", &format!("umask {mask};")).contains("opened"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&directory), 0o700);
        let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        files.iter().for_each(|file| assert_eq!(mode(file), 0o600, "{}", file.display()));
    }
}

const DIRECTORY: &str = "NEXOWIRE_STORE_TEST_DIRECTORY";

/// Runs [`a_directory_from_the_outside`] in a process of its own, after some commands of a shell.
fn another_process(directory: &Path, what: &str, before: &str) -> String {
    assert_eq!(what, "open");
    let test = "faults::a_directory_from_the_outside";
    let program = std::env::current_exe().unwrap();
    let Output { stdout, stderr, .. } = Command::new("sh")
        .arg("-c")
        .arg(format!("{before} exec \"$0\" --exact {test} --nocapture"))
        .arg(program)
        .env(DIRECTORY, directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(said.contains("outcome:"), "{said}");
    said
}

/// Opens what another process names; by itself, a directory that is not there yet.
#[test]
fn a_directory_from_the_outside() {
    let kept = tempfile::tempdir().unwrap();
    let directory = std::env::var_os(DIRECTORY).map_or(kept.path().join("store"), Into::into);
    match open(&directory) {
        Ok(store) => {
            content(&store).unwrap();
            println!("outcome: opened");
        }
        Err(error) => {
            assert_eq!(error.kind, StoreErrorKind::Locked, "{error}");
            println!("outcome: {:?}", error.kind);
        }
    }
}

/// Which process this pretends to be. Only one test asks.
static PROCESS: AtomicU64 = AtomicU64::new(1);

#[test]
fn a_fork_touches_nothing() {
    let (_kept, directory) = made();
    let store = open(&directory).unwrap().in_process(|| PROCESS.load(Ordering::Relaxed));
    put(&store, Table::Meta, b"2", b"").unwrap();
    let before = fs::read(file(&directory)).unwrap();
    PROCESS.store(2, Ordering::Relaxed);
    assert_eq!(put(&store, Table::Meta, b"3", b"").unwrap_err().kind, StoreErrorKind::Forked);
    assert_eq!(content(&store).unwrap_err().kind, StoreErrorKind::Forked);
    assert_eq!(store.reopen().unwrap_err().kind, StoreErrorKind::Forked);
    store.close();
    PROCESS.store(1, Ordering::Relaxed);
    assert_eq!(content(&store).expect("the parent's is open as before").len(), 2);
    PROCESS.store(2, Ordering::Relaxed);
    drop(store);
    assert_eq!(fs::read(file(&directory)).unwrap(), before, "what a child drops writes nothing");
    refused(&directory, StoreErrorKind::Locked);
}

#[test]
fn free_space_is_the_disks() {
    let (_kept, directory) = made();
    let store = open(&directory).unwrap();
    let free = store.free_bytes();
    assert_eq!(free.is_some(), cfg!(unix));
    assert!(free.is_none_or(|bytes| bytes > 1_000 && bytes < 1 << 60), "{free:?}");
}
