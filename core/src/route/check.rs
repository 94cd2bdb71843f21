//! From the members as they are written to a checked configuration.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::configuration::{Clock, Configuration, Endpoint, Queue, WhenFull};
use super::duration;
use super::error::{ConfigError, Warning};
use super::locate::{Fault, Part, Path, Places};
use super::pattern::Patterns;
use super::raw::{Pairs, RawConfiguration, RawDedupe, RawDelivery, RawEndpoint, RawLimits, RawQueue, Table};
use super::read::Format;
use super::resolver::Resolver;
use super::rules;
use super::suggest::{did_you_mean, expected_one_of};
use crate::limits::{Limits, WARNINGS_MAX};
use crate::nexo::{DisplayEvent, ErrorCondition, EventToNotify, ResultWord, Vocabulary};

/// Checks the members of `text` and looks up the places of what is wrong or odd.
pub(super) fn configuration(
    raw: RawConfiguration,
    text: &str,
    format: Format,
    resolver: &dyn Resolver,
) -> Result<Configuration, ConfigError> {
    let places = || match format {
        Format::Toml => Places::of_toml(text),
        Format::Json => Places::of_json(text),
    };
    let mut oddities = Vec::new();
    let mut configuration = whole(raw, resolver, &mut oddities).map_err(|fault| {
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

fn whole(raw: RawConfiguration, resolver: &dyn Resolver, odd: &mut Vec<Fault>) -> Result<Configuration, Fault> {
    if raw.store.is_some() {
        return Err(Fault::name(Path::root("store"), "`store` is not built in"));
    }
    let clock = match raw.clock.as_deref() {
        None | Some("system") => Clock::System,
        Some("manual") => Clock::Manual,
        Some(word) => return Err(unknown_word(Path::root("clock"), "clock", word, ["system", "manual"])),
    };
    let limits = limits(&raw.limits.0)?;
    let (answer_within, ack_wait) = delivery(&raw.delivery.0)?;
    dedupe(&raw.dedupe.0)?;
    let queues = queues(&raw.queue, &limits)?;
    let queue_indexes: HashMap<&str, u16> =
        queues.iter().enumerate().map(|(index, queue)| (queue.name.as_str(), index as u16)).collect();
    let default_queue = default_queue(&raw, &queue_indexes)?;
    let endpoints = endpoints(&raw.endpoint, &limits)?;
    let rules = rules::check(&raw.rule, &queue_indexes, &endpoints, &limits, resolver, odd)?;
    drop(queue_indexes);
    let summary = summary(raw.summary, odd)?;
    Ok(Configuration {
        default_queue,
        shapes: raw.shapes.unwrap_or(true),
        clock,
        limits,
        answer_within,
        ack_wait,
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

fn limits(raw: &RawLimits) -> Result<Limits, Fault> {
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
fn bounded(section: &str, name: &str, value: u64, least: u32, most: u32) -> Result<u32, String> {
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

/// What is configured and has no effect yet must not look as if it had.
fn not_built_in(section: &'static str, name: &'static str) -> Fault {
    Fault::name(Path::root(section).member(name), format!("`{section}.{name}` is not built in"))
}

/// `answer_within` and `ack_wait`.
fn delivery(raw: &RawDelivery) -> Result<(Duration, Duration), Fault> {
    for (name, given) in [
        ("max_attempts", raw.max_attempts.is_some()),
        ("retry", raw.retry.is_some()),
        ("retry_max", raw.retry_max.is_some()),
        ("response_deadline", raw.response_deadline.is_some()),
    ] {
        if given {
            return Err(not_built_in("delivery", name));
        }
    }
    Ok((
        duration_of("delivery", "answer_within", raw.answer_within.as_deref(), Duration::from_secs(8))?,
        duration_of("delivery", "ack_wait", raw.ack_wait.as_deref(), Duration::from_secs(60))?,
    ))
}

/// Only "off" can be asked for.
fn dedupe(raw: &RawDedupe) -> Result<(), Fault> {
    for (name, text) in [("terminal", &raw.terminal), ("webhook", &raw.webhook)] {
        if !duration_of("dedupe", name, text.as_deref(), Duration::ZERO)?.is_zero() {
            return Err(not_built_in("dedupe", name));
        }
    }
    if raw.keys_max.is_some() { Err(not_built_in("dedupe", "keys_max")) } else { Ok(()) }
}

fn queues(raw: &[Table<RawQueue>], limits: &Limits) -> Result<Vec<Queue>, Fault> {
    let unnamed = [Table(RawQueue { name: Some("other".to_owned()), ..RawQueue::default() })];
    let raw = if raw.is_empty() { &unnamed } else { raw };
    let list = Path::root("queue");
    let mut names = HashMap::new();
    let mut capacity = 0_u64;
    let mut queues = Vec::with_capacity(raw.len());
    for (index, Table(raw)) in raw.iter().enumerate() {
        let path = list.index(index);
        if index >= limits.queues as usize {
            return Err(Fault::value(path, format!("more queues than `limits.queues`, {}", limits.queues)));
        }
        let queue = queue(raw, limits, &path)?;
        if names.insert(queue.name.clone(), index).is_some() {
            return Err(Fault::value(path.member("name"), format!("two queues have the name `{}`", queue.name)));
        }
        capacity += u64::from(queue.lanes) * u64::from(queue.capacity);
        if capacity > u64::from(limits.capacity) {
            let part = if raw.capacity.is_some() { path.member("capacity") } else { path.member("name") };
            let message = format!(
                "capacity times lanes is {capacity} up to queue `{}`; `limits.capacity` is {}",
                queue.name, limits.capacity
            );
            return Err(Fault::value(part, message));
        }
        queues.push(queue);
    }
    Ok(queues)
}

fn queue(raw: &RawQueue, limits: &Limits, path: &Path) -> Result<Queue, Fault> {
    let Some(name) = &raw.name else {
        return Err(Fault::value(path.clone(), "a queue without `name`"));
    };
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        let message = format!("`{name}` is no name of a queue: letters, digits, `-`, `_` and `.`");
        return Err(Fault::value(path.member("name"), message));
    }
    let number = |member: &'static str, value: Option<u64>, default: u32, most: u32| match value {
        None => Ok(default.min(most)),
        Some(value) => bounded("queue", member, value, 1, most)
            .map_err(|message| Fault::value(path.member(member), format!("{message} (queue `{name}`)"))),
    };
    let lanes = number("lanes", raw.lanes, LANES, limits.lanes)?;
    let capacity = number("capacity", raw.capacity, CAPACITY, limits.capacity)?;
    let when_full = match raw.when_full.as_deref() {
        None | Some("refuse") => WhenFull::Refuse,
        Some("drop-oldest") => WhenFull::DropOldest,
        Some("spill") => {
            let message = "`spill` needs a store, which is not built in; `refuse` and `drop-oldest` do not";
            return Err(Fault::value(path.member("when_full"), message));
        }
        Some(word) => {
            return Err(unknown_word(path.member("when_full"), "when_full", word, ["refuse", "spill", "drop-oldest"]));
        }
    };
    if raw.dead_letter.is_some() {
        return Err(Fault::name(path.member("dead_letter"), "`dead_letter` is not built in"));
    }
    Ok(Queue { name: name.clone(), lanes, capacity, when_full })
}

fn default_queue(raw: &RawConfiguration, queues: &HashMap<&str, u16>) -> Result<u16, Fault> {
    match raw.default_queue.as_deref() {
        // Without queues there is one, and it is the default.
        None if raw.queue.is_empty() => Ok(0),
        None => {
            Err(Fault::name(Path::root("queue"), "`default_queue` is missing, and there are queues to choose from"))
        }
        Some(name) => {
            queues.get(name).copied().ok_or_else(|| undeclared_queue(Path::root("default_queue"), name, queues))
        }
    }
}

fn endpoints(raw: &Pairs<Table<RawEndpoint>>, limits: &Limits) -> Result<Vec<Endpoint>, Fault> {
    let section = Path::root("endpoint");
    let mut sorted = BTreeMap::new();
    for (name, Table(raw)) in &raw.0 {
        let path = section.member(name.clone());
        if name.is_empty() {
            return Err(Fault::name(path, "an endpoint without a name"));
        }
        if sorted.insert(name.as_str(), endpoint(name, raw, &path)?).is_some() {
            let message = format!("two endpoints have the name `{name}`");
            return Err(Fault { path, part: Part::Repeated, message });
        }
    }
    let default = match sorted.remove(DEFAULT_ENDPOINT) {
        Some(default) => default,
        None => endpoint(DEFAULT_ENDPOINT, &RawEndpoint::default(), &section)?,
    };
    if sorted.len() >= limits.endpoints as usize {
        let message = format!("more endpoints than `limits.endpoints`, {} (`default` counts)", limits.endpoints);
        return Err(Fault::name(section, message));
    }
    Ok(std::iter::once(default).chain(sorted.into_values()).collect())
}

fn endpoint(name: &str, raw: &RawEndpoint, path: &Path) -> Result<Endpoint, Fault> {
    for (member, given) in [
        ("basic", !raw.basic.is_empty()),
        ("api_keys", !raw.api_keys.is_empty()),
        ("hmac_keys", !raw.hmac_keys.is_empty()),
        ("nexo_keys", !raw.nexo_keys.is_empty()),
        ("require_encryption", raw.require_encryption == Some(true)),
    ] {
        if given {
            return Err(Fault::name(
                path.member(member),
                format!("`{member}` is not built in: nothing would check it"),
            ));
        }
    }
    let patterns = |member: &'static str, texts: &[String], stars: bool| {
        for (index, text) in texts.iter().enumerate() {
            let checked = if stars || text.is_empty() { Patterns::new([text.as_str()]).map(drop) } else { Ok(()) };
            checked
                .map_err(|why| Fault::value(path.member(member).index(index), format!("`{member}`: `{text}` {why}")))?;
        }
        let texts = texts.iter().map(String::as_str);
        // OK because each was checked above: what is no pattern has been refused.
        Ok(if stars { Patterns::new(texts).unwrap_or_default() } else { Patterns::literal(texts) })
    };
    Ok(Endpoint {
        name: name.to_owned(),
        third_party: raw.third_party.unwrap_or(false),
        merchant_accounts: patterns("merchant_accounts", &raw.merchant_accounts, false)?,
        sale_ids: patterns("sale_ids", &raw.sale_ids, true)?,
        poiids: patterns("poiids", &raw.poiids, true)?,
    })
}

fn summary(raw: Pairs<String>, odd: &mut Vec<Fault>) -> Result<BTreeMap<String, String>, Fault> {
    let section = Path::root("summary");
    let mut summary = BTreeMap::new();
    for (word, text) in raw.0 {
        let path = section.member(word.clone());
        if !summary_words().any(|known| known == word) {
            let message = format!("`summary` knows no word `{word}`{}", did_you_mean(&word, summary_words()));
            odd.push(Fault::name(path.clone(), message));
        }
        for placeholder in text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name) {
            if !PLACEHOLDERS.contains(&placeholder) {
                let hint = expected_one_of(placeholder, PLACEHOLDERS);
                odd.push(Fault::value(path.clone(), format!("nothing is filled in for `{{{placeholder}}}`{hint}")));
            }
        }
        if summary.insert(word.clone(), text).is_some() {
            let message = format!("`summary` has two texts for `{word}`");
            return Err(Fault { path, part: Part::Repeated, message });
        }
    }
    Ok(summary)
}

/// The words that a summary is made for.
fn summary_words() -> impl Iterator<Item = &'static str> {
    fn words<V: Vocabulary>() -> impl Iterator<Item = &'static str> {
        V::ALL.iter().map(|variant| variant.word())
    }
    words::<EventToNotify>()
        .chain(words::<DisplayEvent>())
        .chain(words::<ResultWord>())
        .chain(words::<ErrorCondition>())
}

/// What a text of `[summary]` may hold in braces.
const PLACEHOLDERS: [&str; 5] = ["poiid", "sale_id", "details", "result", "condition"];

/// The endpoint that is always there.
const DEFAULT_ENDPOINT: &str = "default";

/// Lanes of a queue that names none. Source: design, section 8.
const LANES: u32 = 8;

/// Capacity of a lane whose queue names none. Source: design, section 8.
const CAPACITY: u32 = 4_096;
