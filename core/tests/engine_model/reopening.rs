//! Of the model: a restart inside the process.

use crate::model::{Model, Spilled};
use crate::setup::{A, B, Setup};

impl Model {
    /// Opens again with this configuration; how many deliveries are not done.
    pub(crate) fn reopen(&mut self, setup: Setup) -> u64 {
        if self.latched {
            self.apply_kept();
            self.move_left_over();
        } else {
            self.commit(None);
        }
        self.latched = false;
        self.dirty = Some(false);
        self.setup = setup;
        if !self.setup.has_b {
            let left = std::mem::take(&mut self.queues[B].deliveries);
            for (seq, delivery) in left {
                // A message that waits in the default queue already waits there once.
                self.queues[A].deliveries.entry(seq).or_insert(delivery).gone = true;
            }
        }
        for queue in 0..3 {
            let lanes = self.queues[queue].deliveries.keys().map(|&seq| self.lane(queue, seq)).collect();
            let it = &mut self.queues[queue];
            it.batches.clear();
            it.claims.clear();
            it.behind = lanes;
            it.deliveries.values_mut().for_each(|delivery| delivery.spilled = Spilled::No);
        }
        self.queues.iter().map(|queue| queue.deliveries.len() as u64).sum()
    }
}
