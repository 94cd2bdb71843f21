//! How long files and functions may be.

use crate::expect_none;
use crate::sources::{Source, rust};

/// The ceiling of a file; what one aims at is 250.
const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

fn long_file(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let complaint =
        format!("{lines} lines, of at most {FILE_LINES_MAX}: give a part that has a name a file of its own");
    if lines > FILE_LINES_MAX { vec![source.complain(1, &complaint)] } else { vec![] }
}

/// Whether a line begins a function, as rustfmt writes it.
fn begins_function(line: &str) -> bool {
    let words = |word: &&str| ["pub", "const", "async", concat!("un", "safe"), "extern", "\"C\""].contains(word);
    let in_crate = |word: &&str| word.starts_with("pub(") || word.ends_with(')');
    line.split_whitespace().find(|word| !words(word) && !in_crate(word)) == Some("fn")
}

/// The functions of a file, each as its first line and its number of lines.
///
/// It leans on rustfmt: a function ends at the first brace, or the first semicolon of a declaration, that stands as deep
/// as its beginning.
fn functions(source: &Source) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = source.text.lines().collect();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut found = vec![];
    for (number, line) in source.lines().filter(|(_, line)| begins_function(line)) {
        let ends = |other: &&str| {
            let here = depth(other) == depth(line) && !other.is_empty();
            here && (other.trim_start().starts_with('}') || other.ends_with(';'))
        };
        let whole = line.ends_with(';') || line.ends_with('}');
        let more = if whole { 0 } else { lines[number..].iter().take_while(|other| !ends(other)).count() + 1 };
        found.push((number, 1 + more));
    }
    found
}

fn long_functions(source: &Source) -> Vec<String> {
    let long = functions(source).into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
    long.map(|(number, lines)| {
        let what = format!("a function of {lines} lines, of at most {FUNCTION_LINES_MAX}: name its steps");
        source.complain(number, &what)
    })
    .collect()
}

#[test]
fn files_are_short() {
    assert_eq!(long_file(&Source::new("a.rs", &"\n".repeat(FILE_LINES_MAX))).len(), 0);
    assert_eq!(long_file(&Source::new("a.rs", &"\n".repeat(FILE_LINES_MAX + 1))).len(), 1);
    expect_none(&rust(), long_file);
}

#[test]
fn functions_are_short() {
    let function =
        |lines: usize| format!("    pub(crate) const fn a() {{\n{}    }}\n", "        b();\n".repeat(lines - 2));
    assert_eq!(long_functions(&Source::new("a.rs", &function(FUNCTION_LINES_MAX))).len(), 0);
    assert_eq!(long_functions(&Source::new("a.rs", &function(FUNCTION_LINES_MAX + 1))).len(), 1);
    expect_none(&rust(), long_functions);
}

#[test]
fn functions_are_measured_as_they_are_written() {
    let text = "fn a() {}\nfn b(\n    c: u8,\n) -> u8\nwhere\n    u8: Copy,\n{\n    c\n}\ntrait T {\n    fn d(\n        e: u8,\n    ) -> u8;\n}\n";
    assert_eq!(functions(&Source::new("a.rs", text)), [(1, 1), (2, 8), (11, 3)]);
    assert_eq!(functions(&Source::new("a.rs", "// fn a() {\nlet a: fn() = b;\n")), []);
    assert!(rust().iter().map(|source| functions(source).len()).sum::<usize>() > 500, "few functions were found");
}
