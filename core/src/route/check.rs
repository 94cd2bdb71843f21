//! From the members as they are written to a checked configuration.

mod endpoints;
mod queues;
mod sections;
mod summary;

use std::collections::HashMap;

use super::configuration::{Clock, Configuration};
use super::error::{ConfigError, Warning};
use super::locate::{Fault, Path, Places};
use super::raw::RawConfiguration;
use super::read::Format;
use super::resolver::Resolver;
use super::rules;
use super::settings::StoreSource;
use super::suggest::{did_you_mean, expected_one_of};
use crate::limits::WARNINGS_MAX;

/// Checks the members of `text` and looks up the places of what is wrong or odd.
pub(super) fn configuration(
    raw: RawConfiguration,
    text: &str,
    format: Format,
    resolver: &dyn Resolver,
    store: StoreSource,
) -> Result<Configuration, ConfigError> {
    let places = || match format {
        Format::Toml => Places::of_toml(text),
        Format::Json => Places::of_json(text),
    };
    let mut oddities = Vec::new();
    let mut configuration = whole(raw, resolver, store, &mut oddities).map_err(|fault| {
        let (line, column) = places().find(&fault.path, fault.part);
        ConfigError { line, column, message: fault.message }
    })?;
    if !oddities.is_empty() {
        let places = places();
        configuration.warnings = oddities
            .into_iter()
            .take(WARNINGS_MAX)
            .map(|fault| {
                let (line, column) = places.find(&fault.path, fault.part);
                Warning { line, column, message: fault.message }
            })
            .collect();
    }
    Ok(configuration)
}

fn whole(
    raw: RawConfiguration,
    resolver: &dyn Resolver,
    store: StoreSource,
    odd: &mut Vec<Fault>,
) -> Result<Configuration, Fault> {
    let clock = match raw.clock.as_deref() {
        None | Some("system") => Clock::System,
        Some("manual") => Clock::Manual,
        Some(word) => return Err(unknown_word(Path::root("clock"), "clock", word, ["system", "manual"])),
    };
    let limits = sections::limits(&raw.limits.0)?;
    let delivery = sections::delivery(&raw.delivery.0)?;
    let dedupe = sections::dedupe(&raw.dedupe.0)?;
    let store = sections::store(raw.store.as_ref(), store)?;
    let mut queues = queues::queues(&raw.queue, &limits, store.is_some())?;
    let queue_indexes: HashMap<&str, u16> =
        queues.iter().enumerate().map(|(index, queue)| (queue.name.as_str(), index as u16)).collect();
    let default_queue = queues::default_queue(&raw, &queue_indexes)?;
    let dead_letters = queues::dead_letters(&raw.queue, &queues, &queue_indexes)?;
    let endpoints = endpoints::endpoints(&raw.endpoint, &limits)?;
    let rules = rules::check(&raw.rule, &queue_indexes, &endpoints, &limits, resolver, odd)?;
    for (queue, dead_letter) in queues.iter_mut().zip(dead_letters) {
        queue.dead_letter = dead_letter;
    }
    let summary = summary::summary(raw.summary, odd)?;
    Ok(Configuration {
        default_queue,
        shapes: raw.shapes.unwrap_or(true),
        clock,
        limits,
        delivery,
        dedupe,
        store,
        queues,
        rules,
        endpoints,
        summary,
        warnings: Vec::new(),
    })
}

/// A word that a closed list does not have.
pub(super) fn unknown_word<'a>(
    path: Path,
    member: &str,
    word: &str,
    expected: impl IntoIterator<Item = &'a str> + Clone,
) -> Fault {
    Fault::value(path, format!("`{member}` knows no `{word}`{}", expected_one_of(word, expected)))
}

/// A name that must be declared and is not.
pub(super) fn undeclared_queue(path: Path, name: &str, queues: &HashMap<&str, u16>) -> Fault {
    let hint = did_you_mean(name, queues.keys().copied());
    Fault::value(path, format!("the queue `{name}` is not declared{hint}"))
}
