//! One engine, its consumers by name, and the operations on them.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use nexowire_core::engine::{Completion, Consumer, Engine, Inbound, OpenError, Source, Submitted, UnknownEndpoint};
use nexowire_core::message::BodySource;
use nexowire_core::route::{Clock, Configuration};
use nexowire_core::timestamp::rfc_3339;
use serde_json::{Value, json};

use super::answer::{self, Failure};
use super::members::Members;

/// Operations that come with trust and the tracker.
const UNSUPPORTED: [&str; 5] = ["board", "build", "cancel", "expect", "keys"];

/// What a script works on.
pub(super) struct Session {
    pub(super) engine: Engine,
    /// By queue and name. A consumer begins with its first poll.
    pub(super) consumers: BTreeMap<(String, String), Consumer>,
    /// Whether a store is given beside the configuration.
    pub(super) has_store: bool,
}

impl Session {
    pub(super) fn open(configuration: Configuration, store: Option<&Path>) -> Result<Self, OpenError> {
        let engine = open_engine(configuration.with_clock(Clock::Manual), store)?;
        Ok(Self { engine, consumers: BTreeMap::new(), has_store: store.is_some() })
    }

    /// Closes in order: consumers give back what they hold before the engine ends.
    pub(super) fn close(self) {
        drop(self.consumers);
        self.engine.close();
    }

    /// Carries out an operation, or changes nothing.
    pub(super) fn perform(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        match members.needed_text("op")? {
            "accept" => self.accept(members),
            "accept_batch" => self.accept_batch(members),
            "submit" => self.submit(members),
            "commit" => self.commit(members),
            "poll" => self.poll(members),
            "ack" => self.ack(members),
            "nack" => self.nack(members),
            "release" => self.release(members),
            "extend" => self.extend(members),
            "drop_consumer" => self.drop_consumer(members),
            "advance" => self.advance(members),
            "reload" => self.reload(members),
            "reopen" => self.reopen(members),
            "replay" => self.replay(members),
            "quarantine" => self.quarantine(members),
            "dead_letters" => self.dead_letters(members),
            "explain" => self.explain(members),
            "counters" => self.counters(members),
            name if UNSUPPORTED.contains(&name) => Err(Failure::unsupported(&format!("`{name}`"))),
            name => Err(Failure::unknown_operation(name)),
        }
    }

    /// Sets the clock, if the operation says so; fires nothing. Called when all other members have been read, so that
    /// an operation that cannot be understood changes nothing.
    pub(super) fn set_time(&self, members: &Members<'_>) -> Result<(), Failure> {
        if let Some(now) = members.time("at")? {
            self.engine.set_time(now);
        }
        Ok(())
    }

    fn accept(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let inbound = inbound(members)?;
        self.known_endpoint(&inbound)?;
        self.set_time(members)?;
        self.engine.accept(inbound).map(answer::verdict).map_err(unknown_endpoint)
    }

    fn accept_batch(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let items = members.list("items")?.iter().map(|item| inbound(&Members::of(item)?));
        let batch = items.collect::<Result<Vec<_>, _>>()?;
        batch.iter().try_for_each(|inbound| self.known_endpoint(inbound))?;
        self.set_time(members)?;
        let verdicts = self.engine.accept_batch(batch).map_err(unknown_endpoint)?;
        Ok(json!({"verdicts": verdicts.into_iter().map(answer::verdict).collect::<Vec<_>>()}))
    }

    fn submit(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let (inbound, id) = (inbound(members)?, members.needed_number("id")?);
        self.known_endpoint(&inbound)?;
        self.set_time(members)?;
        Ok(match self.engine.submit(inbound, id).map_err(unknown_endpoint)? {
            Submitted::Verdict(verdict) => answer::completed(&Completion { id, verdict }),
            Submitted::Pending => json!({"id": id, "pending": true}),
        })
    }

    fn commit(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        self.set_time(members)?;
        self.engine.commit();
        let mut completions = vec![];
        self.engine.completions(usize::MAX, &mut completions);
        Ok(json!({"completed": completions.iter().map(answer::completed).collect::<Vec<_>>()}))
    }

    /// An unknown endpoint must be found before the clock is set.
    fn known_endpoint(&self, inbound: &Inbound<'_>) -> Result<(), Failure> {
        let probe = Inbound { endpoint: inbound.endpoint, ..Inbound::new(b"") };
        self.engine.explain(&probe).map(drop).map_err(unknown_endpoint)
    }

    fn explain(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let inbound = inbound(members)?;
        let explained = self.engine.explain(&inbound).map_err(unknown_endpoint)?;
        self.set_time(members)?;
        Ok(answer::explained(&explained))
    }
}

/// An engine with the store in this folder, or with the one of its configuration, or without any.
pub(crate) fn open_engine(configuration: Configuration, store: Option<&Path>) -> Result<Engine, OpenError> {
    let engine = match store {
        None => Engine::open(configuration),
        Some(directory) => Engine::open_in(configuration, directory),
    }?;
    if let Some(dropped) = engine.dropped_clock() {
        let dropped = rfc_3339(dropped);
        let _nobody_to_tell =
            writeln!(io::stderr(), "nexowire: warning: the store was last used at {dropped}, which is not believed");
    }
    Ok(engine)
}

fn unknown_endpoint(error: UnknownEndpoint) -> Failure {
    Failure::not_found(&error.to_string())
}

fn inbound<'a>(members: &Members<'a>) -> Result<Inbound<'a>, Failure> {
    let body = members.body()?;
    let source = match members.text("source")? {
        None | Some("webhook") => Source::Webhook,
        // The answer to a request means something to the tracker only, which is not there to be told.
        Some("reply") => return Err(Failure::unsupported("`source`: `reply`")),
        Some(other) => return Err(Failure::bad_argument(&format!("there is no source `{other}`"))),
    };
    Ok(Inbound {
        body: BodySource::Shared(body.into()),
        received_at: None,
        endpoint: members.text("endpoint")?,
        authorization: members.text("authorization")?,
        api_key: members.text("api_key")?,
        content_encoding: members.text("content_encoding")?,
        source,
        tag: members.tag()?,
    })
}
