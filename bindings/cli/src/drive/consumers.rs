//! The way out: polls, and what consumers say of what they got.

use std::collections::btree_map::Entry;

use nexowire_core::engine::Consumer;
use nexowire_core::queue::{Nack, PollError};
use serde_json::{Value, json};

use super::answer::{Failure, MessageLine};
use super::members::Members;
use super::session::Session;

/// Messages that a poll hands out when nothing is said.
const POLL_MAX: u64 = 64;

/// The consumer when nothing is said.
const CONSUMER: &str = "1";

impl Session {
    pub(super) fn poll(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let key = consumer_key(members)?;
        let max = usize::try_from(members.number_or("max", POLL_MAX)?).unwrap_or(usize::MAX);
        self.known_queue(&key)?;
        if self.consumer(&key).is_some_and(|consumer| consumer.has_ended()) {
            return Err(Failure::closed(&format!("queue `{}` was removed and is drained", key.0)));
        }
        self.set_time(members)?;
        let mut batch = vec![];
        match self.begun_consumer(&key)?.poll(max, &mut batch) {
            // A queue that ends by what this poll acks is said to be closed by the next one: what fails changes nothing.
            Ok(_) | Err(PollError::Closed) => {}
            Err(error) => return Err(Failure::store(&error.to_string())),
        }
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

    pub(super) fn ack(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
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

    pub(super) fn nack(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        let nack = Nack {
            delay_ms: members.number("delay_ms")?,
            reason: members.text("reason")?.map(str::to_owned),
            dead: members.flag("dead")?,
        };
        self.by_holder(members, |consumer, seqs| consumer.nack(seqs, &nack))
    }

    pub(super) fn release(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        self.by_holder(members, |consumer, seqs| consumer.release(seqs))
    }

    pub(super) fn extend(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
        self.by_holder(members, |consumer, seqs| consumer.extend(seqs))
    }

    /// What counts from the consumer only that holds the messages.
    fn by_holder(
        &mut self,
        members: &Members<'_>,
        act: impl FnOnce(&mut Consumer, &[u64]) -> usize,
    ) -> Result<Value, Failure> {
        let (key, seqs) = (consumer_key(members)?, members.seqs()?);
        self.known_queue(&key)?;
        self.set_time(members)?;
        let done = self.consumer(&key).map_or(0, |consumer| act(consumer, &seqs));
        Ok(json!({"done": done}))
    }

    pub(super) fn drop_consumer(&mut self, members: &Members<'_>) -> Result<Value, Failure> {
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

    /// A queue that is there, or one that is gone and still has this consumer.
    fn known_queue(&self, key: &(String, String)) -> Result<(), Failure> {
        let known = self.consumers.contains_key(key) || self.engine.queue(&key.0).is_some();
        if known { Ok(()) } else { Err(no_queue(&key.0)) }
    }
}

fn no_queue(name: &str) -> Failure {
    Failure::not_found(&format!("there is no queue `{name}`"))
}

/// The queue and the consumer that an operation names.
fn consumer_key(members: &Members<'_>) -> Result<(String, String), Failure> {
    let (queue, consumer) = (members.needed_text("queue")?, members.text("consumer")?.unwrap_or(CONSUMER));
    Ok((queue.to_owned(), consumer.to_owned()))
}
