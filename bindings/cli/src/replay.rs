//! `nexowire replay`: messages of a store again.

use std::io::{self, Write};
use std::process::ExitCode;

use nexowire_core::engine::{Engine, Replay, ReplaySource};

use crate::arguments::{ReplayArguments, Source, StoreArguments};
use crate::configuration::load;
use crate::drive::open_engine;
use crate::refuse;

pub(crate) fn run(arguments: &ReplayArguments) -> io::Result<ExitCode> {
    let engine = match open(&arguments.store) {
        Ok(engine) => engine,
        Err(error) => return refuse(&error),
    };
    let replay = Replay {
        source: match arguments.source {
            Source::Log => ReplaySource::Log,
            Source::Quarantine => ReplaySource::Quarantine,
            Source::DeadLetters => ReplaySource::DeadLetters,
        },
        queue: arguments.queue.as_deref(),
        from_seq: arguments.from_seq,
        to_seq: arguments.to_seq,
        from: arguments.from.unwrap_or(0),
        to: arguments.to.unwrap_or(u64::MAX),
        reroute: arguments.reroute,
    };
    let replayed = engine.replay(&replay);
    engine.close();
    match replayed {
        Ok(count) => {
            writeln!(io::stdout(), "replayed {count}")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => refuse(&error.to_string()),
    }
}

/// An engine on the store of these arguments.
pub(crate) fn open(arguments: &StoreArguments) -> Result<Engine, String> {
    let store = arguments.store.as_deref();
    let configuration = load(arguments.config.as_deref(), store.is_some())?;
    let engine = open_engine(configuration, store).map_err(|error| error.to_string())?;
    if engine.is_durable() { Ok(engine) } else { Err("the configuration has no store".to_owned()) }
}
