//! What a host does beside taking and handing out: time, configurations, the store, and what is kept in it.

use nexowire_core::engine::{OpenError, Replay, ReplayError, ReplaySource};
use nexowire_core::route::{Clock, Configuration, SystemResolver};
use serde_json::{Value, json};

use crate::configuration::source;

use super::answer::{self, Failure};
use super::members::Members;
use super::session::Session;

impl Session {
    pub(super) fn advance(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let now = members.needed_time("at")?;
        Ok(json!({"next_deadline": self.engine.advance(Some(now))}))
    }

    pub(super) fn reload(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let configuration = self.parse(members.needed_text("config")?)?;
        // Read before anything changes, and set after: a reload fires nothing, so that nobody can tell the difference.
        members.time("at")?;
        let generation = self.engine.reload(configuration).map_err(|error| Failure::config(&error.to_string()))?;
        self.set_time(members)?;
        Ok(json!({"generation": generation}))
    }

    pub(super) fn reopen(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let configuration = members.text("config")?.map(|text| self.parse(text)).transpose()?;
        if !self.engine.is_durable() {
            return Err(Failure::store(&OpenError::NoStore.to_string()));
        }
        self.set_time(members)?;
        let pending = self.engine.reopen(configuration).map_err(|error| Failure::store(&error.to_string()))?;
        Ok(json!({"open": true, "pending": pending}))
    }

    pub(super) fn replay(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let source = match members.text("source")? {
            None | Some("log") => ReplaySource::Log,
            Some("quarantine") => ReplaySource::Quarantine,
            Some("dead_letters") => ReplaySource::DeadLetters,
            Some(other) => return Err(Failure::bad_argument(&format!("there is no source `{other}`"))),
        };
        let replay = Replay {
            source,
            queue: members.text("queue")?,
            from_seq: members.number_or("from_seq", 0)?,
            to_seq: members.number_or("to_seq", u64::MAX)?,
            from: members.time("from")?.unwrap_or(0),
            to: members.time("to")?.unwrap_or(u64::MAX),
            reroute: members.flag("reroute")?,
        };
        // Before the clock is set: what fails changes nothing.
        if let Some(queue) = replay.queue
            && self.engine.queue(queue).is_none()
        {
            return Err(Failure::not_found(&ReplayError::UnknownQueue(queue.to_owned()).to_string()));
        }
        if source == ReplaySource::Log && !self.engine.is_durable() {
            return Err(Failure::store(&ReplayError::NoStore.to_string()));
        }
        self.set_time(members)?;
        let replayed = self.engine.replay(&replay).map_err(|error| Failure::store(&error.to_string()))?;
        Ok(json!({"replayed": replayed}))
    }

    pub(super) fn quarantine(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let max = maximum(members)?;
        self.set_time(members)?;
        let entries = self.engine.quarantine(max).map_err(|error| Failure::store(&error.to_string()))?;
        Ok(json!({"entries": entries.iter().map(answer::quarantined).collect::<Vec<_>>()}))
    }

    pub(super) fn dead_letters(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let max = maximum(members)?;
        self.set_time(members)?;
        let letters = self.engine.dead_letters(max).map_err(|error| Failure::store(&error.to_string()))?;
        Ok(json!({"entries": letters.iter().map(answer::dead_letter).collect::<Vec<_>>()}))
    }

    pub(super) fn counters(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        self.set_time(members)?;
        Ok(answer::counters(&self.engine.counters()))
    }

    fn parse(&self, text: &str) -> Result<Configuration, Failure> {
        let loaded = Configuration::parse_with(text, &SystemResolver::default(), source(self.has_store));
        Ok(loaded.map_err(|error| Failure::config(&error.to_string()))?.with_clock(Clock::Manual))
    }
}

fn maximum(members: &Members<'_>) -> Result<usize, Failure> {
    Ok(usize::try_from(members.number_or("max", u64::MAX)?).unwrap_or(usize::MAX))
}
