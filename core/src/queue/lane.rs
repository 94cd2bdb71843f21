//! One lane: a channel, what came back in front of it, and what is in somebody's hands.
//!
//! A lane is **idle** (nothing waits, or so it seemed), **ready** (its one token is in the queue's token channel, or on
//! the way there or from there) or **owned** (a batch of it is in somebody's hands). Who may change that:
//!
//! | from, to | who | how |
//! |---|---|---|
//! | idle, ready | who puts something in, or who has just made it idle | compare-and-swap: one wins and pushes the token |
//! | ready, owned | who has received the token | store: there is one token, so nobody else can |
//! | owned, ready or idle | who empties the batch, under the book's lock | store: the lock, and that there was a batch |
//!
//! So at most one token of a lane exists at any time, and the token channel cannot overflow.

use super::permit::Permits;
use super::wake::lock;
use super::{Delivery, Item};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::sync::{Mutex, MutexGuard};

const IDLE: u8 = 0;
const READY: u8 = 1;
const OWNED: u8 = 2;

/// One FIFO of a queue.
pub(super) struct Lane<T> {
    pub(super) gate: Gate,
    sender: Sender<T>,
    receiver: Receiver<T>,
    book: Apart<Mutex<Book<T>>>,
}

/// What producers write for each message, on cache lines that they share with nobody else: permits and state lie
/// together because a producer that has taken a permit looks at the state next. 128 bytes, as x86-64 fetches lines in
/// pairs and aarch64 has some of 128.
#[repr(align(128))]
pub(super) struct Gate {
    pub(super) permits: Permits,
    state: AtomicU8,
}

#[repr(align(128))]
struct Apart<T>(T);

/// The consumers' side of a lane, under its lock.
pub(super) struct Book<T> {
    /// What came back, by rising sequence number. All of it has been handed out before.
    front: VecDeque<Entry<T>>,
    /// The one batch that is in somebody's hands, by rising sequence number. Empty if and only if `hold` is `None`.
    hands: VecDeque<Entry<T>>,
    hold: Option<Hold>,
    /// The number of the last batch.
    grips: u64,
    pub(super) counts: Counts,
}

/// A message that has been handed out at least once.
pub(super) struct Entry<T> {
    seq: u64,
    /// How often it has been handed out.
    attempt: u32,
    item: T,
}

/// Whose hands, and since when.
#[derive(Clone, Copy)]
pub(super) struct Hold {
    /// The number of this batch in this lane. Its consumer knows it, so it says who the holder is, too.
    grip: u64,
    /// When it was handed out.
    pub(super) since: u64,
    /// When its consumer last gave a sign of life: `ack_wait` runs from here.
    pub(super) alive: u64,
}

/// What has happened in one lane. Plain numbers: all of it happens under the lock, so counting shares nothing.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) delivered: u64,
    pub(super) acked: u64,
    pub(super) released: u64,
    pub(super) dropped: u64,
}

impl<T: Item> Lane<T> {
    /// An idle lane. Its channel has one place more than permits, for the one message that `drop-oldest` may let in
    /// beside a lane full of messages in hands.
    pub(super) fn new(capacity: usize) -> Self {
        let (sender, receiver) = bounded(capacity + 1);
        let book =
            Book { front: VecDeque::new(), hands: VecDeque::new(), hold: None, grips: 0, counts: Counts::default() };
        Self {
            gate: Gate { permits: Permits::default(), state: AtomicU8::new(IDLE) },
            sender,
            receiver,
            book: Apart(Mutex::new(book)),
        }
    }

    /// The consumers' side.
    pub(super) fn book(&self) -> MutexGuard<'_, Book<T>> {
        lock(&self.book.0)
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
            let (item, attempt, seq) = match book.front.pop_front() {
                Some(entry) => (entry.item, entry.attempt.saturating_add(1), entry.seq),
                None => match self.receiver.try_recv() {
                    Ok(item) => {
                        let seq = item.seq();
                        (item, 1, seq)
                    }
                    Err(_) => break,
                },
            };
            out.push(Delivery { item: item.clone(), attempt });
            insert(&mut book.hands, Entry { seq, attempt, item });
        }
        if book.hands.is_empty() {
            return None;
        }
        book.grips += 1;
        book.counts.delivered += book.hands.len() as u64;
        book.hold = Some(Hold { grip: book.grips, since: now, alive: now });
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
        if self.waiting(book) > 0 {
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

    /// Takes the oldest that is in nobody's hands.
    pub(super) fn pop_oldest(&self, book: &mut Book<T>) -> Option<T> {
        match book.front.pop_front() {
            Some(entry) => Some(entry.item),
            None => self.receiver.try_recv().ok(),
        }
    }

    /// How many are in nobody's hands.
    pub(super) fn waiting(&self, book: &Book<T>) -> usize {
        book.front.len() + self.receiver.len()
    }

    /// From idle to ready, if nobody else was faster.
    fn rouse(&self) -> bool {
        // Relaxed: one winner is all that is asked of it.
        self.gate.state.compare_exchange(IDLE, READY, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl<T: Item> Book<T> {
    /// How many are in somebody's hands.
    pub(super) fn in_hands(&self) -> usize {
        self.hands.len()
    }

    /// Whose hands.
    pub(super) fn hold(&self) -> Option<Hold> {
        self.hold
    }

    /// Whether the batch of this number is still, in part at least, with its consumer.
    pub(super) fn holds(&self, grip: u64) -> bool {
        self.hold.is_some_and(|hold| hold.grip == grip)
    }

    /// Removes one that has been handed out, from whosever hands or from the front; says whether it was there.
    pub(super) fn ack(&mut self, now: u64, seq: u64) -> bool {
        let found = remove(&mut self.hands, seq).map(|_| self.alive(now)).is_some();
        let found = found || remove(&mut self.front, seq).is_some();
        self.counts.acked += u64::from(found);
        found
    }

    /// Removes all that is in hands. They end in `done`, which is empty, so that the caller can drop them without the
    /// lock.
    pub(super) fn ack_all(&mut self, done: &mut VecDeque<Entry<T>>) {
        debug_assert!(done.is_empty());
        self.counts.acked += self.hands.len() as u64;
        std::mem::swap(&mut self.hands, done);
    }

    /// Moves one out of the hands in front; says whether it was there.
    pub(super) fn release(&mut self, now: u64, seq: u64) -> bool {
        let Some(entry) = remove(&mut self.hands, seq) else { return false };
        insert(&mut self.front, entry);
        self.alive(now);
        self.counts.released += 1;
        true
    }

    /// Moves all that is in hands in front, in order; says how many those were.
    pub(super) fn put_back(&mut self) -> usize {
        let count = self.hands.len();
        // From the last to the first: each then stands before the one that went in before it.
        while let Some(entry) = self.hands.pop_back() {
            insert(&mut self.front, entry);
        }
        count
    }

    /// A sign of life of the batch. Time that goes back counts as the last one seen (`delivery.md`, 6.1).
    fn alive(&mut self, now: u64) {
        if let Some(hold) = &mut self.hold {
            hold.alive = hold.alive.max(now);
        }
    }
}

impl Hold {
    /// When `ack_wait` ends for this batch; never if it is 0.
    pub(super) fn due(&self, ack_wait_ms: u64) -> Option<u64> {
        (ack_wait_ms > 0).then(|| self.alive.saturating_add(ack_wait_ms))
    }
}

/// Inserts by rising sequence number. At either end, where almost all belongs, this is one comparison.
fn insert<T>(entries: &mut VecDeque<Entry<T>>, entry: Entry<T>) {
    if entries.back().is_none_or(|last| last.seq < entry.seq) {
        entries.push_back(entry);
    } else if entries.front().is_some_and(|first| first.seq > entry.seq) {
        entries.push_front(entry);
    } else {
        // Calls that overlap in time may have put their numbers into the lane the other way round (1.8).
        let at = entries.partition_point(|other| other.seq < entry.seq);
        entries.insert(at, entry);
    }
}

fn remove<T>(entries: &mut VecDeque<Entry<T>>, seq: u64) -> Option<Entry<T>> {
    // Acks come in the order of the hand-out as a rule.
    if entries.front().is_some_and(|first| first.seq == seq) {
        return entries.pop_front();
    }
    let at = entries.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
    entries.remove(at)
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
        let lane = Lane::<u64>::new(4);
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
