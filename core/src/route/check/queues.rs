//! `[[queue]]` and `default_queue`.

use std::collections::HashMap;

use super::super::configuration::{Queue, WhenFull};
use super::super::locate::{Fault, Path};
use super::super::raw::{RawConfiguration, RawQueue, Table};
use super::sections::bounded;
use super::{undeclared_queue, unknown_word};
use crate::limits::Limits;

pub(super) fn queues(raw: &[Table<RawQueue>], limits: &Limits, has_store: bool) -> Result<Vec<Queue>, Fault> {
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
        let queue = queue(raw, limits, has_store, &path)?;
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

fn queue(raw: &RawQueue, limits: &Limits, has_store: bool, path: &Path) -> Result<Queue, Fault> {
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
        Some("refuse") => WhenFull::Refuse,
        Some("drop-oldest") => WhenFull::DropOldest,
        None if !has_store => WhenFull::Refuse,
        None => WhenFull::Spill,
        Some("spill") if has_store => WhenFull::Spill,
        Some("spill") => {
            let message = "`spill` needs a store, and there is no `[store]`; `refuse` and `drop-oldest` need none";
            return Err(Fault::value(path.member("when_full"), message));
        }
        Some(word) => {
            return Err(unknown_word(path.member("when_full"), "when_full", word, ["refuse", "spill", "drop-oldest"]));
        }
    };
    Ok(Queue { name: name.clone(), lanes, capacity, when_full, dead_letter: None })
}

/// Where the dead letters of each queue go. The move is never refused, and it ends somewhere.
pub(super) fn dead_letters(
    raw: &[Table<RawQueue>],
    queues: &[Queue],
    indexes: &HashMap<&str, u16>,
) -> Result<Vec<Option<u16>>, Fault> {
    let path = |from: usize| Path::root("queue").index(from).member("dead_letter");
    let mut targets = vec![None; queues.len()];
    for (from, Table(raw)) in raw.iter().enumerate() {
        let Some(name) = raw.dead_letter.as_deref() else { continue };
        targets[from] = Some(*indexes.get(name).ok_or_else(|| undeclared_queue(path(from), name, indexes))?);
    }
    if let Some(from) = closes_a_circle(&targets) {
        let message = format!("`dead_letter` of queue `{}` closes a circle", queues[from].name);
        return Err(Fault::value(path(from), message));
    }
    for (from, target) in targets.iter().enumerate() {
        let Some(target) = target.map(|target| &queues[usize::from(target)]) else { continue };
        if target.when_full == WhenFull::Refuse {
            let message =
                format!("the queue `{}` refuses when it is full, so it can take no dead letters", target.name);
            return Err(Fault::value(path(from), message));
        }
    }
    Ok(targets)
}

/// The last queue of the first circle, in the order of the configuration, if there is one.
fn closes_a_circle(targets: &[Option<u16>]) -> Option<usize> {
    let mut first_walk = vec![usize::MAX; targets.len()];
    for start in 0..targets.len() {
        let mut at = start;
        // Each queue is walked through once over all starts: a walk ends where an earlier one has been.
        while first_walk[at] == usize::MAX {
            first_walk[at] = start;
            let Some(next) = targets[at] else { break };
            if first_walk[usize::from(next)] == start {
                return Some(at);
            }
            at = usize::from(next);
        }
    }
    None
}

pub(super) fn default_queue(raw: &RawConfiguration, queues: &HashMap<&str, u16>) -> Result<u16, Fault> {
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

/// Lanes of a queue that names none. Source: design, section 8.
const LANES: u32 = 8;

/// Capacity of a lane whose queue names none. Source: design, section 8.
const CAPACITY: u32 = 4_096;
