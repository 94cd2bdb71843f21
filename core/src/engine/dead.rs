//! What could not be delivered: into the list of dead letters, or into the queue that is configured for them.
//! Source: `delivery.md`, 3.6 and 3.7.

use std::sync::Arc;

use super::Inner;
use super::candidate::Target;
use super::durable::Unwritten;
use super::group::Moved;
use super::running::{NamedQueue, Running};
use super::subject::order_hash;
use crate::delivery::{Change, DeadLetter};
use crate::message::{Dead, Message, Origin, Story};
use crate::queue::{self, Fate};

impl Running {
    /// Takes what has happened in all queues since the last call and is to be written. `reserves` says that what moves
    /// will be published, and needs a place.
    pub(super) fn take_changes(
        &self,
        names: &super::endpoints::EndpointNames,
        unwritten: &mut Unwritten,
        reserves: bool,
    ) {
        let (mut changes, mut dead) = (vec![], vec![]);
        for queue in self.all_named() {
            queue.queue.take_changes(&mut changes);
            queue.queue.take_dead(&mut dead);
            unwritten.changes.extend(changes.drain(..).filter_map(|change| stored(queue.id, change)));
            let target = self.dead_letter_queue(queue);
            for dead in dead.drain(..) {
                let (lane, seq) = (dead.lane, dead.item.origin().seq);
                let order_hash = order_hash(dead.item.view());
                let place = target.map(|target| Target::new(target, order_hash));
                let place = place.and_then(|mut place| (!reserves || place.reserve().is_ok()).then_some(place));
                let Some(target) = place else {
                    // Also where the other queue has been closed a moment ago.
                    let queue::Dead { reason, attempts, .. } = dead;
                    unwritten.changes.push(Change::Dead { queue: queue.id, lane, seq, reason, attempts });
                    continue;
                };
                unwritten.moves.push(Moved {
                    leaves: Change::Done { queue: queue.id, lane, seq },
                    dead: note(queue, dead.reason, dead.attempts),
                    endpoint: names.name(dead.item.origin().endpoint).unwrap_or_else(|| Arc::from("")),
                    message: dead.item,
                    target,
                    order_hash,
                });
            }
        }
    }

    /// The queue that the dead letters of a queue go to, if one is configured.
    pub(super) fn dead_letter_queue(&self, queue: &NamedQueue) -> Option<&NamedQueue> {
        let index = self.configuration.queue(&queue.name)?;
        let target = self.configuration.queues()[usize::from(index)].dead_letter?;
        self.queues.get(usize::from(target))
    }
}

impl Inner {
    /// Without a store what has died moves at once; with one, with the next commit.
    #[inline]
    pub(super) fn bury(&self, queue: &NamedQueue) {
        let mut dead = vec![];
        if self.durable.is_none() && queue.queue.take_dead(&mut dead) > 0 {
            self.bury_all(queue, dead);
        }
    }

    #[cold]
    fn bury_all(&self, queue: &NamedQueue, dead: Vec<queue::Dead<Message>>) {
        let running = self.running.load_full();
        dead.into_iter().for_each(|dead| self.bury_one(&running, queue, dead));
    }

    fn bury_one(&self, running: &Running, queue: &NamedQueue, dead: queue::Dead<Message>) {
        let (message, origin) = (&dead.item, dead.item.origin());
        let Some(target) = running.dead_letter_queue(queue) else {
            self.dead_letters.keep(DeadLetter {
                seq: origin.seq,
                queue: queue.name.to_string(),
                queue_id: queue.id,
                item: origin.item,
                flags: message.fields().flags.delivery().bits(),
                reason: dead.reason,
                received_at: origin.received_at,
                endpoint: self.names.name(origin.endpoint).as_deref().unwrap_or_default().to_owned(),
                tag: origin.tag,
                attempts: dead.attempts,
                body: message.shared(),
            });
            return;
        };
        let mut place = Target::new(target, order_hash(message.view()));
        if place.reserve().is_ok() {
            let story = Story { origin_seq: Some(origin.seq), dead: Some(note(queue, dead.reason, dead.attempts)) };
            let origin = Origin { seq: self.number(1), ..origin };
            place.send(message.again(origin, Some(Arc::new(story))));
        }
    }
}

fn note(queue: &NamedQueue, reason: String, attempts: u32) -> Dead {
    Dead { queue: queue.name.to_string(), reason, attempts }
}

/// What the store is to be told, but for deaths, which the letters tell.
fn stored(queue: u32, change: queue::Change) -> Option<Change> {
    let queue::Change { lane, seq, fate } = change;
    match fate {
        Fate::Done => Some(Change::Done { queue, lane, seq }),
        Fate::Dead { .. } => None,
        Fate::State { attempt, failures, due } => Some(Change::State { queue, lane, seq, attempt, failures, due }),
    }
}
