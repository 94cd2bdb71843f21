//! One lane: a channel, and in front of it what its book knows.
//!
//! A lane is **idle** (nothing waits, or so it seemed), **ready** (its one token is in the queue's token channel, or on
//! the way there or from there) or **owned** (a batch of it is in somebody's hands). Who may change that:
//!
//! | from, to | who | how |
//! |---|---|---|
//! | idle, ready | who puts something in, makes room, or has just made it idle | compare-and-swap: one wins and pushes the token |
//! | ready, owned | who has received the token | store: there is one token, so nobody else can |
//! | owned, ready or idle | who empties the batch, under the book's lock | store: the lock, and that there was a batch |
//!
//! So at most one token of a lane exists at any time, and the token channel cannot overflow.

use super::behind::Rows;
use super::book::{Book, Entry, Hold, insert};
use super::permit::Permits;
use super::wake::lock;
use super::{Delivery, Item};
use crossbeam_channel::{Receiver, Sender, bounded};
use crossbeam_utils::CachePadded;
use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::sync::{Mutex, MutexGuard};

const IDLE: u8 = 0;
const READY: u8 = 1;
const OWNED: u8 = 2;

/// One FIFO of a queue.
pub(super) struct Lane<T> {
    pub(super) gate: CachePadded<Gate>,
    sender: Sender<T>,
    receiver: Receiver<T>,
    book: CachePadded<Mutex<Book<T>>>,
}

/// What producers write for each message, on cache lines that they share with nobody else: permits and state lie
/// together because a producer that has taken a permit looks at the state next.
pub(super) struct Gate {
    pub(super) permits: Permits,
    state: AtomicU8,
}

impl<T: Item> Lane<T> {
    /// An idle lane. Its channel has one place more than permits, for the one message that `drop-oldest` may let in
    /// beside a lane full of messages in hands.
    ///
    /// Over a backlog nothing goes through the channel, as the messages that are published have an order already.
    pub(super) fn new(capacity: usize, rows: Option<Rows>) -> Self {
        let (sender, receiver) = bounded(if rows.is_some() { 1 } else { capacity + 1 });
        Self {
            gate: CachePadded::new(Gate { permits: Permits::default(), state: AtomicU8::new(IDLE) }),
            sender,
            receiver,
            book: CachePadded::new(Mutex::new(Book::new(rows))),
        }
    }

    /// The consumers' side.
    pub(super) fn book(&self) -> MutexGuard<'_, Book<T>> {
        lock(&self.book)
    }

    /// Puts in a message that has a permit, and says whether its lane's token is to be pushed now.
    #[inline]
    #[must_use]
    pub(super) fn push(&self, item: T) -> bool {
        // OK because the channel holds no more than there are permits, of which this message has one, and its other
        // end lives as long as the lane.
        self.sender.try_send(item).expect("a permit is a place in the channel");
        // Pairs with the fence in `settle`: either the one who makes the lane idle sees this message, or this thread
        // sees the lane idle. Both may; the compare-and-swap lets one win.
        fence(Ordering::SeqCst);
        // Relaxed: the fence orders it, what a token stands for is published by the token channel, and a lane that
        // looks ready or owned to us costs one load of a line that we have written a moment ago.
        self.gate.state.load(Ordering::Relaxed) == IDLE && self.rouse()
    }

    /// Takes up to `room` messages from front and channel into the hands of the caller, who has the lane's token.
    /// Returns the number of the batch, or nothing if nothing waits; then the lane may be to settle.
    pub(super) fn take(&self, book: &mut Book<T>, now: u64, room: usize, out: &mut Vec<Delivery<T>>) -> Option<u64> {
        debug_assert!(book.hold.is_none() && book.hands.is_empty());
        debug_assert_eq!(self.gate.state.load(Ordering::Relaxed), READY);
        // Relaxed: a producer that still sees READY leaves the lane alone just the same, and one cannot see the IDLE
        // from before, as only a compare-and-swap leads from there.
        self.gate.state.store(OWNED, Ordering::Relaxed);
        for _ in 0..room {
            let next = book.front.pop_front().or_else(|| self.receiver.try_recv().ok().map(Book::first));
            let Some(mut entry) = next else { break };
            entry.attempt = entry.attempt.saturating_add(1);
            out.push(Delivery { item: entry.item.clone(), attempt: entry.attempt });
            insert(&mut book.hands, entry);
        }
        if book.hands.is_empty() {
            return None;
        }
        book.grips += 1;
        book.counts.delivered += book.hands.len() as u64;
        book.hold = Some(Hold { grip: book.grips, since: now, alive: now });
        book.note_hands(now);
        Some(book.grips)
    }

    /// Frees the lane if nothing of its batch is left, and says whether its token is to be pushed now. For whoever has
    /// just taken something out of the hands, or has taken a token and found nothing.
    #[must_use]
    pub(super) fn settle(&self, book: &mut Book<T>) -> bool {
        if !book.hands.is_empty() {
            return false;
        }
        book.hold = None;
        debug_assert_eq!(self.gate.state.load(Ordering::Relaxed), OWNED);
        if book.has_more() || !self.receiver.is_empty() {
            // Relaxed, as in `take`: no producer does anything on READY or OWNED, and the token that follows
            // publishes it to the one who takes it.
            self.gate.state.store(READY, Ordering::Relaxed);
            return true;
        }
        self.gate.state.store(IDLE, Ordering::Relaxed);
        // Pairs with the fence in `push`: a message that came before we looked, and whose producer saw the lane
        // owned, is seen now. `front` needs no second look, as it changes under the lock only.
        fence(Ordering::SeqCst);
        !self.receiver.is_empty() && self.rouse()
    }

    /// Makes an idle lane ready if a poll would find something in it by now, and says whether its token is to be pushed.
    /// For whoever has put something in front, or made room for what is behind, without having had a batch of it.
    #[must_use]
    pub(super) fn stir(&self, book: &Book<T>) -> bool {
        // Relaxed: a producer that makes it ready meanwhile wins the compare-and-swap, and pushes the token.
        self.gate.state.load(Ordering::Relaxed) == IDLE && book.has_more() && self.rouse()
    }

    /// Frees the lane, if the batch it had is gone, else does as [`stir`](Self::stir) does. For whoever has taken
    /// something out of the lane, from wherever in it.
    #[must_use]
    pub(super) fn relax(&self, book: &mut Book<T>, was_held: bool) -> bool {
        if was_held { self.settle(book) } else { self.stir(book) }
    }

    /// Takes the oldest that is in nobody's hands.
    pub(super) fn pop_oldest(&self, book: &mut Book<T>) -> Option<Entry<T>> {
        // What is in the channel has never been handed out: it is behind what came back.
        book.pop_oldest().or_else(|| self.receiver.try_recv().ok().map(Book::first))
    }

    /// How many are in nobody's hands and could be handed out, what is behind included.
    pub(super) fn waiting(&self, book: &Book<T>) -> u64 {
        let behind = book.rows.as_ref().map_or(0, Rows::count);
        (book.front.len() + self.receiver.len()) as u64 + behind
    }

    /// From idle to ready, if nobody else was faster.
    fn rouse(&self) -> bool {
        // Relaxed: one winner is all that is asked of it.
        self.gate.state.compare_exchange(IDLE, READY, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{IDLE, Item, Lane};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::{hint, thread};

    impl Item for u64 {
        fn seq(&self) -> u64 {
            *self
        }
    }

    /// A message that arrives at the very moment its lane is freed: whoever of the two sees the other has to make the
    /// token. The consumer sweeps its pause over the time that the news takes to the producer and back, so that the
    /// two meet at every step of `settle`. A token that is lost leaves both waiting for ever; two trip an assertion.
    #[test]
    fn an_arrival_races_with_the_freeing_of_its_lane() {
        const ROUNDS: u64 = 200_000;
        let lane = Lane::<u64>::new(4, None);
        let (tokens, taken) = (AtomicU64::new(0), AtomicU64::new(0));
        let until = |ready: &dyn Fn() -> bool| {
            for turn in 0_u64.. {
                if ready() {
                    return;
                }
                if turn % 1_024 == 1_023 { thread::yield_now() } else { hint::spin_loop() }
            }
        };
        let ready = |ready: bool| {
            if ready {
                assert_eq!(tokens.swap(1, Ordering::SeqCst), 0, "one token at most");
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                for seq in 1..=ROUNDS {
                    until(&|| taken.load(Ordering::SeqCst) == seq - 1);
                    ready(lane.push(seq));
                }
            });
            let (mut out, mut done) = (Vec::new(), std::collections::VecDeque::new());
            while taken.load(Ordering::SeqCst) < ROUNDS {
                until(&|| tokens.load(Ordering::SeqCst) == 1);
                tokens.store(0, Ordering::SeqCst);
                let mut book = lane.book();
                if lane.take(&mut book, 0, 1, &mut out).is_some() {
                    let seq = out.pop().unwrap().item;
                    taken.store(seq, Ordering::SeqCst);
                    for _ in 0..seq % 128 {
                        hint::spin_loop();
                    }
                    book.ack_all(&mut done);
                    done.clear();
                }
                ready(lane.settle(&mut book));
            }
        });
        assert_eq!(lane.gate.state.load(Ordering::SeqCst), IDLE);
    }
}
