//! The fuzz target `tiers` without a fuzzer: over the test messages, and over what `fuzz/corpus/tiers` and
//! `fuzz/artifacts/tiers` have been left with.

#[path = "support/mod.rs"]
mod support;
#[path = "support/tiers.rs"]
mod tiers;

use std::fs;
use std::path::Path;

/// Neighbours train each other: they are variants of one message.
#[test]
fn the_tiers_agree_on_test_messages_that_train_each_other() {
    let messages = support::messages();
    for neighbours in messages.windows(4) {
        let bodies: Vec<&[u8]> = neighbours.iter().map(|(_, body)| &body[..]).collect();
        tiers::check(&bodies.join(&0));
    }
}

#[test]
fn the_tiers_agree_on_what_a_fuzzer_has_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let folders = ["corpus/tiers", "artifacts/tiers"].map(|folder| root.join(folder));
    // Who has not run the fuzzer has none of them.
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder).unwrap() {
            tiers::check(&fs::read(entry.unwrap().path()).unwrap());
        }
    }
    tiers::check(b"{}\0{\"SaleToPOIRequest\":{}}\0");
}
