//! What the lanes of a queue share: the tokens, and the end.

use super::behind::{Backlog, Rows};
use super::changes::Changed;
use super::lane::Lane;
use super::letters::{Letters, Retry};
use super::wake::Wake;
use super::{Item, QueueOptions, WhenFull};
use crate::limits::Limits;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// One queue, behind its handles.
pub(super) struct Shared<T> {
    pub(super) lanes: Box<[Lane<T>]>,
    /// Permits of each lane.
    pub(super) capacity: usize,
    pub(super) batch_max: usize,
    pub(super) ack_on_poll: bool,
    pub(super) backlog: Option<Arc<dyn Backlog<T>>>,
    pub(super) changed: Arc<Changed>,
    pub(super) retry: Retry,
    pub(super) letters: Letters<T>,
    when_full: AtomicU8,
    pub(super) ack_wait_ms: AtomicU64,
    closed: AtomicBool,
    /// Closed, and nothing is handed out or acked any more.
    shut: AtomicBool,
    /// Consumers that have not been dropped.
    consumers: AtomicUsize,
    tokens_in: Sender<u32>,
    tokens_out: Receiver<u32>,
    /// Not later than the end of any `ack_wait` or delay: a poll before it has nothing to do for them, and asks no lane.
    pub(super) due: AtomicU64,
    /// Batches that `ack_wait` has taken away.
    pub(super) taken_away: AtomicU64,
    /// Not later than the end of any delay of what is behind since an opening.
    pub(super) due_behind: AtomicU64,
    pub(super) wake: Wake,
}

impl<T: Item> Shared<T> {
    pub(super) fn new(options: QueueOptions, backlog: Option<Arc<dyn Backlog<T>>>) -> Self {
        assert!((1..=Limits::MAX.lanes).contains(&options.lanes), "lanes");
        assert!((1..=Limits::MAX.capacity / options.lanes).contains(&options.capacity), "capacity");
        assert!((1..=Limits::MAX.batch).contains(&options.batch_max), "batch_max");
        let capacity = options.capacity as usize;
        let (tokens_in, tokens_out) = bounded(options.lanes as usize);
        let changed = Arc::new(Changed::default());
        let rows = |lane| backlog.is_some().then(|| Rows::new(lane, capacity, Arc::clone(&changed)));
        Self {
            lanes: (0..options.lanes).map(|lane| Lane::new(capacity, rows(lane))).collect(),
            capacity,
            batch_max: options.batch_max as usize,
            ack_on_poll: options.ack_on_poll && backlog.is_none(),
            retry: Retry::new(&options),
            letters: Letters::default(),
            when_full: AtomicU8::new(Self::in_force(options.when_full, backlog.is_some())),
            ack_wait_ms: AtomicU64::new(options.ack_wait_ms),
            closed: AtomicBool::new(false),
            shut: AtomicBool::new(false),
            consumers: AtomicUsize::new(0),
            tokens_in,
            tokens_out,
            due: AtomicU64::new(u64::MAX),
            taken_away: AtomicU64::new(0),
            due_behind: AtomicU64::new(u64::MAX),
            wake: Wake::default(),
            changed,
            backlog,
        }
    }

    #[inline]
    pub(super) fn lane(&self, lane: u32) -> &Lane<T> {
        &self.lanes[lane as usize]
    }

    #[inline]
    pub(super) fn when_full(&self) -> WhenFull {
        // Relaxed: a reload and a message that come at the same time have no order between them.
        WhenFull::decode(self.when_full.load(Ordering::Relaxed))
    }

    pub(super) fn set_when_full(&self, when_full: WhenFull) {
        self.when_full.store(Self::in_force(when_full, self.backlog.is_some()), Ordering::Relaxed);
    }

    fn in_force(when_full: WhenFull, has_backlog: bool) -> u8 {
        match when_full {
            WhenFull::Spill if !has_backlog => WhenFull::Refuse,
            when_full => when_full,
        }
        .encode()
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

    /// Blocks until a token waits, the queue has ended or a deadline has come that was not there at `turn`, and says
    /// whether it is one of the first two.
    pub(super) fn sleep(&self, timeout: Duration, turn: u64) -> bool {
        self.wake.sleep(timeout, turn, || self.has_news())
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

    #[inline]
    pub(super) fn is_shut(&self) -> bool {
        // Relaxed: under a lane's lock, which `shut` takes after it has set this, it counts exactly; elsewhere nothing
        // depends on it.
        self.shut.load(Ordering::Relaxed)
    }

    pub(super) fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
        // Whoever found it open under a lane's lock has noted what it did there when this has had that lock: a lane
        // that has nothing noted is not asked for its changes.
        self.lanes.iter().for_each(|lane| drop(lane.book()));
        self.close();
    }

    /// To be called by whoever has given back permits or tickets: tells everybody if those were the last.
    #[inline]
    pub(super) fn permits_given(&self) {
        if self.is_closed() && self.has_ended() {
            self.wake.ring_all();
        }
    }

    /// Shut; or closed, nothing in it, nothing in hands, no reservation out. A permit is held by each of those, so permits are
    /// all there is to ask. Once so it stays so, but for reservations that are about to find the queue closed.
    pub(super) fn has_ended(&self) -> bool {
        self.is_closed() && (self.is_shut() || self.lanes.iter().all(|lane| lane.gate.permits.none_out()))
    }
}
