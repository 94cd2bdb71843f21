//! `[limits]`, `[delivery]`, `[dedupe]` and `[store]`.

use std::time::Duration;

use super::super::configuration::Delivery;
use super::super::duration;
use super::super::locate::{Fault, Path};
use super::super::raw::{RawDedupe, RawDelivery, RawLimits, RawStore, Table};
use super::super::settings::{DedupeSettings, StoreSettings, StoreSource};
use crate::limits::{DEDUPE_KEYS_MAX, Limits};

pub(super) fn limits(raw: &RawLimits) -> Result<Limits, Fault> {
    let mut limits = Limits::MAX;
    macro_rules! lower {
        ($($least:literal: $($name:ident)+;)+) => {
            $($(
                if let Some(value) = raw.$name {
                    limits.$name = bounded("limits", stringify!($name), value, $least, Limits::MAX.$name)
                        .map_err(|message| Fault::value(Path::root("limits").member(stringify!($name)), message))?;
                }
            )+)+
        };
    }
    lower! {
        1: body depth members queues lanes capacity batch items pending pending_bytes endpoints;
        0: routes expectations board quarantine_bytes;
    }
    Ok(limits)
}

/// `value`, if it is neither below `least` nor above `most`.
pub(super) fn bounded(section: &str, name: &str, value: u64, least: u32, most: u32) -> Result<u32, String> {
    match u32::try_from(value) {
        Ok(value) if value < least => Err(format!("`{section}.{name}` is {value} and must be at least {least}")),
        Ok(value) if value <= most => Ok(value),
        _ => Err(format!("`{section}.{name}` is {value} and must be at most {most}")),
    }
}

/// The duration of `section.name`, or `default` if it is left out.
fn duration_of(
    section: &'static str,
    name: &'static str,
    text: Option<&str>,
    default: Duration,
) -> Result<Duration, Fault> {
    let Some(text) = text else { return Ok(default) };
    let path = || Path::root(section).member(name);
    duration::parse(text).map_err(|why| Fault::value(path(), format!("`{section}.{name}`: `{text}` {why}")))
}

/// The number of `section.name`, at least one, or `default` if it is left out.
fn number_of(
    section: &'static str,
    name: &'static str,
    value: Option<u64>,
    default: u32,
    most: u32,
) -> Result<u32, Fault> {
    let Some(value) = value else { return Ok(default) };
    bounded(section, name, value, 1, most).map_err(|message| Fault::value(Path::root(section).member(name), message))
}

pub(super) fn delivery(raw: &RawDelivery) -> Result<Delivery, Fault> {
    // What is configured and has no effect yet must not look as if it had: nobody waits for responses so far.
    if raw.response_deadline.is_some() {
        let path = Path::root("delivery").member("response_deadline");
        return Err(Fault::name(path, "`delivery.response_deadline` is not built in"));
    }
    let duration = |name, text: &Option<String>, default| duration_of("delivery", name, text.as_deref(), default);
    Ok(Delivery {
        answer_within: duration("answer_within", &raw.answer_within, Duration::from_secs(8))?,
        ack_wait: duration("ack_wait", &raw.ack_wait, Duration::from_secs(60))?,
        max_attempts: number_of("delivery", "max_attempts", raw.max_attempts, 20, u32::MAX)?,
        retry: duration("retry", &raw.retry, Duration::from_secs(1))?,
        retry_max: duration("retry_max", &raw.retry_max, Duration::from_secs(300))?,
    })
}

pub(super) fn dedupe(raw: &RawDedupe) -> Result<DedupeSettings, Fault> {
    let default = DedupeSettings::default();
    Ok(DedupeSettings {
        terminal: duration_of("dedupe", "terminal", raw.terminal.as_deref(), default.terminal)?,
        webhook: duration_of("dedupe", "webhook", raw.webhook.as_deref(), default.webhook)?,
        keys_max: number_of("dedupe", "keys_max", raw.keys_max, default.keys_max, DEDUPE_KEYS_MAX)?,
    })
}

/// What the section says, or the defaults if the host has a store; `None`: there is no store.
pub(super) fn store(raw: Option<&Table<RawStore>>, source: StoreSource) -> Result<Option<StoreSettings>, Fault> {
    let default = StoreSettings::default();
    let Some(Table(raw)) = raw else {
        return Ok((source == StoreSource::Host).then_some(default));
    };
    let section = Path::root("store");
    if !cfg!(feature = "store") {
        let embedded = [("path", raw.path.is_some()), ("cache_bytes", raw.cache_bytes.is_some())];
        let given = embedded.into_iter().find_map(|(name, given)| given.then_some(name));
        let message = |what: &str| format!("`{what}` is not built in: the embedded store is the feature `store`");
        match (source, given) {
            (StoreSource::Configuration, _) => return Err(Fault::name(section, message("store"))),
            (StoreSource::Host, Some(name)) => {
                return Err(Fault::name(section.member(name), message(&format!("store.{name}"))));
            }
            (StoreSource::Host, None) => {}
        }
    }
    if raw.path.as_deref() == Some("") {
        return Err(Fault::value(section.member("path"), "`store.path` is empty"));
    }
    if raw.max_bytes == Some(0) {
        return Err(Fault::value(section.member("max_bytes"), "`store.max_bytes` is 0 and must be at least 1"));
    }
    let duration = |name, text: &Option<String>, default| duration_of("store", name, text.as_deref(), default);
    Ok(Some(StoreSettings {
        retention: duration("retention", &raw.retention, default.retention)?,
        dead_letter_retention: duration(
            "dead_letter_retention",
            &raw.dead_letter_retention,
            default.dead_letter_retention,
        )?,
        path: raw.path.clone().unwrap_or(default.path),
        max_bytes: raw.max_bytes.unwrap_or(default.max_bytes),
        cache_bytes: raw.cache_bytes.unwrap_or(default.cache_bytes),
    }))
}
