//! What somebody outside has noted of all that was asked and answered, and what must follow from it.

use crate::body::{self, Sort};
use nexowire_core::delivery::{DeadLetter, QuarantineEntry, Verdict};
use nexowire_core::engine::Delivered;
use std::collections::{BTreeMap, BTreeSet};

/// What a number belongs to: a message of a body, or what is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    id: u64,
    item: Option<u32>,
    origin_seq: Option<u64>,
}

/// What is known of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// It has to come.
    Owed,
    /// It may come: it was perhaps dropped, or nobody knows.
    Perhaps,
    /// It was acked, or sent to the dead letters, and that may not be stored yet.
    Acked,
    Buried,
    /// It was sent to the dead letters in an earlier life: it is there, or comes again.
    Either,
    /// That is stored: it must not come again.
    Done,
    Dead,
}

#[derive(Clone, Default)]
pub(crate) struct Log {
    case: String,
    /// Whether this case is told as it goes: those whose names begin as `NEXOWIRE_CASE`.
    is_told: bool,
    /// By number of the body: the first number that it was answered with, if it was.
    bodies: BTreeMap<u64, Option<u64>>,
    accepted: BTreeSet<u64>,
    owners: BTreeMap<u64, Owner>,
    dues: BTreeMap<(usize, u64), Due>,
    /// Those that were nacked once: they come out of order.
    nacked: BTreeSet<(usize, u64)>,
    /// How many replayed messages were answered, and which have come.
    replays: u64,
    replayed: BTreeSet<u64>,
    /// In this life: what has been handed out and not nacked, and by queue and terminal the last one.
    handed: BTreeSet<(usize, u64)>,
    last: BTreeMap<(usize, u64), u64>,
    next_id: u64,
    /// The highest number that was known when this life began: what is new in it has a higher one.
    floor: u64,
}

/// The queue that may drop what it has.
const DROPS: usize = 2;

impl Log {
    pub(crate) fn begin(&mut self, case: &str) {
        self.case = case.to_owned();
        self.is_told = std::env::var("NEXOWIRE_CASE").is_ok_and(|told| case.starts_with(&told));
        self.new_life();
    }

    /// Tells what happens, if anybody wants to know.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.is_told {
            println!("{}", what());
        }
    }

    /// Consumers hold nothing any more, and what was asked and not written is perhaps forgotten.
    pub(crate) fn new_life(&mut self) {
        self.tell(|| format!("{}: a life begins", self.case));
        self.handed.clear();
        self.last.clear();
        self.floor = self.owners.last_key_value().map_or(0, |(last, _)| *last);
        for ((queue, _), due) in &mut self.dues {
            match due {
                Due::Acked => *due = Due::Perhaps,
                // It is perhaps dropped before it comes again.
                Due::Buried if *queue == DROPS => *due = Due::Perhaps,
                Due::Buried => *due = Due::Either,
                _ => {}
            }
        }
    }

    /// A body that has never been given.
    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// One that has been given before; the late ones are likelier.
    pub(crate) fn old_id(&self, random: u64) -> Option<u64> {
        let back = if random.is_multiple_of(2) { random / 2 % 4 } else { random / 2 % self.next_id.max(1) };
        self.bodies.contains_key(&(self.next_id - back.min(self.next_id))).then(|| self.next_id - back)
    }

    pub(crate) fn given(&mut self, id: u64) {
        self.bodies.entry(id).or_default();
    }

    /// Bodies of which nobody knows whether they are stored, the late ones first.
    pub(crate) fn unknown(&self) -> Vec<u64> {
        self.bodies.iter().rev().filter(|(_, first)| first.is_none()).map(|(id, _)| *id).collect()
    }

    fn own(&mut self, seq: u64, owner: Owner) {
        let before = *self.owners.entry(seq).or_insert(owner);
        assert_eq!(before, owner, "{}: number {seq} was given twice", self.case);
    }

    /// A body has its numbers, from this one on.
    fn kept(&mut self, id: u64, first: u64) {
        let known = self.bodies.insert(id, Some(first)).expect("it was given");
        assert!(known.is_none_or(|known| known == first), "{}: body {id} is {known:?} and {first}", self.case);
        if known.is_some() {
            return;
        }
        let is_webhook = matches!(body::sort(id), Sort::Webhook { .. });
        if body::sort(id) == Sort::Bad {
            self.own(first, Owner { id, item: None, origin_seq: None });
        }
        for at in 0..body::count(id) {
            let seq = first + u64::from(at);
            self.own(seq, Owner { id, item: is_webhook.then_some(at), origin_seq: None });
            for queue in body::queues(id) {
                self.dues.insert((*queue, seq), if *queue == DROPS { Due::Perhaps } else { Due::Owed });
            }
        }
    }

    /// What the engine has answered to a body.
    pub(crate) fn answered(&mut self, id: u64, verdict: Verdict) {
        self.tell(|| format!("body {id}: {verdict:?}"));
        let case = &self.case;
        let known = self.bodies[&id];
        match verdict {
            Verdict::Accepted { first_seq, count, stored } => {
                // A repeat may have said its number before its completion was read.
                let once = self.accepted.insert(id) && known.is_none_or(|known| known == first_seq);
                assert!(once, "{case}: body {id} is {known:?} and accepted again as {first_seq}");
                assert!(stored && count == body::count(id), "{case}: body {id}: {verdict:?}");
                assert!(first_seq > self.floor, "{case}: {first_seq}, and {} was given before", self.floor);
                self.kept(id, first_seq);
                self.written();
            }
            Verdict::Quarantined { seq, stored, .. } => {
                assert!(stored && body::sort(id) == Sort::Bad, "{case}: body {id}: {verdict:?}");
                // Bad bodies have no key: each repeat is an entry of its own.
                self.own(seq, Owner { id, item: None, origin_seq: None });
                self.bodies.insert(id, Some(seq));
                self.written();
            }
            Verdict::Duplicate { seq } => self.kept(id, seq),
            Verdict::Busy { .. } => {}
            other => panic!("{case}: body {id}: {other:?}"),
        }
    }

    /// The store was written well: what was asked before is stored.
    pub(crate) fn written(&mut self) {
        for due in self.dues.values_mut() {
            match due {
                Due::Acked => *due = Due::Done,
                Due::Buried => *due = Due::Dead,
                _ => {}
            }
        }
    }

    /// A message has come.
    pub(crate) fn handed(&mut self, queue: usize, delivered: &Delivered) {
        let (message, case) = (&delivered.message, self.case.clone());
        let origin = message.origin();
        let (seq, id) = (origin.seq, origin.tag.expect("every body has a tag"));
        assert_eq!(message.received(), body::text(id).as_bytes(), "{case}: the bytes of {seq}");
        assert!(body::queues(id).contains(&queue), "{case}: {seq} is in a queue that it does not belong to");
        let origin_seq = message.story().and_then(|story| story.origin_seq);
        self.tell(|| format!("queue {queue} has {seq} of body {id}, attempt {}", delivered.attempt));
        let owner = Owner { id, item: origin.item, origin_seq };
        if let Some(repeated) = origin_seq {
            self.own(seq, owner);
            assert_eq!(self.owners.get(&repeated).map(|owner| owner.id), Some(id), "{case}: what {seq} repeats");
            self.replayed.insert(seq);
            self.dues.entry((queue, seq)).or_insert(Due::Owed);
        } else {
            self.kept(id, seq - u64::from(origin.item.unwrap_or(0)));
            self.own(seq, owner);
        }
        let at = (queue, seq);
        assert!(self.handed.insert(at), "{case}: {at:?} is handed out twice in one life");
        if !self.nacked.contains(&at) {
            let last = self.last.insert((queue, body::terminal(id)), seq);
            assert!(last.is_none_or(|last| last < seq), "{case}: {seq} of queue {queue} comes after {last:?}");
        }
        let due = self.dues[&at];
        assert!(!matches!(due, Due::Done | Due::Dead), "{case}: {at:?} comes again after it was {due:?}");
    }

    pub(crate) fn acked(&mut self, queue: usize, seq: u64) {
        self.tell(|| format!("acked {seq} of queue {queue}"));
        self.dues.insert((queue, seq), Due::Acked);
    }

    pub(crate) fn buried(&mut self, queue: usize, seq: u64) {
        self.tell(|| format!("buried {seq} of queue {queue}"));
        self.dues.insert((queue, seq), Due::Buried);
    }

    /// It comes again, in this life too.
    pub(crate) fn nacked(&mut self, queue: usize, seq: u64) {
        self.tell(|| format!("nacked {seq} of queue {queue}"));
        self.nacked.insert((queue, seq));
        self.handed.remove(&(queue, seq));
    }

    /// So many were accepted again.
    pub(crate) fn replayed(&mut self, count: u64) {
        self.tell(|| format!("{count} replayed"));
        self.replays += count;
    }

    /// Dead letters were asked to leave.
    pub(crate) fn exhumed(&mut self) {
        for due in self.dues.values_mut() {
            if matches!(due, Due::Dead | Due::Buried | Due::Either) {
                *due = Due::Perhaps;
            }
        }
    }

    /// What the quarantine holds.
    pub(crate) fn quarantine(&mut self, entries: &[QuarantineEntry]) {
        let mut found = BTreeSet::new();
        for entry in entries {
            let id = entry.tag.expect("every body has a tag");
            assert_eq!(entry.body, body::text(id).as_bytes(), "{}: the bytes of entry {}", self.case, entry.seq);
            assert_eq!(body::sort(id), Sort::Bad);
            self.own(entry.seq, Owner { id, item: None, origin_seq: None });
            assert!(found.insert(entry.seq), "{}: entry {} is there twice", self.case, entry.seq);
            self.bodies.insert(id, Some(entry.seq));
        }
        for (seq, owner) in &self.owners {
            let lost = body::sort(owner.id) == Sort::Bad && !found.contains(seq);
            assert!(!lost, "{}: entry {seq} is lost", self.case);
        }
    }

    /// All that could be had has come and was acked, and this is among the dead letters.
    pub(crate) fn drained(&mut self, letters: &[DeadLetter]) {
        let name = |queue: usize| crate::life::QUEUES[queue];
        let lies =
            |queue, seq| letters.iter().filter(|letter| letter.seq == seq && letter.queue == name(queue)).count();
        for (&(queue, seq), due) in &mut self.dues {
            let came = self.handed.contains(&(queue, seq));
            let dead = lies(queue, seq);
            let case = &self.case;
            assert!(dead <= 1 && (dead == 0 || !came), "{case}: {seq} of queue {queue} is dead and alive");
            match due {
                Due::Owed => panic!("{case}: {seq} of queue {queue} was accepted and is lost"),
                Due::Dead => assert_eq!(dead, 1, "{case}: {seq} of queue {queue} has left the dead letters"),
                Due::Buried | Due::Either if !came => {
                    assert_eq!(dead, 1, "{case}: {seq} of queue {queue} is neither dead nor alive")
                }
                _ => {}
            }
        }
        let came = self.replayed.len() as u64;
        assert!(came >= self.replays, "{}: {} were replayed, and {came} came", self.case, self.replays);
    }
}
