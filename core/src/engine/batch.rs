//! Several bodies at one time, without a store: all are read, then all get their room and their numbers, then all are sent.
//!
//! What threads share (lanes, numbers, keys) is then touched in a few steps close behind each other, and not between one
//! parse and the next, when another thread has taken it away again. Source: `delivery.md`, 1.8.

use std::mem;
use std::sync::atomic::Ordering;

use super::Inner;
use super::accept::{Entry, endpoint};
use super::counters::Sent;
use super::inbound::Inbound;
use super::judge::Judgement;
use super::pending::How;
use super::running::Running;
use super::subject::order_hash;
use crate::classify::Classified;
use crate::delivery::{BusyReason, Key, Verdict};
use crate::message::{BodySource, Message};
use crate::nexo::Flags;
use crate::queue::{Refused, Reservation};
use crate::route::Targets;

/// So many at a time: what has been read of them is still near when they are sent.
const BODIES: usize = 64;

/// A body that has been read, and is one message.
struct Read<'r> {
    message: Message,
    known: Option<(Key, u64)>,
    /// What its lanes are found by.
    order_hash: u64,
    targets: Targets<'r>,
}

/// Messages that have their numbers and their room.
struct Numbered<'r> {
    /// Each with how many of the reservations are its own.
    messages: Vec<(Message, usize)>,
    reservations: Vec<Reservation<'r, Message>>,
    sent: Sent,
}

impl Inner {
    /// Takes bodies whose endpoints `running` has, each for itself, in their order.
    pub(super) fn accept_all(&self, running: &Running, batch: &mut [Inbound<'_>], now: u64) -> Vec<Verdict> {
        let size = batch.len().min(BODIES);
        let mut verdicts = Vec::with_capacity(batch.len());
        let mut read = Vec::with_capacity(size);
        let (messages, reservations) = (Vec::with_capacity(size), Vec::with_capacity(size));
        let mut numbered = Numbered { messages, reservations, sent: Sent::default() };
        let mut classified = Classified::default();
        for bodies in batch.chunks_mut(BODIES) {
            read.extend(bodies.iter_mut().map(|inbound| self.read(running, inbound, now, &mut classified)));
            // A hash is a long chain of multiplications; in a loop of their own the machine works at several at once.
            read.iter_mut().flatten().for_each(|read: &mut Read<'_>| read.order_hash = order_hash(read.message.view()));
            for (inbound, read) in bodies.iter_mut().zip(read.drain(..)) {
                verdicts.push(match read {
                    Some(read) => self.number_one(running, inbound, now, read, &mut numbered),
                    None => {
                        // Of one terminal it may not overtake what came before.
                        numbered.send();
                        self.accept_alone(running, inbound, now)
                    }
                });
            }
            numbered.send();
        }
        self.tally.sent_all(&numbered.sent);
        verdicts
    }

    /// Reads a body; `None` if it is not just one message, and has been left as it was.
    #[inline]
    fn read<'r>(
        &self,
        running: &'r Running,
        inbound: &mut Inbound<'_>,
        now: u64,
        classified: &mut Classified,
    ) -> Option<Read<'r>> {
        // Acquire, paired with the store in `close`.
        if self.closing.load(Ordering::Acquire) {
            return None;
        }
        let (endpoint_index, endpoint) = endpoint(running, inbound).ok()?;
        let mut entry = Entry { inner: self, running, endpoint, endpoint_index, inbound, now };
        let Judgement::Message(fields) = entry.judge(classified) else { return None };
        let known = if running.drops_duplicates() { entry.key(fields) } else { None };
        let targets = entry.route(fields);
        let message = entry.first_message(fields, None, 0);
        Some(Read { message, known, order_hash: 0, targets })
    }

    /// Gives a message its room and its number, or says why not.
    #[inline]
    fn number_one<'r>(
        &self,
        running: &'r Running,
        inbound: &mut Inbound<'_>,
        now: u64,
        read: Read<'r>,
        numbered: &mut Numbered<'r>,
    ) -> Verdict {
        let Read { mut message, known, order_hash, targets } = read;
        let (bytes, before) = (message.received().len(), numbered.reservations.len());
        let mut flags = Flags::NONE;
        let mut index = self.index(running);
        if let (Some(index), Some(known)) = (&index, &known) {
            match self.look(index, known, now) {
                Ok(new) => flags = new,
                Err(duplicate) => return self.answer(duplicate, bytes),
            }
        }
        let reserved = targets.iter().try_for_each(|target| {
            let queue = &running.queues[usize::from(target)].queue;
            numbered.reservations.push(queue.reserve(queue.lane_of_hash(order_hash))?);
            Ok(())
        });
        if let Err(refused) = reserved {
            numbered.reservations.truncate(before);
            drop(index);
            return match refused {
                Refused::Full => self.answer(Verdict::Busy { reason: BusyReason::Full }, bytes),
                // Who asks again is told by what is in force now.
                Refused::Closed => {
                    numbered.send();
                    inbound.body = BodySource::Shared(message.shared());
                    self.accept_alone(running, inbound, now)
                }
            };
        }
        let first_seq = self.number(1);
        if let (Some(index), Some((key, digest))) = (&mut index, known) {
            index.learn(&key, digest, first_seq, now);
        }
        drop(index);
        message.set_number(first_seq, flags);
        numbered.sent.count(message.kind(), bytes);
        numbered.messages.push((message, numbered.reservations.len() - before));
        Verdict::Accepted { first_seq, count: 1, stored: false }
    }

    /// Takes a body as if it came alone.
    #[cold]
    fn accept_alone(&self, running: &Running, inbound: &mut Inbound<'_>, now: u64) -> Verdict {
        let inbound = mem::replace(inbound, Inbound::new(&[]));
        self.wait(self.enter_known(running, inbound, now, How::Block))
    }
}

impl Numbered<'_> {
    /// Sends all of them, in their order.
    #[inline]
    fn send(&mut self) {
        let mut reservations = self.reservations.drain(..);
        for (message, count) in self.messages.drain(..) {
            for reservation in reservations.by_ref().take(count - 1) {
                reservation.send(message.clone());
            }
            // The last one gets the message itself, so that one queue counts no reference.
            if let Some(last) = reservations.next() {
                last.send(message);
            }
        }
    }
}
