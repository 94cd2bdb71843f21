//! Of the model: messages again.

use crate::bodies::Wanted;
use crate::model::{Leaves, Model, Part, Waiting, busy};
use crate::setup::PENDING;
use nexowire_core::delivery::{BusyReason, Verdict};
use nexowire_core::engine::ReplaySource;

impl Model {
    /// Replays what has these numbers, of one queue or all; how many were accepted.
    pub(crate) fn replay(&mut self, source: ReplaySource, (from, to): (u64, u64), queue: Option<usize>) -> u64 {
        self.commit(None);
        if source == ReplaySource::Log {
            // What that has dropped for others is not pending any more (`delivery.md`, 2.8 and 3.8): it is written, so
            // that the log says so.
            self.commit(None);
        }
        let all = match source {
            ReplaySource::Log => self.logged(from, to, queue),
            ReplaySource::Quarantine => self.kept_from_queues(from, to),
            _ => self.buried(from, to, queue),
        };
        let mut accepted = 0;
        for waiting in all {
            if self.pending() + waiting.count() > PENDING {
                accepted += self.commit_what_waits();
            }
            if self.join(waiting) == Some(busy(BusyReason::Full)) {
                break;
            }
        }
        accepted + self.commit_what_waits()
    }

    /// How many of those that wait were accepted. Where nobody waits nobody commits: what left as a duplicate is
    /// written by the next commit (`delivery.md`, section 5).
    fn commit_what_waits(&mut self) -> u64 {
        if self.waiting.is_empty() {
            return 0;
        }
        let verdicts = self.commit(None);
        verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Accepted { .. })).count() as u64
    }

    fn again(&self, seq: u64, queues: &[usize], leaves: Option<Leaves>) -> Waiting {
        let logged = &self.log[&seq];
        let part = Part {
            wanted: logged.wanted,
            has_key: false,
            variant: logged.variant.filter(|_| leaves.is_none()),
            follows: false,
            queues: queues.iter().map(|queue| (*queue, false)).collect(),
        };
        Waiting {
            id: None,
            text: logged.text.clone(),
            now: self.now,
            received_at: logged.received_at,
            parts: vec![part],
            bad: vec![],
            all: vec![],
            origin: Some(seq),
            leaves,
        }
    }

    fn logged(&self, from: u64, to: u64, queue: Option<usize>) -> Vec<Waiting> {
        let first_ones = self.log.range(from..=to).filter(|(_, logged)| logged.origin.is_none());
        let of = |(seq, logged): (&u64, &crate::model::Logged)| {
            let here = |at: &usize| self.setup.has(*at) && queue.is_none_or(|queue| queue == *at);
            let done = |at: &usize| !self.queues[*at].deliveries.contains_key(seq);
            let queues: Vec<_> = logged.queues.iter().copied().filter(|at| here(at) && done(at)).collect();
            (!queues.is_empty()).then(|| self.again(*seq, &queues, None))
        };
        first_ones.filter_map(of).collect()
    }

    fn buried(&self, from: u64, to: u64, queue: Option<usize>) -> Vec<Waiting> {
        let wanted = |(seq, at): &&(u64, usize)| {
            (from..=to).contains(seq) && queue.is_none_or(|queue| queue == *at) && self.setup.has(*at)
        };
        let of = |&(seq, at): &(u64, usize)| self.again(seq, &[at], Some(Leaves::Dead(seq, at)));
        self.dead.keys().filter(wanted).map(of).collect()
    }

    fn kept_from_queues(&self, from: u64, to: u64) -> Vec<Waiting> {
        let of = |(seq, entry): (&u64, &crate::model::Entry)| {
            let good: Vec<Wanted> =
                entry.wanted.iter().filter(|wanted| wanted.is_in_scope(&self.setup)).copied().collect();
            let parts: Vec<_> = good.into_iter().map(|wanted| self.part(wanted)).collect();
            (!parts.is_empty()).then(|| Waiting {
                id: None,
                text: entry.text.clone(),
                now: self.now,
                received_at: entry.received_at,
                parts,
                bad: vec![],
                all: vec![],
                origin: Some(*seq),
                leaves: Some(Leaves::Quarantine(*seq)),
            })
        };
        self.quarantine.range(from..=to).filter_map(of).collect()
    }
}
