//! nexowire against the JSON parsers that one would use instead: the same fields of the same messages, in one process
//! on one core, all contenders in turn, medians of many rounds.
//!
//! `cargo run --release -p nexowire-compare` makes its messages itself; `-- --corpus DIR` takes those of every `*.bin`
//! in a folder, each message behind its length (`u32`, little-endian). `-- --svg FILE` draws a chart as well. The last
//! line of the output is JSON: of every corpus our nanoseconds a message, and how many times as long the others take.

mod chart;
mod contenders;
#[allow(unsafe_code)]
mod foreign;
mod machine;
mod measure;
mod ours;
mod report;
mod tree;
mod typed;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use nexowire_bench::{Corpus, NAMES};

/// What all measuring may take; the rounds of a row end early if it would take longer.
const BUDGET: Duration = Duration::from_secs(36);

const USAGE: &str = "usage: nexowire-compare [--corpus DIR] [--svg FILE]";

#[derive(Default)]
struct Arguments {
    corpus: Option<PathBuf>,
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("nexowire-compare: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; answers whether all contenders extracted the same.
fn run() -> Result<bool, Box<dyn Error>> {
    let arguments = arguments(env::args().skip(1))?;
    let corpora = match &arguments.corpus {
        Some(folder) => files(folder)?,
        None => NAMES.map(Corpus::made).into(),
    };
    let core = machine::pin();
    let mut contenders = contenders::all();
    println!("{}", report::preamble(core));
    let begin = Instant::now();
    let mut rows = vec![];
    for (done, corpus) in corpora.iter().enumerate() {
        let left = BUDGET.saturating_sub(begin.elapsed()) / (corpora.len() - done) as u32;
        rows.push(measure::row(corpus, &mut contenders, left));
    }
    println!("{}", report::table(&rows, &contenders));
    if let Some(path) = &arguments.svg {
        fs::write(path, chart::draw(&rows, &contenders)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    println!("{}", report::json(&rows, &contenders));
    Ok(rows.iter().all(|row| row.ns.iter().all(Option::is_some)))
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    while let Some(name) = given.next() {
        let place = match &*name {
            "--corpus" => &mut arguments.corpus,
            "--svg" => &mut arguments.svg,
            _ => return Err(format!("`{name}` is unknown\n{USAGE}")),
        };
        *place = Some(given.next().ok_or_else(|| format!("`{name}` lacks its value\n{USAGE}"))?.into());
    }
    Ok(arguments)
}

/// The corpora of a folder, by name.
fn files(folder: &Path) -> Result<Vec<Corpus>, Box<dyn Error>> {
    let at = |path: &Path, error: &dyn Error| format!("{}: {error}", path.display());
    let entries = fs::read_dir(folder).map_err(|error| at(folder, &error))?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "bin"));
    paths.sort();
    let mut corpora = vec![];
    for path in paths {
        let bytes = fs::read(&path).map_err(|error| at(&path, &error))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        corpora.push(Corpus::read(&name, &bytes).map_err(|error| at(&path, &error))?);
    }
    if corpora.is_empty() { Err(format!("{}: no *.bin in it", folder.display()).into()) } else { Ok(corpora) }
}
