//! `nexowire quarantine` and `nexowire dead-letters`: what a store keeps for people.

use std::io::{self, Write};
use std::process::ExitCode;

use nexowire_core::delivery::{DeadLetter, QuarantineEntry, StoreError};
use nexowire_core::engine::Engine;
use nexowire_core::timestamp::rfc_3339;
use serde_json::Value;

use crate::arguments::KeptArguments;
use crate::drive::{dead_letter, quarantined};
use crate::pretty::plain;
use crate::refuse;
use crate::replay::open;

/// Letters of a body that are shown: enough to know it again.
const BODY_LENGTH_MAX: usize = 80;

pub(crate) fn quarantine(arguments: &KeptArguments) -> io::Result<ExitCode> {
    let line = |entry: &QuarantineEntry| {
        (entry.seq, entry.received_at, entry.endpoint.clone(), entry.reason.word().to_owned(), entry.body.to_vec())
    };
    print(arguments, |engine, max| engine.quarantine(max), quarantined, line)
}

pub(crate) fn dead_letters(arguments: &KeptArguments) -> io::Result<ExitCode> {
    let line = |letter: &DeadLetter| {
        let what = format!("{} after {} attempts", letter.reason, letter.attempts);
        (letter.seq, letter.received_at, letter.queue.clone(), what, letter.body.to_vec())
    };
    print(arguments, |engine, max| engine.dead_letters(max), dead_letter, line)
}

/// Number, time of arrival, endpoint or queue, reason, and the body.
type Line = (u64, u64, String, String, Vec<u8>);

fn print<T>(
    arguments: &KeptArguments,
    read: impl Fn(&Engine, usize) -> Result<Vec<T>, StoreError>,
    json: impl Fn(&T) -> Value,
    line: impl Fn(&T) -> Line,
) -> io::Result<ExitCode> {
    let engine = match open(&arguments.store) {
        Ok(engine) => engine,
        Err(error) => return refuse(&error),
    };
    let entries = read(&engine, arguments.max);
    engine.close();
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => return refuse(&error.to_string()),
    };
    let mut out = io::stdout().lock();
    for entry in &entries {
        if arguments.json {
            serde_json::to_writer(&mut out, &json(entry))?;
            writeln!(out)?;
        } else {
            let (seq, received_at, place, reason, body) = line(entry);
            let body: String = plain(&String::from_utf8_lossy(&body)).chars().take(BODY_LENGTH_MAX).collect();
            writeln!(out, "{seq:>8}  {}  {}  {}  {body}", rfc_3339(received_at), plain(&place), plain(&reason))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
