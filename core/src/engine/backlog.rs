//! From the store back into lanes: what is read again is classified again.

use std::sync::Arc;

use super::endpoints::EndpointNames;
use crate::classify::classify;
use crate::delivery::{Ledger, QUEUE_GONE, StoredMessage};
use crate::limits::Limits;
use crate::message::{BodySource, Dead, Message, Origin, Story, for_each_item};
use crate::nexo::Flags;
use crate::queue::{Backlog, Stored, Unavailable};

/// Bytes that one refill reads at most, about. Source: `delivery.md`, 4.2.
const REFILL_BYTES_MAX: usize = 4 << 20;

// The ledger sets this one itself, at an opening.
const _: () = assert!(Flags::QUEUE_GONE.bits() == QUEUE_GONE);

/// What one queue has in the store.
pub(super) struct QueueBacklog {
    pub(super) ledger: Arc<Ledger>,
    pub(super) names: Arc<EndpointNames>,
    pub(super) queue: u32,
    /// The last number that the store had when it was opened: what has a later one has been spilled since.
    pub(super) opened_seq: u64,
}

impl Backlog<Message> for QueueBacklog {
    fn read(&self, lane: u32, after: u64, up_to: u64, max: usize) -> Result<Vec<Stored<Message>>, Unavailable> {
        let rows = self.ledger.deliveries(self.queue, lane, after, up_to, max, REFILL_BYTES_MAX);
        let rows = rows.map_err(|_| Unavailable)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let spilled = if row.seq > self.opened_seq { Flags::SPILLED } else { Flags::NONE };
                Stored {
                    item: restore(row.message, spilled, &self.names),
                    attempt: row.attempt,
                    failures: row.failures,
                    due: row.due,
                }
            })
            .collect())
    }
}

/// The message that was stored. Limits may have been lowered since; what was accepted once is read by the highest.
pub(super) fn restore(stored: StoredMessage, flags: Flags, names: &EndpointNames) -> Message {
    let whole = classify(&stored.body, &Limits::MAX).fields;
    let mut fields = whole;
    if let Some(wanted) = stored.item {
        let mut index = 0;
        for_each_item(&stored.body, &whole, |item| {
            if index == wanted {
                fields = item.unwrap_or(whole);
            }
            index += 1;
        });
    }
    fields.flags.insert(Flags::from_bits(stored.flags));
    fields.flags.insert(flags);
    let origin = Origin {
        seq: stored.seq,
        received_at: stored.received_at,
        tag: stored.tag,
        endpoint: names.index(&stored.endpoint),
        item: stored.item,
    };
    let has_story = stored.origin_seq.is_some() || stored.dead.is_some();
    let dead = stored.dead.map(|note| Dead { queue: note.queue, reason: note.reason, attempts: note.attempts });
    let story = has_story.then(|| Arc::new(Story { origin_seq: stored.origin_seq, dead }));
    Message::with_story(&fields, BodySource::Shared(stored.body), origin, story)
}
