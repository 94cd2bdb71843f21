//! `nexowire config check`: the dry run.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use nexowire_core::delivery::MemoryStore;
use nexowire_core::engine::{Engine, Explained, Inbound};
use nexowire_core::route::Configuration;

use crate::arguments::CheckArguments;
use crate::configuration::load;
use crate::input::{for_each_body, places};
use crate::refuse;

pub(crate) fn run(arguments: &CheckArguments) -> io::Result<ExitCode> {
    let configuration = match load(Some(&arguments.config), false) {
        Ok(configuration) => configuration,
        Err(error) => return refuse(&error),
    };
    let mut out = io::stdout().lock();
    describe(&mut out, &configuration)?;
    // Nothing is stored, so that the store that is configured, and perhaps in use, is not asked for.
    let engine = Engine::open_with(configuration, Arc::new(MemoryStore::default())).map_err(io::Error::other)?;
    for place in places(&arguments.paths) {
        for_each_body(&place, |body| {
            let inbound = Inbound { endpoint: arguments.endpoint.as_deref(), ..Inbound::new(&body.bytes) };
            let explained = engine.explain(&inbound).map_err(|error| io::Error::new(io::ErrorKind::NotFound, error))?;
            explain(&mut out, &body.name, &explained)
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(out: &mut impl Write, configuration: &Configuration) -> io::Result<()> {
    let count = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let [queues, rules, endpoints] = [
        count(configuration.queues().len(), "queue"),
        count(configuration.rules().len(), "rule"),
        count(configuration.endpoints().len(), "endpoint"),
    ];
    writeln!(out, "the configuration loads: {queues}, {rules}, {endpoints}")
}

fn explain(out: &mut impl Write, name: &str, explained: &Explained) -> io::Result<()> {
    let reason = explained.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    writeln!(out, "\n{name}: {}{reason}", explained.verdict)?;
    for message in &explained.messages {
        let flags = if message.flags.is_empty() { String::new() } else { format!(", {}", message.flags.join(", ")) };
        writeln!(out, "  {}{flags}", message.kind.word())?;
        for (rule, matcher) in &message.missed {
            writeln!(out, "    {rule}: {matcher} does not fit")?;
        }
        for rule in &message.rules {
            writeln!(out, "    {rule}: fits")?;
        }
        if message.rules.is_empty() {
            writeln!(out, "    no rule fits")?;
        }
        writeln!(out, "    to {}", message.queues.join(", "))?;
    }
    Ok(())
}
