//! All that reads. A ledger that is latched reads nothing: what it would find may not be what was published.

use bytes::Bytes;

use super::super::key_row::{KeyRow, Window};
use super::super::store::{Reader, StoreError, Table};
use super::message_row::{BodyRow, MessageRow, decode_message};
use super::rows::{
    DeadRow, DeliveryRow, EntryRow, Hold, corrupt, dead_key, decode_key, delivery_key, get, page, read_dead_key,
    read_delivery_key, read_seq_key, seq_key,
};
use super::types::{Bounds, DeliveryState, LoggedMessage, StoredDead, StoredDelivery, StoredEntry, StoredMessage};
use super::write::key_table;
use super::{Ledger, lock};

/// How many key rows are held at a time, of each window.
const KEYS_PAGE: usize = 4_096;
/// How many bytes of bodies a page of the log holds, about.
const LOG_BYTES: usize = 16 << 20;

/// A message as far as its own row tells it, and where the rest is.
struct Partial {
    message: StoredMessage,
    owner: Option<u64>,
    order_hash: u64,
    queues: Vec<u32>,
}

impl Partial {
    fn new(row: MessageRow<'_>) -> Self {
        let MessageRow { record, order_hash, queues, owner, body } = row;
        let message = StoredMessage {
            seq: record.seq,
            item: record.item,
            received_at: record.received_at,
            endpoint: record.endpoint.to_owned(),
            tag: record.tag,
            flags: record.flags,
            origin_seq: record.origin_seq,
            dead: record.dead,
            body: Bytes::copy_from_slice(body),
        };
        Self { message, owner, order_hash, queues }
    }
}

/// Reads bodies, and remembers the last one: those who share one stand near each other.
struct Bodies<'r> {
    reader: &'r dyn Reader,
    last: Option<(u64, Bytes)>,
}

impl<'r> Bodies<'r> {
    fn new(reader: &'r dyn Reader) -> Self {
        Self { reader, last: None }
    }

    /// The body in a row of the table of messages.
    fn body(&mut self, owner: u64) -> Result<Bytes, StoreError> {
        if let Some((_, body)) = self.last.as_ref().filter(|(last, _)| *last == owner) {
            return Ok(body.clone());
        }
        let body = get(self.reader, Table::Messages, &seq_key(owner), |value| match decode_message(owner, value)? {
            BodyRow::Message(row) => row.owner.is_none().then(|| Bytes::copy_from_slice(row.body)),
            BodyRow::BodyOnly(body) => Some(Bytes::copy_from_slice(body)),
        })?;
        let body = body.ok_or_else(|| corrupt(Table::Messages))?;
        self.last = Some((owner, body.clone()));
        Ok(body)
    }

    fn complete(&mut self, partial: Partial) -> Result<StoredMessage, StoreError> {
        let Partial { mut message, owner, .. } = partial;
        match owner {
            Some(owner) => message.body = self.body(owner)?,
            None => self.last = Some((message.seq, message.body.clone())),
        }
        Ok(message)
    }

    /// The message of a row that says that there is one, with the flags of that row.
    fn message(&mut self, seq: u64, flags: u16) -> Result<StoredMessage, StoreError> {
        let partial = partial(self.reader, seq)?.ok_or_else(|| corrupt(Table::Messages))?;
        let mut message = self.complete(partial)?;
        message.flags |= flags;
        Ok(message)
    }
}

fn partial(reader: &dyn Reader, seq: u64) -> Result<Option<Partial>, StoreError> {
    get(reader, Table::Messages, &seq_key(seq), |value| match decode_message(seq, value)? {
        BodyRow::Message(row) => Some(Partial::new(row)),
        BodyRow::BodyOnly(_) => None,
    })
}

impl Ledger {
    fn look<T: Default>(&self, mut look: impl FnMut(&dyn Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.check()?;
        let mut found = T::default();
        self.store.read(&mut |reader| look(reader).map(|new| found = new))?;
        Ok(found)
    }

    /// Shows all keys, those of both windows together by their numbers.
    ///
    /// # Errors
    /// What the store says, as with all that reads; the error that has latched it, if it is latched.
    pub(crate) fn for_each_key(&self, each: &mut dyn FnMut(Window, KeyRow)) -> Result<(), StoreError> {
        self.look(|reader| {
            let windows = [Window::Terminal, Window::Webhook];
            let (mut from, mut more) = ([0; 2], true);
            while more {
                let mut pages = vec![];
                for (window, from) in windows.into_iter().zip(from) {
                    let range = (&seq_key(from)[..], None);
                    pages.push(page(reader, key_table(window), range, KEYS_PAGE, decode_key)?);
                }
                // A page that is full ends before its table does; nothing beyond it can be shown yet.
                let full = |rows: &&Vec<KeyRow>| rows.len() == KEYS_PAGE;
                let end = pages.iter().filter(full).filter_map(|rows| rows.last()).map(|row| row.seq).min();
                more = end.is_some();
                let end = end.unwrap_or(u64::MAX);
                let tagged = windows.into_iter().zip(pages).flat_map(|(window, rows)| {
                    rows.into_iter().filter(|row| row.seq <= end).map(move |row| (window, row))
                });
                let mut rows: Vec<_> = tagged.collect();
                rows.sort_by_key(|(_, row)| row.seq);
                rows.into_iter().for_each(|(window, row)| each(window, row));
                from = [end.saturating_add(1); 2];
            }
            Ok(())
        })
    }

    /// Deliveries of a lane with `after` < number <= `up_to`, rising: at most `max` of them and about `max_bytes`, but
    /// at least one if there is one.
    pub(crate) fn deliveries(
        &self,
        queue: u32,
        lane: u32,
        after: u64,
        up_to: u64,
        max: usize,
        max_bytes: usize,
    ) -> Result<Vec<StoredDelivery>, StoreError> {
        let Some(from) = after.checked_add(1).filter(|from| *from <= up_to) else { return Ok(vec![]) };
        let (from, to) = (delivery_key(queue, lane, from), delivery_key(queue, lane, up_to.saturating_add(1)));
        self.look(|reader| {
            let rows = page(reader, Table::Deliveries, (&from, Some(&to)), max, |key, value| {
                Some((read_delivery_key(key)?.2, DeliveryRow::decode(value)?))
            })?;
            let (mut found, mut bytes) = (vec![], 0_usize);
            let mut bodies = Bodies::new(reader);
            for (seq, row) in rows {
                if bytes >= max_bytes && !found.is_empty() {
                    break;
                }
                let message = bodies.message(seq, row.flags)?;
                bytes = bytes.saturating_add(message.body.len());
                let DeliveryState { attempt, failures, due } = row.state;
                found.push(StoredDelivery { seq, attempt, failures, due, message });
            }
            Ok(found)
        })
    }

    /// The lane of a delivery that is not done, and how it stands.
    pub(crate) fn delivery(&self, queue: u32, seq: u64) -> Result<Option<(u32, DeliveryState)>, StoreError> {
        self.look(|reader| {
            let order_hash = get(reader, Table::Messages, &seq_key(seq), |value| {
                Some(match decode_message(seq, value)? {
                    BodyRow::Message(row) => Some(row.order_hash),
                    BodyRow::BodyOnly(_) => None,
                })
            })?;
            let Some(order_hash) = order_hash.flatten() else { return Ok(None) };
            self.pending(reader, queue, order_hash, seq)
        })
    }

    fn pending(
        &self,
        reader: &dyn Reader,
        queue: u32,
        order_hash: u64,
        seq: u64,
    ) -> Result<Option<(u32, DeliveryState)>, StoreError> {
        let lanes = lock(&self.queues).lanes(queue, order_hash);
        for lane in lanes {
            let key = delivery_key(queue, lane, seq);
            if let Some(row) = get(reader, Table::Deliveries, &key, DeliveryRow::decode)? {
                return Ok(Some((lane, row.state)));
            }
        }
        Ok(None)
    }

    /// Messages of the log beyond the number `after`, rising, at most `max` and about 16 MiB; those that repeat another
    /// are left out. An empty answer is the end.
    pub(crate) fn log(&self, bounds: &Bounds, after: u64, max: usize) -> Result<Vec<LoggedMessage>, StoreError> {
        let from = after.checked_add(1).map(|next| next.max(bounds.from_seq)).filter(|from| *from <= bounds.to_seq);
        let Some(from) = from else { return Ok(vec![]) };
        let end = bounds.to_seq.checked_add(1).map(seq_key);
        let inherits = lock(&self.queues).default_queue();
        self.look(|reader| {
            let (mut partials, mut bytes, mut whole) = (vec![], 0_usize, true);
            let to = end.as_ref().map(|end| &end[..]);
            reader.scan(Table::Messages, &seq_key(from), to, &mut |key, value| {
                match read_seq_key(key).and_then(|seq| decode_message(seq, value)) {
                    None => whole = false,
                    Some(BodyRow::Message(row)) if is_wanted(&row, bounds) => {
                        bytes = bytes.saturating_add(row.body.len());
                        partials.push(Partial::new(row));
                    }
                    Some(_) => {}
                }
                whole && partials.len() < max && bytes < LOG_BYTES
            })?;
            if !whole {
                return Err(corrupt(Table::Messages));
            }
            let mut bodies = Bodies::new(reader);
            partials.truncate(max);
            let complete = |mut partial: Partial| {
                let (seq, order_hash) = (partial.message.seq, partial.order_hash);
                let mut queues = vec![];
                for queue in std::mem::take(&mut partial.queues) {
                    queues.push((queue, self.pending(reader, queue, order_hash, seq)?.is_some()));
                }
                // What a queue that is gone had of it waits where the message may never have been meant to go.
                if let Some(heir) = inherits.filter(|heir| queues.iter().all(|(queue, _)| queue != heir))
                    && self.pending(reader, heir, order_hash, seq)?.is_some()
                {
                    queues.push((heir, true));
                }
                Ok(LoggedMessage { message: bodies.complete(partial)?, queues })
            };
            partials.into_iter().map(complete).collect()
        })
    }

    /// Entries of the quarantine beyond the number `after`, rising, at most `max`.
    pub(crate) fn quarantine(&self, after: u64, max: usize) -> Result<Vec<StoredEntry>, StoreError> {
        let Some(from) = after.checked_add(1).map(seq_key) else { return Ok(vec![]) };
        self.look(|reader| {
            let mut entries = page(reader, Table::Quarantine, (&from, None), max, |key, value| {
                let (seq, row) = (read_seq_key(key)?, EntryRow::decode(value)?);
                let owner = if let Hold::Shared(owner) = row.hold { owner } else { seq };
                let EntryRow { item, received_at, tag, .. } = row;
                let (reason, endpoint) = (row.reason.to_owned(), row.endpoint.to_owned());
                let body = Bytes::new();
                Some((owner, StoredEntry { seq, item, reason, received_at, endpoint, tag, body }))
            })?;
            let mut bodies = Bodies::new(reader);
            for (owner, entry) in &mut entries {
                entry.body = bodies.body(*owner)?;
            }
            Ok(entries.into_iter().map(|(_, entry)| entry).collect())
        })
    }

    /// Dead letters beyond one of a number and a queue, by these, at most `max`.
    pub(crate) fn dead_letters(&self, after: Option<(u64, u32)>, max: usize) -> Result<Vec<StoredDead>, StoreError> {
        // The next key behind a key is that key and a zero.
        let from = after.map_or_else(Vec::new, |(seq, queue)| [&dead_key(seq, queue)[..], &[0]].concat());
        self.look(|reader| {
            let rows = page(reader, Table::DeadLetters, (&from, None), max, |key, value| {
                Some((read_dead_key(key)?, DeadRow::decode(value)?))
            })?;
            let mut bodies = Bodies::new(reader);
            let complete = |((seq, queue), row): ((u64, u32), DeadRow)| {
                let message = bodies.message(seq, row.flags)?;
                let queue_name = lock(&self.queues).name(queue);
                let DeadRow { died_at, reason, attempts, .. } = row;
                Ok(StoredDead { queue, queue_name, died_at, reason, attempts, message })
            };
            rows.into_iter().map(complete).collect()
        })
    }
}

/// Whether a message of the log is within bounds, and no repetition.
fn is_wanted(row: &MessageRow<'_>, bounds: &Bounds) -> bool {
    row.record.origin_seq.is_none() && (bounds.from_ms..=bounds.to_ms).contains(&row.record.received_at)
}
