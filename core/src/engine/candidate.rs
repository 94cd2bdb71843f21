//! A body that waits for a commit: what has been decided about it on the caller's thread, and the room it has reserved.
//! Source: `delivery.md`, 1.1 to 1.5.

use std::sync::Arc;

use bytes::Bytes;

use super::key::key;
use super::running::{NamedQueue, Running};
use super::subject::{order_hash, route};
use crate::delivery::{Change, Key, QuarantineReason, Seen};
use crate::message::{BodySource, Message, Origin, Story};
use crate::nexo::{Fields, Flags, Kind, View};
use crate::queue::{self, Refused};

/// One body on its way into the store.
pub(super) struct Candidate {
    pub(super) body: Bytes,
    /// Number 0: the leader gives numbers.
    pub(super) origin: Origin,
    /// The name of its endpoint.
    pub(super) endpoint: Arc<str>,
    /// The engine's time at its arrival, by which keys are as old as they are.
    pub(super) now: u64,
    /// What is to become messages, in order.
    pub(super) parts: Vec<Part>,
    /// What is to be quarantined.
    pub(super) bad: Vec<(Option<u32>, QuarantineReason)>,
    /// What it repeats, if it is a replay.
    pub(super) replays: Option<Replayed>,
}

/// Where a replayed body comes from.
pub(super) struct Replayed {
    pub(super) origin_seq: u64,
    /// What leaves the quarantine or the dead letters when it has been accepted, or is found a duplicate.
    pub(super) leaves: Option<Change>,
}

/// One message to be.
pub(super) struct Part {
    pub(super) fields: Fields,
    /// Its index in the list of a webhook's items.
    pub(super) item: Option<u32>,
    pub(super) key: Option<(Key, u64)>,
    /// Whether an equal one was live or in flight when it came: it has reserved nothing, and is a duplicate of that one
    /// or falls with it.
    pub(super) follows: bool,
    pub(super) order_hash: u64,
    pub(super) targets: Vec<Target>,
}

/// A queue that a part goes to.
pub(super) struct Target {
    pub(super) queue: NamedQueue,
    pub(super) lane: u32,
    /// Taken by publishing.
    pub(super) reservation: Option<queue::OwnedReservation<Message>>,
}

/// Why a candidate does not wait for a commit.
pub(super) enum NoRoom {
    /// A queue that may refuse is full.
    Full,
    /// Its table is out of force.
    OutOfForce,
}

impl Candidate {
    /// How many messages and entries it may become.
    pub(super) fn count(&self) -> usize {
        (self.parts.len() + self.bad.len()).max(1)
    }

    /// The message that a part becomes, and the flags that delivery gives it. A variant has a key that is known, and
    /// says something else.
    pub(super) fn message(&self, part: &Part, seq: u64, variant: bool) -> (Message, Flags) {
        let mut flags = part.fields.flags.delivery();
        if variant {
            let is_webhook = part.fields.kind == Kind::StandardWebhook;
            flags.insert(if is_webhook { Flags::UPDATE } else { Flags::CONFLICT });
        }
        let story = self.replays.as_ref().map(|replays| {
            flags.insert(Flags::REPLAYED);
            Arc::new(Story { origin_seq: Some(replays.origin_seq), ..Story::default() })
        });
        let mut fields = part.fields;
        fields.flags.insert(flags);
        let origin = Origin { seq, item: part.item, ..self.origin };
        (Message::with_story(&fields, BodySource::Shared(self.body.clone()), origin, story), flags)
    }

    /// Whether a part before the one at `end` has this key and digest.
    fn has_before(&self, end: usize, wanted: &(Key, u64)) -> bool {
        self.parts[..end].iter().any(|part| part.key.as_ref() == Some(wanted))
    }

    /// Finds out which parts only follow others, by what is live or in flight; answers the first number if all of them
    /// are duplicates of what is live.
    pub(super) fn follow(
        &mut self,
        look: impl Fn(&Key, u64, u64) -> Seen,
        in_flight: impl Fn(&Key, u64) -> bool,
    ) -> Option<u64> {
        let (mut first, mut all) = (None, true);
        for at in 0..self.parts.len() {
            let Some(wanted) = self.parts[at].key else {
                all = false;
                continue;
            };
            let seen = look(&wanted.0, wanted.1, self.now);
            if let Seen::Duplicate { seq } = seen {
                first.get_or_insert(seq);
                self.parts[at].follows = true;
                continue;
            }
            all = false;
            self.parts[at].follows = in_flight(&wanted.0, wanted.1) || self.has_before(at, &wanted);
        }
        first.filter(|_| all && self.bad.is_empty())
    }

    /// Reserves room for every part that does not follow, in all of its queues or in none.
    pub(super) fn reserve(&mut self) -> Result<(), NoRoom> {
        let new = self.parts.iter_mut().filter(|part| !part.follows);
        new.flat_map(|part| &mut part.targets).try_for_each(Target::reserve)
    }

    /// Gives back what it has reserved.
    pub(super) fn give_back(&mut self) {
        for target in self.parts.iter_mut().flat_map(|part| &mut part.targets) {
            target.reservation = None;
        }
    }

    /// The keys that others have to wait for while this one is in flight.
    pub(super) fn keys(&self) -> impl Iterator<Item = (Key, u64)> {
        self.parts.iter().filter(|part| !part.follows).filter_map(|part| part.key)
    }
}

impl Part {
    /// A message of these fields, routed by the table in force.
    pub(super) fn routed(
        running: &Running,
        endpoint: u16,
        fields: Fields,
        item: Option<u32>,
        body: &[u8],
        hash_key: Option<&[u8; 16]>,
    ) -> Self {
        let view = View::new(body, &fields);
        let name = &running.configuration.endpoints()[usize::from(endpoint)].name;
        let key = hash_key.and_then(|hash_key| key(view, name, hash_key));
        let order_hash = order_hash(view);
        let targets = Target::routed(running, endpoint, view, order_hash);
        Self { fields, item, key, follows: false, order_hash, targets }
    }
}

impl Target {
    /// The queues that the table in force names for a message of an endpoint.
    pub(super) fn routed(running: &Running, endpoint: u16, view: View<'_>, order_hash: u64) -> Vec<Self> {
        let routed = route(view, endpoint, &running.table);
        routed.iter().map(|target| Self::new(&running.queues[usize::from(target)], order_hash)).collect()
    }

    /// The lane of a queue that a message of this order belongs to.
    pub(super) fn new(queue: &NamedQueue, order_hash: u64) -> Self {
        let lane = queue.queue.lane_of_hash(order_hash);
        Self { queue: queue.clone(), lane, reservation: None }
    }

    /// Makes sure of room.
    pub(super) fn reserve(&mut self) -> Result<(), NoRoom> {
        let reserved = self.queue.queue.reserve(self.lane).map_err(|why| match why {
            Refused::Full => NoRoom::Full,
            Refused::Closed => NoRoom::OutOfForce,
        });
        self.reservation = Some(reserved?.into_owned());
        Ok(())
    }

    /// The same without a store.
    pub(super) fn send(&mut self, message: Message) {
        if let Some(reservation) = self.reservation.take() {
            reservation.send(message);
        }
    }

    /// Puts the message where room was reserved.
    pub(super) fn publish(&mut self, now: u64, message: Message) {
        if let Some(reservation) = self.reservation.take() {
            reservation.publish(now, message);
        }
    }
}
