//! The `nexowire` binary: what arrived, where it goes, and the engine from a script.

mod arguments;
mod check;
mod configuration;
mod drive;
mod input;
mod inspect;
mod kept;
mod pretty;
mod replay;
mod route;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::arguments::{Arguments, Command, ConfigCommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Route(arguments) => route::run(&arguments),
        Command::Config(ConfigCommand::Check(arguments)) => check::run(&arguments),
        Command::Drive(arguments) => drive::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Quarantine(arguments) => kept::quarantine(&arguments),
        Command::DeadLetters(arguments) => kept::dead_letters(&arguments),
        Command::Completions { shell } => completions(shell),
    };
    match outcome {
        Ok(code) => code,
        // Whoever reads our output has had enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _nobody_to_tell = writeln!(io::stderr(), "nexowire: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The user's mistake: says it, with exit code 2.
fn refuse(message: &str) -> io::Result<ExitCode> {
    writeln!(io::stderr(), "nexowire: {message}")?;
    Ok(ExitCode::from(2))
}

fn completions(shell: clap_complete::Shell) -> io::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "nexowire", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
