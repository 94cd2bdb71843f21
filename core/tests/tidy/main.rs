//! The rules of the house that a program can check, each a test: what fails here says what to do.
//!
//! Every check is a function from one file to its complaints, and is held against a planted fault as well: a check that
//! can find nothing proves nothing. `rooms.rs` holds which module of the core may know which.

mod rooms;
mod shapes;
mod sources;

use sources::{Source, code, has_word, root, rust, texts};

/// Where `unsafe` may stand: the kernels, the tests whose allocators count, and the comparison's calls of its rivals in C
/// and C++, which are in no product.
const UNSAFE_PLACES: [&str; 4] =
    ["core/src/simd/", "core/tests/allocations.rs", "core/tests/dedupe/memory.rs", "benches/compare/src/foreign.rs"];

/// How far above `unsafe` its reason may begin: some lines of comment, and the beginning of the statement.
const SAFETY_LINES_MAX: usize = 8;

/// The ways to read a clock, all of which belong into `os.rs`.
const CLOCKS: [&str; 3] = ["Instant::now", "SystemTime::now", "clock_gettime"];

/// What the core does in the files named or in none, so that a port, a simulation and a reader know where to look. Tests of a
/// file may do it.
const RESERVED: [(&str, &[&str]); 9] = [
    ("std::fs", &["core/src/os.rs", "core/src/route/resolver.rs"]),
    ("std::env", &["core/src/route/resolver.rs"]),
    ("rustix", &["core/src/os.rs"]),
    ("UnixStream", &["core/src/os.rs"]),
    ("std::net", &[]),
    ("std::process", &["core/src/os.rs"]),
    ("thread::spawn", &[]),
    ("println!", &[]),
    ("eprintln!", &[]),
];

/// The documents of the repository, and what each says at least.
const PROSE: [(&str, &str); 7] = [
    ("README.md", "nexowire"),
    ("ARCHITECTURE.md", "Invariant:"),
    ("CHANGELOG.md", "## [Unreleased]"),
    ("SECURITY.md", "advisory"),
    ("LICENSE", "MIT OR Apache-2.0"),
    ("LICENSE-MIT", "Permission is hereby granted, free of charge"),
    ("LICENSE-APACHE", "Apache License"),
];

/// Fails with every complaint of `check` about any of `sources`.
fn expect_none(sources: &[Source], check: impl Fn(&Source) -> Vec<String>) {
    assert!(!sources.is_empty(), "no file was found, so that nothing was checked");
    let complaints: Vec<String> = sources.iter().flat_map(check).collect();
    assert!(complaints.is_empty(), "{} to mend:\n{}", complaints.len(), complaints.join("\n"));
}

fn core_sources() -> Vec<Source> {
    rust().into_iter().filter(|source| source.path.starts_with("core/src/")).collect()
}

/// What must not be left behind in any text, pieced together so that this file does not find itself.
fn marks() -> [String; 7] {
    ["TO|DO", "FIX|ME", "XX|X", "to|do!", "unimple|mented!", "db|g!", "#[ig|nore"].map(|mark| mark.replace('|', ""))
}

fn leftovers(source: &Source) -> Vec<String> {
    let marks = marks();
    let mut complaints = vec![];
    for (number, line) in source.lines() {
        for mark in marks.iter().filter(|mark| has_word(line, mark)) {
            complaints.push(source.complain(number, &format!("finish it, or say it in the issue: `{mark}`")));
        }
    }
    complaints
}

#[test]
fn nothing_is_left_behind() {
    for mark in marks() {
        assert_eq!(leftovers(&Source::new("a.rs", &format!("fn a() {{}}\n    {mark}\n"))).len(), 1, "{mark}");
    }
    let escape = format!("the escape \\u{0}{0}", "XX");
    assert_eq!(leftovers(&Source::new("a.rs", &escape)).len(), 0, "a word is not found inside of another");
    expect_none(&texts(), leftovers);
}

fn sleeps(source: &Source) -> Vec<String> {
    let sleep = concat!("thread::", "sleep");
    source
        .test_lines()
        .filter(|(_, line)| has_word(line, sleep))
        .map(|(number, _)| {
            source
                .complain(number, "wait for what is awaited; a sleep is too short one day, and too long on all others")
        })
        .collect()
}

#[test]
fn no_test_sleeps() {
    let line = format!("std::{}{}(a_while);\n", "thread::", "sleep");
    assert_eq!(sleeps(&Source::new("core/tests/a.rs", &line)).len(), 1);
    assert_eq!(sleeps(&Source::new("core/src/a.rs", &format!("{line}mod tests {{\n{line}}}\n"))).len(), 1);
    expect_none(&rust(), sleeps);
}

fn unsafe_faults(source: &Source) -> Vec<String> {
    let word = concat!("un", "safe");
    let allowed = UNSAFE_PLACES.iter().any(|place| source.path.starts_with(place));
    let lines: Vec<&str> = source.text.lines().collect();
    let mut complaints = vec![];
    for (number, line) in source.lines().filter(|(_, line)| has_word(code(line), word)) {
        // A function that is unsafe to call says why in a section of its documents, which clippy asks for.
        let is_function = code(line).contains(&format!("{word} fn"));
        let above = lines[..number - 1].iter().rev().take(SAFETY_LINES_MAX);
        let mut above = above.take_while(|line| !has_word(code(line), word));
        if !allowed {
            complaints.push(source.complain(number, "find a safe way, or move it to `core/src/simd`"));
        } else if !is_function && !above.any(|line| line.contains("// SAFETY: ")) {
            complaints.push(source.complain(number, "say above it, behind `// SAFETY: `, which fact makes it sound"));
        }
    }
    complaints
}

#[test]
fn what_is_not_safe_is_in_its_place_and_explained() {
    let block = concat!("    un", "safe { go() }\n");
    let explained = format!("    // SAFETY: it was asked.\n{block}");
    let count = |path: &str, text: &str| unsafe_faults(&Source::new(path, text)).len();
    assert_eq!(count("core/src/simd/x86.rs", &explained), 0);
    assert_eq!(count("core/src/simd/x86.rs", &format!("{explained}{block}")), 1, "one reason is for one block");
    assert_eq!(count("core/src/json/cursor.rs", &explained), 1);
    assert_eq!(count("core/src/json/cursor.rs", concat!("// un", "safe\n#![deny(un", "safe_code)]\n")), 0);
    expect_none(&rust(), unsafe_faults);
}

fn clock_readings(source: &Source) -> Vec<String> {
    let reads = |line: &str| CLOCKS.iter().any(|clock| has_word(code(line), clock));
    let elsewhere = source.lines().filter(|(_, line)| source.path != "core/src/os.rs" && reads(line));
    elsewhere
        .map(|(number, _)| source.complain(number, "take the time as an argument; only `os.rs` reads clocks"))
        .collect()
}

#[test]
fn only_one_file_reads_clocks() {
    let text = "fn now() -> Instant {\n    std::time::Instant::now()\n}\n";
    assert_eq!(clock_readings(&Source::new("core/src/queue/lane.rs", text)).len(), 1);
    assert_eq!(clock_readings(&Source::new("core/src/os.rs", text)).len(), 0);
    expect_none(&core_sources(), clock_readings);
}

fn out_of_place(source: &Source) -> Vec<String> {
    let mut complaints = vec![];
    for (number, line) in source.product_lines() {
        for (what, places) in RESERVED.iter().filter(|(what, _)| has_word(code(line), what)) {
            if !places.contains(&&*source.path) {
                let places = places.join(" or ");
                let places = if places.is_empty() { "no file of the core: it is the host's" } else { &places };
                complaints.push(source.complain(number, &format!("`{what}` belongs into {places}")));
            }
        }
    }
    complaints
}

#[test]
fn the_core_leaves_to_the_host_what_is_the_hosts() {
    let count = |path: &str, text: &str| out_of_place(&Source::new(path, text)).len();
    assert_eq!(count("core/src/route/resolver.rs", "std::fs::read(path);\nstd::net::connect();\n"), 1);
    assert_eq!(count("core/src/route/read.rs", "std::fs::read(path);\nmod tests {\nstd::fs::read(path);\n"), 1);
    expect_none(&core_sources(), out_of_place);
}

#[test]
fn the_documents_are_there() {
    for (name, says) in PROSE {
        let text = std::fs::read_to_string(root().join(name)).unwrap_or_default();
        assert!(text.contains(says), "write {name} at the root of the repository; it says at least `{says}`");
    }
}

/// What stands between two backquotes in one line of `text`.
fn quoted(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_map_has_every_room_of_the_core() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let quoted = quoted(&map);
    for room in rooms::names() {
        let there = [room.to_owned(), format!("{room}/"), format!("{room}.rs")];
        assert!(
            quoted.iter().any(|quoted| there.iter().any(|room| room == quoted)),
            "give `{room}` its sentences in ARCHITECTURE.md, written `{room}`, `{room}/` or `{room}.rs`"
        );
    }
}

#[test]
fn the_map_names_only_what_is_there() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let is_path =
        |quoted: &&str| !quoted.contains([' ', '*', '<']) && quoted.contains(['/', '.']) && !quoted.contains("::");
    for path in quoted(&map).into_iter().filter(is_path) {
        let there = ["", "core", "core/src"].iter().any(|folder| root().join(folder).join(path).exists());
        assert!(there, "ARCHITECTURE.md names `{path}`, which is neither under the root nor under core or core/src");
    }
}
