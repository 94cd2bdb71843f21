//! `nexowire drive`: the engine from a script, one JSON operation a line. The contract is `drive.md` of the reference.

mod answer;
mod consumers;
mod members;
mod session;
mod upkeep;

pub(crate) use answer::{MessageLine, dead_letter, quarantined};
pub(crate) use session::open_engine;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use crate::arguments::DriveArguments;
use crate::configuration::load;

use self::answer::Failure;
use self::members::Members;
use self::session::Session;

/// A line of more bytes than this is no operation of ours: a body in Base64 and its neighbours fit in easily.
const LINE_LENGTH_MAX: u64 = 256 << 20;

pub(crate) fn run(arguments: &DriveArguments) -> io::Result<ExitCode> {
    let refuse = |message: String| {
        writeln!(io::stderr(), "nexowire: {message}")?;
        Ok(ExitCode::from(2))
    };
    let store = arguments.store.as_deref();
    let configuration = match load(arguments.config.as_deref(), store.is_some()) {
        Ok(configuration) => configuration,
        Err(error) => return refuse(error),
    };
    let mut session = match Session::open(configuration, store) {
        Ok(session) => session,
        Err(error) => return refuse(error.to_string()),
    };
    let (mut input, mut output, mut line) = (io::stdin().lock(), io::stdout().lock(), vec![]);
    while io::Read::take(&mut input, LINE_LENGTH_MAX).read_until(b'\n', &mut line)? > 0 {
        let text = line.trim_ascii();
        if !text.is_empty() {
            let answer = perform(&mut session, text);
            serde_json::to_writer(&mut output, &answer)?;
            output.write_all(b"\n")?;
            output.flush()?;
        }
        line.clear();
    }
    session.close();
    Ok(ExitCode::SUCCESS)
}

/// Carries out one line; whatever it holds, there is one answer.
fn perform(session: &mut Session, line: &[u8]) -> serde_json::Value {
    let operation = match serde_json::from_slice::<serde_json::Value>(line) {
        Ok(operation) => operation,
        Err(error) => return Failure::bad_json(&error).into(),
    };
    let answer = Members::of(&operation).and_then(|members| session.perform(&members));
    answer.unwrap_or_else(serde_json::Value::from)
}
