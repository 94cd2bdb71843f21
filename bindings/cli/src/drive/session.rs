//! One engine, its consumers by name, and the operations on them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use nexowire_core::engine::{Consumer, Engine, Inbound, Source, UnknownEndpoint};
use nexowire_core::message::BodySource;
use nexowire_core::route::{Clock, Configuration, SystemResolver};
use serde_json::{Value, json};

use super::answer::{self, Failure, MessageLine};
use super::members::Members;

/// Messages that a poll hands out when nothing is said.
const POLL_MAX: u64 = 64;

/// The consumer when nothing is said.
const CONSUMER: &str = "1";

/// Operations that come with the store, trust and the tracker.
const UNSUPPORTED: [&str; 12] = [
    "board",
    "build",
    "cancel",
    "commit",
    "dead_letters",
    "expect",
    "extend",
    "keys",
    "nack",
    "reopen",
    "replay",
    "submit",
];

/// What a script works on.
pub(super) struct Session {
    engine: Engine,
    /// By queue and name. A consumer begins with its first poll.
    consumers: BTreeMap<(String, String), Consumer>,
}

impl Session {
    pub(super) fn open(configuration: Configuration) -> Self {
        Self { engine: Engine::open(configuration.with_clock(Clock::Manual)), consumers: BTreeMap::new() }
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
            "poll" => self.poll(members),
            "ack" => self.ack(members),
            "release" => self.release(members),
            "drop_consumer" => self.drop_consumer(members),
            "advance" => self.advance(members),
            "reload" => self.reload(members),
            "quarantine" => self.quarantine(members),
            "explain" => self.explain(members),
            "counters" => {
                self.set_time(members)?;
                Ok(answer::counters(&self.engine.counters()))
            }
            name if UNSUPPORTED.contains(&name) => Err(Failure::unsupported(&format!("`{name}`"))),
            name => Err(Failure::unknown_operation(name)),
        }
    }

    /// Sets the clock, if the operation says so; fires nothing. Called when all other members have been read, so that
    /// an operation that cannot be understood changes nothing.
    fn set_time(&self, members: &Members<'_>) -> Result<(), Failure> {
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

    /// An unknown endpoint must be found before the clock is set.
    fn known_endpoint(&self, inbound: &Inbound<'_>) -> Result<(), Failure> {
        let probe = Inbound { endpoint: inbound.endpoint, ..Inbound::new(b"") };
        self.engine.explain(&probe).map(drop).map_err(unknown_endpoint)
    }

    fn poll(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let key = consumer_key(members)?;
        let max = usize::try_from(members.number("max")?.unwrap_or(POLL_MAX)).unwrap_or(usize::MAX);
        self.known_queue(&key)?;
        if self.consumer(&key).is_some_and(|consumer| consumer.has_ended()) {
            return Err(Failure::closed(&format!("queue `{}` was removed and is drained", key.0)));
        }
        self.set_time(members)?;
        let mut batch = vec![];
        // A queue that ends by what this poll acks is said to be closed by the next one: what fails changes nothing.
        let _ended_now = self.begun_consumer(&key)?.poll(max, &mut batch);
        let messages = batch.iter().map(|delivered| MessageLine::new(&self.engine, &key.0, delivered));
        Ok(json!({"messages": messages.map(|line| json!(line)).collect::<Vec<_>>()}))
    }

    /// The consumer of this name, if it has begun. When a queue comes back that was removed and drained, its consumers
    /// from before have ended with the old one.
    fn consumer(&mut self, key: &(String, String)) -> Option<&mut Consumer> {
        let has_ended = self.consumers.get(key).is_some_and(Consumer::has_ended);
        if has_ended && self.engine.queue(&key.0).is_some() {
            self.consumers.remove(key);
        }
        self.consumers.get_mut(key)
    }

    /// The same, beginning now if it has not.
    fn begun_consumer(&mut self, key: &(String, String)) -> Result<&mut Consumer, Failure> {
        match self.consumers.entry(key.clone()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                Ok(entry.insert(self.engine.queue(&key.0).ok_or_else(|| no_queue(&key.0))?.consumer()))
            }
        }
    }

    fn ack(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let (key, seqs) = (consumer_key(members)?, members.seqs()?);
        self.known_queue(&key)?;
        self.set_time(members)?;
        let done = match self.consumer(&key) {
            Some(consumer) => consumer.ack(&seqs),
            // An ack counts from anybody, also from one that has not polled; it makes nobody a consumer for long.
            None => self.engine.queue(&key.0).map_or(0, |queue| queue.consumer().ack(&seqs)),
        };
        Ok(json!({"done": done}))
    }

    fn release(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let (key, seqs) = (consumer_key(members)?, members.seqs()?);
        self.known_queue(&key)?;
        self.set_time(members)?;
        let done = self.consumer(&key).map_or(0, |consumer| consumer.release(&seqs));
        Ok(json!({"done": done}))
    }

    fn drop_consumer(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let (queue, name) = (members.needed_text("queue")?, members.needed_text("consumer")?);
        let key = (queue.to_owned(), name.to_owned());
        self.known_queue(&key)?;
        if self.consumer(&key).is_none() {
            return Err(Failure::not_found(&format!("queue `{queue}` has no consumer `{name}`")));
        }
        self.set_time(members)?;
        let done = self.consumers.remove(&key).map_or(0, Consumer::close);
        Ok(json!({"done": done}))
    }

    fn advance(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let now = members.needed_time("at")?;
        Ok(json!({"next_deadline": self.engine.advance(Some(now))}))
    }

    fn reload(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let text = members.needed_text("config")?;
        let loaded = Configuration::parse(text, &SystemResolver::default());
        let configuration = loaded.map_err(|error| Failure::config(&error.to_string()))?.with_clock(Clock::Manual);
        // Read before anything changes, and set after: a reload fires nothing, so that nobody can tell the difference.
        members.time("at")?;
        let generation = self.engine.reload(configuration).map_err(|error| Failure::config(&error.to_string()))?;
        self.set_time(members)?;
        Ok(json!({"generation": generation}))
    }

    fn quarantine(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let max = members.number("max")?.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
        self.set_time(members)?;
        Ok(answer::quarantine(&self.engine.quarantine(max)))
    }

    fn explain(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let inbound = inbound(members)?;
        let explained = self.engine.explain(&inbound).map_err(unknown_endpoint)?;
        self.set_time(members)?;
        Ok(answer::explained(&explained))
    }

    /// A queue that is there, or one that is gone and still has this consumer.
    fn known_queue(&self, key: &(String, String)) -> Result<(), Failure> {
        let known = self.consumers.contains_key(key) || self.engine.queue(&key.0).is_some();
        if known { Ok(()) } else { Err(no_queue(&key.0)) }
    }
}

fn no_queue(name: &str) -> Failure {
    Failure::not_found(&format!("there is no queue `{name}`"))
}

fn unknown_endpoint(error: UnknownEndpoint) -> Failure {
    Failure::not_found(&error.to_string())
}

/// The queue and the consumer that an operation names.
fn consumer_key(members: &Members<'_>) -> Result<(String, String), Failure> {
    let (queue, consumer) = (members.needed_text("queue")?, members.text("consumer")?.unwrap_or(CONSUMER));
    Ok((queue.to_owned(), consumer.to_owned()))
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
