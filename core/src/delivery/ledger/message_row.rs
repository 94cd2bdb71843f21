//! The rows of the table of messages.

use super::codec::{Decoder, Encoder};
use super::types::{DeadNote, NewMessage, Record, StoredBody};

/// How records are written. One that says another number is not understood.
const RECORD_VERSION: u8 = 1;

/// A row of the table of messages: what is known of a message, and the body unless it is with an earlier row.
#[derive(Debug)]
pub(super) struct MessageRow<'a> {
    pub(super) record: Record<'a>,
    pub(super) order_hash: u64,
    pub(super) queues: Vec<u32>,
    /// The number of the row in which the body is, if it is not here.
    pub(super) owner: Option<u64>,
    pub(super) body: &'a [u8],
}

/// Writes the row of a message; `owner` has the body if it is not here.
pub(super) fn encode_message(message: &NewMessage<'_>, owner: Option<u64>, to: &mut Encoder) {
    let record = &message.record;
    to.number(RECORD_VERSION).number(1_u8).optional(owner).bytes(&message.order_hash.to_be_bytes());
    to.optional(record.item).number(record.received_at).text(record.endpoint).optional(record.tag);
    to.number(record.flags).optional(record.origin_seq);
    to.number(u8::from(record.dead.is_some()));
    if let Some(dead) = &record.dead {
        to.text(&dead.queue).text(&dead.reason).number(dead.attempts);
    }
    to.number(message.queues.len() as u64);
    for (queue, _) in &message.queues {
        to.number(*queue);
    }
    if let StoredBody::Own(body) = message.body {
        to.bytes(body);
    }
}

/// Writes a row that holds a body for entries of the quarantine, and is no message.
pub(super) fn encode_body(body: &[u8], to: &mut Encoder) {
    to.number(RECORD_VERSION).number(0_u8).bytes(body);
}

/// What a row of the table of messages is.
#[derive(Debug)]
pub(super) enum BodyRow<'a> {
    Message(MessageRow<'a>),
    BodyOnly(&'a [u8]),
}

/// Reads a row of the table of messages.
pub(super) fn decode_message(seq: u64, value: &[u8]) -> Option<BodyRow<'_>> {
    let mut from = Decoder(value);
    if from.number()? != u64::from(RECORD_VERSION) {
        return None;
    }
    match from.number()? {
        0 => return Some(BodyRow::BodyOnly(from.0)),
        1 => {}
        _ => return None,
    }
    let (owner, order_hash) = (from.optional()?, from.u64()?);
    let (item, received_at, endpoint, tag) = (from.optional()?, from.number()?, from.text()?, from.optional()?);
    let (flags, origin_seq) = (from.narrow()?, from.optional()?);
    let dead = match from.number()? {
        0 => None,
        1 => {
            let (queue, reason) = (from.text()?.to_owned(), from.text()?.to_owned());
            Some(DeadNote { queue, reason, attempts: from.narrow()? })
        }
        _ => return None,
    };
    let count = from.number()?;
    let mut queues = vec![];
    for _ in 0..count {
        queues.push(from.narrow()?);
    }
    if owner.is_some() {
        from.end()?;
    }
    let record = Record { seq, item, received_at, endpoint, tag, flags, origin_seq, dead };
    Some(BodyRow::Message(MessageRow { record, order_hash, queues, owner, body: from.0 }))
}
