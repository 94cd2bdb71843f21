//! What the lanes of a queue share: the tokens, `ack_wait`, and the end.

use super::lane::Lane;
use super::wake::Wake;
use super::{Item, QueueOptions, WhenFull};
use crate::limits::Limits;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// One queue, behind its handles.
pub(super) struct Shared<T> {
    pub(super) lanes: Box<[Lane<T>]>,
    /// Permits of each lane.
    pub(super) capacity: usize,
    pub(super) batch_max: usize,
    pub(super) ack_on_poll: bool,
    when_full: AtomicU8,
    ack_wait_ms: AtomicU64,
    closed: AtomicBool,
    /// Consumers that have not been dropped.
    consumers: AtomicUsize,
    tokens_in: Sender<u32>,
    tokens_out: Receiver<u32>,
    /// Not later than the end of any `ack_wait`: a poll before it has nothing to take away, and asks no lane.
    due: AtomicU64,
    wake: Wake,
}

impl<T: Item> Shared<T> {
    pub(super) fn new(options: QueueOptions) -> Self {
        assert!((1..=Limits::MAX.lanes).contains(&options.lanes), "lanes");
        assert!((1..=Limits::MAX.capacity / options.lanes).contains(&options.capacity), "capacity");
        assert!((1..=Limits::MAX.batch).contains(&options.batch_max), "batch_max");
        let capacity = options.capacity as usize;
        let (tokens_in, tokens_out) = bounded(options.lanes as usize);
        Self {
            lanes: (0..options.lanes).map(|_| Lane::new(capacity)).collect(),
            capacity,
            batch_max: options.batch_max as usize,
            ack_on_poll: options.ack_on_poll,
            when_full: AtomicU8::new(encode(options.when_full)),
            ack_wait_ms: AtomicU64::new(options.ack_wait_ms),
            closed: AtomicBool::new(false),
            consumers: AtomicUsize::new(0),
            tokens_in,
            tokens_out,
            due: AtomicU64::new(u64::MAX),
            wake: Wake::default(),
        }
    }

    #[inline]
    pub(super) fn lane(&self, lane: u32) -> &Lane<T> {
        &self.lanes[lane as usize]
    }

    #[inline]
    pub(super) fn when_full(&self) -> WhenFull {
        // Relaxed: a reload and a message that come at the same time have no order between them.
        if self.when_full.load(Ordering::Relaxed) == encode(WhenFull::Refuse) {
            WhenFull::Refuse
        } else {
            WhenFull::DropOldest
        }
    }

    pub(super) fn set_when_full(&self, when_full: WhenFull) {
        self.when_full.store(encode(when_full), Ordering::Relaxed);
    }

    /// Puts a lane's token at the end of those that wait. For whoever has just made the lane ready, and once.
    #[inline]
    pub(super) fn push_token(&self, lane: u32) {
        self.push_token_quietly(lane);
        self.wake.ring();
    }

    /// The same, but tells nobody. Only for a poll that goes on to take tokens, perhaps this one, and then calls
    /// [`ring_for`](Self::ring_for): else a consumer that is busy would wake an idle one at each of its polls, and then
    /// take everything away from under it.
    #[inline]
    pub(super) fn push_token_quietly(&self, lane: u32) {
        // OK because a lane has one token at most (`lane.rs`), there is room for that of each, and both ends of the
        // channel live as long as the queue.
        self.tokens_in.try_send(lane).expect("one token a lane");
    }

    /// Tells others about those of `quiet` tokens, pushed quietly, that may still wait.
    #[inline]
    pub(super) fn ring_for(&self, quiet: usize) {
        for _ in 0..quiet.min(self.tokens_out.len()) {
            self.wake.ring();
        }
    }

    /// Takes the token that has waited longest.
    #[inline]
    pub(super) fn take_token(&self) -> Option<u32> {
        self.tokens_out.try_recv().ok()
    }

    /// How many tokens one poll may take (`delivery.md`, 2.2): its share, so that one slow worker does not hoard the
    /// lanes; at least one, as one may become ready while it looks.
    pub(super) fn share(&self) -> usize {
        // Relaxed: a share is a matter of politeness, not of order.
        let consumers = self.consumers.load(Ordering::Relaxed).max(1);
        self.tokens_out.len().div_ceil(consumers).max(1)
    }

    pub(super) fn consumer_begins(&self) {
        self.consumers.fetch_add(1, Ordering::Relaxed);
    }

    /// A consumer has given back all it had. If it was woken for a token that it has not taken, somebody else has to
    /// be.
    pub(super) fn consumer_ends(&self) {
        self.consumers.fetch_sub(1, Ordering::Relaxed);
        if self.has_news() {
            self.wake.ring();
        }
    }

    /// Blocks until a token waits or the queue has ended, and says whether it is so.
    pub(super) fn sleep(&self, timeout: Duration) -> bool {
        self.wake.sleep(timeout, || self.has_news())
    }

    /// A poll has found nothing: lets the descriptor rest, and says whether the queue has ended.
    pub(super) fn found_nothing(&self) -> bool {
        if self.has_ended() {
            // Whoever gave back the last permit has rung; the descriptor stays readable for ever.
            return true;
        }
        self.wake.quiet(|| self.has_news());
        false
    }

    #[cfg(unix)]
    pub(super) fn descriptor(&self) -> std::io::Result<std::os::fd::BorrowedFd<'_>> {
        self.wake.descriptor(|| self.has_news())
    }

    /// Whether a poll would have something to say.
    fn has_news(&self) -> bool {
        !self.tokens_out.is_empty() || self.has_ended()
    }
}

/// The end.
impl<T: Item> Shared<T> {
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        // SeqCst: a reservation claims and then looks here; `close` sets this and then looks at the claims; whoever
        // gives back claims looks here next. In the one order of all of these, each pair has one that sees the other.
        self.closed.load(Ordering::SeqCst)
    }

    pub(super) fn close(&self) {
        // SeqCst: see `is_closed`.
        self.closed.store(true, Ordering::SeqCst);
        self.permits_given();
    }

    /// To be called by whoever has given back permits or tickets: tells everybody if those were the last.
    #[inline]
    pub(super) fn permits_given(&self) {
        if self.is_closed() && self.has_ended() {
            self.wake.ring_all();
        }
    }

    /// Closed, nothing in it, nothing in hands, no reservation out. A permit is held by each of those, so permits are
    /// all there is to ask. Once so it stays so, but for reservations that are about to find the queue closed.
    pub(super) fn has_ended(&self) -> bool {
        self.is_closed() && self.lanes.iter().all(|lane| lane.gate.permits.none_out())
    }
}

/// `ack_wait`.
impl<T: Item> Shared<T> {
    pub(super) fn set_ack_wait(&self, ack_wait_ms: u64) {
        // Relaxed: published by the store that follows.
        self.ack_wait_ms.store(ack_wait_ms, Ordering::Relaxed);
        // Release: who reads this 0 (Acquire, in `is_due`) computes the deadlines anew, with the new time. One that was
        // handed out with the old time is found by it, as it takes the lock of each lane.
        self.due.store(0, Ordering::Release);
    }

    /// Notes that a batch has been handed out. Under the lock of its lane.
    #[inline]
    pub(super) fn note_hold(&self, now: u64) {
        let ack_wait_ms = self.ack_wait_ms.load(Ordering::Relaxed);
        let due = now.saturating_add(ack_wait_ms);
        // Relaxed: ordered against `expire` by the lane's lock. The load first, as it is nearly always earlier.
        if ack_wait_ms > 0 && due < self.due.load(Ordering::Relaxed) {
            self.due.fetch_min(due, Ordering::Relaxed);
        }
    }

    /// Whether some `ack_wait` may have ended.
    #[inline]
    pub(super) fn is_due(&self, now: u64) -> bool {
        now >= self.due.load(Ordering::Acquire)
    }

    /// Takes away every batch whose `ack_wait` has ended, in the order in which they ended, and says how many.
    #[cold]
    pub(super) fn expire(&self, now: u64) -> usize {
        // Before the first lane is locked: a batch that is handed out meanwhile, in a lane that has been looked at,
        // notes itself after this. Acquire, as this may stand in for `is_due`.
        self.due.swap(u64::MAX, Ordering::AcqRel);
        let mut ended = Vec::new();
        for (lane, due) in self.deadlines() {
            if due <= now {
                ended.push((due, lane));
            } else {
                self.due.fetch_min(due, Ordering::Relaxed);
            }
        }
        ended.sort_unstable();
        ended.into_iter().filter(|&(_, lane)| self.take_away(lane, now)).count()
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.deadlines().map(|(_, due)| due).min()
    }

    fn deadlines(&self) -> impl Iterator<Item = (u32, u64)> {
        let ack_wait_ms = self.ack_wait_ms.load(Ordering::Relaxed);
        let due = move |lane: &Lane<T>| lane.book().hold().and_then(|hold| hold.due(ack_wait_ms));
        (0..).zip(&self.lanes).filter_map(move |(index, lane)| Some((index, due(lane)?)))
    }

    fn take_away(&self, index: u32, now: u64) -> bool {
        let lane = self.lane(index);
        let mut book = lane.book();
        // Asked again, as the lock was let go: there may have been a sign of life.
        let due = book.hold().and_then(|hold| hold.due(self.ack_wait_ms.load(Ordering::Relaxed)));
        let Some(due) = due else { return false };
        if due > now {
            self.due.fetch_min(due, Ordering::Relaxed);
            return false;
        }
        book.put_back();
        let ready = lane.settle(&mut book);
        drop(book);
        if ready {
            self.push_token(index);
        }
        true
    }
}

const fn encode(when_full: WhenFull) -> u8 {
    match when_full {
        WhenFull::Refuse => 0,
        WhenFull::DropOldest => 1,
    }
}
