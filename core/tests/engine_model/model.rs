//! The model: what is known of every message, and the way in.

use crate::bodies::{Body, Key, TERMINALS, Wanted};
use crate::setup::{Full, PENDING, Setup, WINDOWS};
use nexowire_core::delivery::{BusyReason, Verdict};
use nexowire_core::queue::lane_of;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A message that was accepted, for ever.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) text: String,
    pub(crate) wanted: Wanted,
    /// Whether it is flagged `conflict` or `update`; nothing where the contract does not say.
    pub(crate) variant: Option<bool>,
    pub(crate) origin: Option<u64>,
    pub(crate) replayed: bool,
    /// Where it died, why, and after how many attempts, if it was moved.
    pub(crate) died: Option<(usize, String, u32)>,
    pub(crate) received_at: u64,
    pub(crate) queues: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spilled {
    No,
    Maybe,
    Yes,
}

/// A delivery that is not done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    pub(crate) attempt: u32,
    pub(crate) failures: u32,
    /// When its delay ends; 0: it has none.
    pub(crate) due: u64,
    pub(crate) spilled: Spilled,
    pub(crate) gone: bool,
}

/// What one consumer holds of one lane.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) consumer: usize,
    pub(crate) alive: u64,
    pub(crate) seqs: BTreeSet<u64>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pub(crate) deliveries: BTreeMap<u64, Delivery>,
    pub(crate) batches: BTreeMap<u32, Batch>,
    /// Permits reserved and not published, by lane.
    pub(crate) claims: BTreeMap<u32, usize>,
    /// Lanes that may have something in the store only.
    pub(crate) behind: BTreeSet<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) wanted: Wanted,
    pub(crate) has_key: bool,
    pub(crate) variant: Option<bool>,
    pub(crate) follows: bool,
    /// Queues, and whether a permit is held there.
    pub(crate) queues: Vec<(usize, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Leaves {
    Quarantine(u64),
    Dead(u64, usize),
}

/// A body that waits for a commit.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// Nothing if a thread waits.
    pub(crate) id: Option<u64>,
    pub(crate) text: String,
    pub(crate) now: u64,
    pub(crate) received_at: u64,
    pub(crate) parts: Vec<Part>,
    pub(crate) bad: Vec<(Option<u32>, &'static str)>,
    /// All that the body says, good or bad.
    pub(crate) all: Vec<Wanted>,
    pub(crate) origin: Option<u64>,
    pub(crate) leaves: Option<Leaves>,
}

/// A message that died and is to be moved.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) queue: usize,
    pub(crate) seq: u64,
    pub(crate) reason: String,
    pub(crate) attempts: u32,
}

/// An entry of the quarantine.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) item: Option<u32>,
    pub(crate) reason: &'static str,
    pub(crate) received_at: u64,
    pub(crate) text: String,
    /// What it would be if it were let in; nothing if it is malformed.
    pub(crate) wanted: Vec<Wanted>,
}

pub(crate) struct Model {
    pub(crate) setup: Setup,
    pub(crate) now: u64,
    pub(crate) last_seq: u64,
    pub(crate) latched: bool,
    /// Whether something not urgent is to be written; nothing if an advance may have written it.
    pub(crate) dirty: Option<bool>,
    pub(crate) waiting: Vec<Waiting>,
    /// Completions that have not been read, with the messages that they count for.
    pub(crate) unread: VecDeque<(u64, Verdict, usize)>,
    /// When each key was first accepted, and its variants.
    pub(crate) keys: BTreeMap<Key, (u64, Vec<(u64, u64)>)>,
    pub(crate) queues: [Queue; 3],
    pub(crate) log: BTreeMap<u64, Logged>,
    /// Reason and attempts.
    pub(crate) dead: BTreeMap<(u64, usize), (String, u32)>,
    pub(crate) quarantine: BTreeMap<u64, Entry>,
    pub(crate) moves: Vec<Move>,
    /// What a commit that failed has left in the store.
    pub(crate) kept: Option<crate::commit::Effect>,
}

pub(crate) const fn busy(reason: BusyReason) -> Verdict {
    Verdict::Busy { reason }
}

impl Model {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            setup,
            now: 0,
            last_seq: 0,
            latched: false,
            dirty: Some(false),
            waiting: vec![],
            unread: VecDeque::new(),
            keys: BTreeMap::new(),
            queues: Default::default(),
            log: BTreeMap::new(),
            dead: BTreeMap::new(),
            quarantine: BTreeMap::new(),
            moves: vec![],
            kept: None,
        }
    }

    pub(crate) fn lane_of(&self, queue: usize, terminal: usize) -> u32 {
        lane_of(TERMINALS[terminal].as_bytes(), self.setup.lanes[queue])
    }

    pub(crate) fn lane(&self, queue: usize, seq: u64) -> u32 {
        self.lane_of(queue, self.log[&seq].wanted.key.terminal)
    }

    /// The numbers that are not done in a lane.
    pub(crate) fn in_lane(&self, queue: usize, lane: u32) -> Vec<u64> {
        let all = self.queues[queue].deliveries.keys().copied();
        all.filter(|&seq| self.lane(queue, seq) == lane).collect()
    }

    pub(crate) fn is_held(&self, queue: usize, seq: u64) -> bool {
        self.queues[queue].batches.values().any(|batch| batch.seqs.contains(&seq))
    }

    /// Permits that are out in a lane.
    pub(crate) fn used(&self, queue: usize, lane: u32) -> usize {
        self.in_lane(queue, lane).len() + self.queues[queue].claims.get(&lane).copied().unwrap_or(0)
    }

    pub(crate) fn window(key: &Key) -> u64 {
        WINDOWS[usize::from(key.sort == crate::bodies::Sort::Item)]
    }

    /// The variants of a key that is live at `now`.
    pub(crate) fn live(&self, key: &Key, now: u64) -> Option<&Vec<(u64, u64)>> {
        let (first_at, variants) = self.keys.get(key)?;
        (now.saturating_sub(*first_at) < Self::window(key)).then_some(variants)
    }

    pub(crate) fn duplicate_of(&self, wanted: &Wanted, now: u64) -> Option<u64> {
        let variants = self.live(&wanted.key, now)?;
        variants.iter().find(|(digest, _)| *digest == wanted.digest).map(|(_, seq)| *seq)
    }

    /// How many messages wait for a commit, or for their completion to be read.
    pub(crate) fn pending(&self) -> usize {
        self.waiting.iter().map(Waiting::count).sum::<usize>()
            + self.unread.iter().map(|(.., count)| count).sum::<usize>()
    }

    /// A body comes in: its verdict, or nothing if it waits.
    pub(crate) fn enter(&mut self, body: &Body, id: Option<u64>) -> Option<Verdict> {
        let (mut parts, mut bad) = (vec![], vec![]);
        if body.wanted.is_empty() {
            bad.push((None, "malformed"));
        }
        for wanted in &body.wanted {
            if wanted.is_in_scope(&self.setup) {
                parts.push(self.part(*wanted));
            } else {
                bad.push((wanted.item, "out_of_scope"));
            }
        }
        let (now, text) = (self.now, body.text.clone());
        let all = body.wanted.clone();
        self.join(Waiting { id, text, now, received_at: now, parts, bad, all, origin: None, leaves: None })
    }

    pub(crate) fn part(&self, wanted: Wanted) -> Part {
        let queues = wanted.queues(&self.setup).into_iter().map(|queue| (queue, false)).collect();
        Part { wanted, has_key: true, variant: Some(false), follows: false, queues }
    }

    pub(crate) fn join(&mut self, mut waiting: Waiting) -> Option<Verdict> {
        if self.latched {
            return Some(busy(BusyReason::Store));
        }
        let in_flight = |other: &Part, wanted: &Wanted| {
            let same = other.wanted.key == wanted.key && other.wanted.digest == wanted.digest;
            other.has_key && !other.follows && same
        };
        let mut duplicates = vec![];
        for at in 0..waiting.parts.len() {
            let Part { wanted, has_key, .. } = waiting.parts[at];
            let duplicate = self.duplicate_of(&wanted, waiting.now).filter(|_| has_key);
            duplicates.extend(duplicate);
            let mut others = self.waiting.iter().flat_map(|other| &other.parts).chain(&waiting.parts[..at]);
            let follows = duplicate.is_some() || (has_key && others.any(|other| in_flight(other, &wanted)));
            waiting.parts[at].follows = follows;
        }
        if !duplicates.is_empty() && duplicates.len() == waiting.parts.len() && waiting.bad.is_empty() {
            self.leave(waiting.leaves);
            return Some(Verdict::Duplicate { seq: duplicates[0] });
        }
        if self.pending() + waiting.count() > PENDING || !self.reserve(&mut waiting) {
            return Some(busy(BusyReason::Full));
        }
        self.waiting.push(waiting);
        None
    }

    /// Permits of all queues that refuse, or none.
    fn reserve(&mut self, waiting: &mut Waiting) -> bool {
        for part in 0..waiting.parts.len() {
            let Part { wanted, follows, ref queues, .. } = waiting.parts[part];
            for at in 0..if follows { 0 } else { queues.len() } {
                let (queue, _) = waiting.parts[part].queues[at];
                let lane = self.lane_of(queue, wanted.key.terminal);
                if self.setup.full[queue] != Full::Refuse {
                    continue;
                }
                if self.used(queue, lane) >= self.setup.capacity[queue] as usize {
                    self.give_back(waiting);
                    return false;
                }
                *self.queues[queue].claims.entry(lane).or_default() += 1;
                waiting.parts[part].queues[at].1 = true;
            }
        }
        true
    }

    pub(crate) fn give_back(&mut self, waiting: &mut Waiting) {
        for part in &mut waiting.parts {
            for (queue, has_permit) in part.queues.iter_mut().filter(|(_, has_permit)| *has_permit) {
                *has_permit = false;
                let lane = lane_of(TERMINALS[part.wanted.key.terminal].as_bytes(), self.setup.lanes[*queue]);
                *self.queues[*queue].claims.get_mut(&lane).unwrap() -= 1;
            }
        }
    }

    /// What was replayed leaves the place where it was kept.
    pub(crate) fn leave(&mut self, leaves: Option<Leaves>) {
        match leaves {
            Some(Leaves::Quarantine(seq)) => drop(self.quarantine.remove(&seq)),
            Some(Leaves::Dead(seq, queue)) => drop(self.dead.remove(&(seq, queue))),
            None => return,
        }
        self.dirty = Some(true);
    }
}

impl Waiting {
    pub(crate) fn count(&self) -> usize {
        (self.parts.len() + self.bad.len()).max(1)
    }
}
