//! The rows of the tables: keys are numbers, the highest byte first, so that their order is that of the numbers.

use super::super::key_row::KeyRow;
use super::super::store::{Reader, StoreError, StoreErrorKind, Table};
use super::codec::{Decoder, Encoder};
use super::types::{DeliveryState, LedgerCounts};

/// What a row costs beside the bytes of a body: its record, its key, its share of pages. An estimate, so that many small
/// messages cannot fill a disk while hardly counting.
pub(super) const ROW_BYTES: u64 = 128;

/// The error of a row that cannot be right.
pub(super) fn corrupt(table: Table) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("a row of the table {} cannot be read", table.name()))
}

/// The row of a key, read by `decode`.
pub(super) fn get<R: Reader + ?Sized, T>(
    reader: &R,
    table: Table,
    key: &[u8],
    decode: impl Fn(&[u8]) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    let mut row = None;
    if !reader.get(table, key, &mut |value| row = decode(value))? {
        return Ok(None);
    }
    row.map(Some).ok_or_else(|| corrupt(table))
}

/// The first rows from one key to another, read by `decode`, as long as `wanted` says.
pub(super) fn page<R: Reader + ?Sized, T>(
    reader: &R,
    table: Table,
    (from, to): (&[u8], Option<&[u8]>),
    max: usize,
    decode: impl Fn(&[u8], &[u8]) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    let (mut rows, mut whole) = (vec![], true);
    if max > 0 {
        reader.scan(table, from, to, &mut |key, value| {
            let row = decode(key, value);
            whole = row.is_some();
            rows.extend(row);
            whole && rows.len() < max
        })?;
    }
    if whole { Ok(rows) } else { Err(corrupt(table)) }
}

pub(super) fn seq_key(seq: u64) -> [u8; 8] {
    seq.to_be_bytes()
}

pub(super) fn read_seq_key(key: &[u8]) -> Option<u64> {
    key.try_into().ok().map(u64::from_be_bytes)
}

pub(super) fn delivery_key(queue: u32, lane: u32, seq: u64) -> [u8; 16] {
    (u128::from(queue) << 96 | u128::from(lane) << 64 | u128::from(seq)).to_be_bytes()
}

/// Queue, lane and number.
pub(super) fn read_delivery_key(key: &[u8]) -> Option<(u32, u32, u64)> {
    let mut key = Decoder(key);
    let parts = (key.u32()?, key.u32()?, key.u64()?);
    key.end().map(|()| parts)
}

pub(super) fn dead_key(seq: u64, queue: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&seq.to_be_bytes());
    key[8..].copy_from_slice(&queue.to_be_bytes());
    key
}

/// Number and queue.
pub(super) fn read_dead_key(key: &[u8]) -> Option<(u64, u32)> {
    let mut key = Decoder(key);
    let parts = (key.u64()?, key.u32()?);
    key.end().map(|()| parts)
}

/// What the table of what is consumed has three kinds of: consumed bodies by time, dead letters by time, and what still
/// holds a body that several share.
pub(super) const CONSUMED: u8 = 0;
pub(super) const DIED: u8 = 1;
pub(super) const HELD: u8 = 2;

pub(super) fn consumed_key(time: u64, seq: u64) -> Vec<u8> {
    [&[CONSUMED][..], &time.to_be_bytes(), &seq.to_be_bytes()].concat()
}

pub(super) fn died_key(time: u64, seq: u64, queue: u32) -> Vec<u8> {
    [&[DIED][..], &time.to_be_bytes(), &dead_key(seq, queue)].concat()
}

pub(super) fn held_key(owner: u64) -> Vec<u8> {
    [&[HELD][..], &owner.to_be_bytes()].concat()
}

/// Time and the rest of a key of the first two kinds.
pub(super) fn read_timed_key(key: &[u8]) -> Option<(u64, &[u8])> {
    let mut key = Decoder(key.get(1..)?);
    Some((key.u64()?, key.0))
}

/// How a row holds a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// It is the only one that does, so that nothing else needs to be looked at when it goes. The length of the body.
    Sole(u64),
    /// With others; the number of the row in which the body is.
    Shared(u64),
}

impl Hold {
    fn encode(self, to: &mut Encoder) {
        match self {
            Self::Sole(bytes) => to.number(0_u8).number(bytes),
            Self::Shared(owner) => to.number(1_u8).number(owner),
        };
    }

    fn decode(from: &mut Decoder<'_>) -> Option<Self> {
        match from.number()? {
            0 => from.number().map(Self::Sole),
            1 => from.number().map(Self::Shared),
            _ => None,
        }
    }
}

/// What still holds a body that several share, and what goes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) pending: u32,
    pub(super) dead: u32,
    pub(super) entries: u32,
    /// Its messages, the number of the last one, and how many rows they are with the entries that there have been.
    pub(super) messages: u32,
    pub(super) last: u64,
    pub(super) rows: u32,
    /// The length of the body.
    pub(super) body: u64,
}

impl Held {
    pub(super) fn is_free(&self) -> bool {
        (self.pending, self.dead, self.entries) == (0, 0, 0)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.body.saturating_add(ROW_BYTES * u64::from(self.rows))
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        to.number(self.pending).number(self.dead).number(self.entries);
        to.number(self.messages).number(self.last).number(self.rows).number(self.body);
        to.0
    }

    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let mut from = Decoder(value);
        let held = Self {
            pending: from.narrow()?,
            dead: from.narrow()?,
            entries: from.narrow()?,
            messages: from.narrow()?,
            last: from.number()?,
            rows: from.narrow()?,
            body: from.number()?,
        };
        from.end().map(|()| held)
    }
}

/// What goes when a consumed body does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Consumed {
    pub(super) bytes: u64,
    pub(super) rows: u32,
    /// The number of its last message.
    pub(super) last: u64,
}

impl Consumed {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        to.number(self.bytes).number(self.rows).number(self.last);
        to.0
    }

    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let mut from = Decoder(value);
        let consumed = Self { bytes: from.number()?, rows: from.narrow()?, last: from.number()? };
        from.end().map(|()| consumed)
    }
}

/// A delivery that is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeliveryRow {
    pub(super) hold: Hold,
    /// Flags that the message has in this queue only.
    pub(super) flags: u16,
    pub(super) state: DeliveryState,
}

impl DeliveryRow {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        self.hold.encode(&mut to);
        to.number(self.flags).number(self.state.attempt).number(self.state.failures).number(self.state.due);
        to.0
    }

    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let mut from = Decoder(value);
        let (hold, flags) = (Hold::decode(&mut from)?, from.narrow()?);
        let state = DeliveryState { attempt: from.narrow()?, failures: from.narrow()?, due: from.number()? };
        from.end().map(|()| Self { hold, flags, state })
    }
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeadRow {
    pub(super) hold: Hold,
    pub(super) flags: u16,
    pub(super) died_at: u64,
    pub(super) attempts: u32,
    pub(super) reason: String,
}

impl DeadRow {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        self.hold.encode(&mut to);
        to.number(self.flags).number(self.died_at).number(self.attempts).text(&self.reason);
        to.0
    }

    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let mut from = Decoder(value);
        let (hold, flags) = (Hold::decode(&mut from)?, from.narrow()?);
        let (died_at, attempts) = (from.number()?, from.narrow()?);
        let reason = from.text()?.to_owned();
        from.end().map(|()| Self { hold, flags, died_at, attempts, reason })
    }
}

/// An entry of the quarantine; its body is in the table of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryRow<'a> {
    pub(super) hold: Hold,
    pub(super) item: Option<u32>,
    pub(super) received_at: u64,
    pub(super) tag: Option<u64>,
    pub(super) reason: &'a str,
    pub(super) endpoint: &'a str,
}

impl<'a> EntryRow<'a> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        self.hold.encode(&mut to);
        to.optional(self.item).number(self.received_at).optional(self.tag).text(self.reason).text(self.endpoint);
        to.0
    }

    pub(super) fn decode(value: &'a [u8]) -> Option<Self> {
        let mut from = Decoder(value);
        let (hold, item) = (Hold::decode(&mut from)?, from.optional()?);
        let (received_at, tag) = (from.number()?, from.optional()?);
        let (reason, endpoint) = (from.text()?, from.text()?);
        from.end().map(|()| Self { hold, item, received_at, tag, reason, endpoint })
    }
}

pub(super) fn encode_key(row: &KeyRow) -> Vec<u8> {
    [&row.hash.to_be_bytes()[..], &row.digest.to_be_bytes(), &row.first_at.to_be_bytes()].concat()
}

pub(super) fn decode_key(key: &[u8], value: &[u8]) -> Option<KeyRow> {
    let (seq, mut from) = (read_seq_key(key)?, Decoder(value));
    let hash = u128::from_be_bytes(from.fixed()?);
    let (digest, first_at) = (from.u64()?, from.u64()?);
    from.end().map(|()| KeyRow { hash, digest, first_at, seq })
}

/// What is known of the whole, and written with every commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) last_seq: u64,
    pub(super) clock: u64,
    pub(super) counts: LedgerCounts,
}

impl Totals {
    pub(super) fn encode(&self) -> Vec<u8> {
        let counts = &self.counts;
        let mut to = Encoder::default();
        to.number(self.last_seq).number(self.clock).number(counts.live_bytes).number(counts.bodies);
        to.number(counts.quarantined).number(counts.quarantine_bytes).number(counts.quarantine_left);
        to.number(counts.dead_letters).number(counts.dead_letters_left);
        to.0
    }

    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        let mut from = Decoder(value);
        let (last_seq, clock) = (from.number()?, from.number()?);
        let counts = LedgerCounts {
            live_bytes: from.number()?,
            bodies: from.number()?,
            quarantined: from.number()?,
            quarantine_bytes: from.number()?,
            quarantine_left: from.number()?,
            dead_letters: from.number()?,
            dead_letters_left: from.number()?,
        };
        from.end().map(|()| Self { last_seq, clock, counts })
    }
}
