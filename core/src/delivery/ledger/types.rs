//! What the engine hands to the ledger, and what it gets back.

use bytes::Bytes;

use super::super::key_row::{KeyRow, Window};

/// The bit of a message's flags that says: the queue that it was for is gone. It shares its place with the flags that
/// delivery adds.
pub(crate) const QUEUE_GONE: u16 = 1 << 13;

/// How long things are kept, and how much of them. Times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LedgerOptions {
    /// How long a body is kept that everybody has done with.
    pub retention_ms: u64,
    /// How long a dead letter is kept.
    pub dead_letter_retention_ms: u64,
    /// How many live bytes there may be.
    pub max_bytes: u64,
    /// How many bytes of bodies the quarantine may hold.
    pub quarantine_bytes: u64,
    /// How long the key of a terminal's message lives.
    pub terminal_window_ms: u64,
    /// How long the key of a webhook's item lives.
    pub webhook_window_ms: u64,
}

/// What one transaction stores.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// The engine's time.
    pub now: u64,
    /// The highest number that has been given, to whatever.
    pub last_seq: u64,
    /// New messages, by number.
    pub messages: Vec<NewMessage<'a>>,
    /// New entries of the quarantine, by number.
    pub quarantined: Vec<NewEntry<'a>>,
    /// What has become of earlier messages, in order.
    pub changes: &'a [Change],
    /// By [`Window`]: key rows with a lower number have left the index.
    pub forget_keys_before: [u64; 2],
}

/// A message that is to be stored.
#[derive(Debug)]
pub(crate) struct NewMessage<'a> {
    /// What is known of it.
    pub record: Record<'a>,
    /// Its bytes.
    pub body: StoredBody<'a>,
    /// The hash of its order key: its lane in any queue is the rest of this, divided by the number of lanes.
    pub order_hash: u64,
    /// The ids of its queues, each once, with its lane there.
    pub queues: Vec<(u32, u32)>,
    /// Its key, if there is one, and the window of that.
    pub key: Option<(Window, KeyRow)>,
}

/// What is stored of a message beside its body.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// Its number.
    pub seq: u64,
    /// Its index in the list of a webhook's items.
    pub item: Option<u32>,
    /// When it arrived.
    pub received_at: u64,
    /// The name of its endpoint.
    pub endpoint: &'a str,
    /// The tag that the host gave it.
    pub tag: Option<u64>,
    /// The flags that delivery adds.
    pub flags: u16,
    /// The number of the message that this one repeats.
    pub origin_seq: Option<u64>,
    /// Where it died, if it was moved to a queue of dead letters.
    pub dead: Option<DeadNote>,
}

/// Where and why a message died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadNote {
    /// The name of the queue.
    pub queue: String,
    /// The reason in words.
    pub reason: String,
    /// How often it was handed out.
    pub attempts: u32,
}

/// Where the bytes of a message are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StoredBody<'a> {
    /// Here.
    Own(&'a [u8]),
    /// With an earlier message or entry of the same group.
    Of(u64),
}

/// An entry of the quarantine that is to be stored.
#[derive(Debug)]
pub(crate) struct NewEntry<'a> {
    /// Its number, from the same counter as messages.
    pub seq: u64,
    /// The index of the webhook's bad item.
    pub item: Option<u32>,
    /// The word of the reason.
    pub reason: &'a str,
    /// When it arrived.
    pub received_at: u64,
    /// The name of its endpoint.
    pub endpoint: &'a str,
    /// The tag that the host gave it.
    pub tag: Option<u64>,
    /// Its bytes.
    pub body: StoredBody<'a>,
}

/// What has become of a delivery, a dead letter or an entry of the quarantine. What is not there is no error: it was
/// done already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A delivery is done.
    Done { queue: u32, lane: u32, seq: u64 },
    /// A delivery was handed out, has failed, or waits.
    State { queue: u32, lane: u32, seq: u64, attempt: u32, failures: u32, due: u64 },
    /// A delivery becomes a dead letter.
    Dead { queue: u32, lane: u32, seq: u64, reason: String, attempts: u32 },
    /// An entry leaves the quarantine.
    QuarantineLeft { seq: u64 },
    /// A dead letter leaves.
    DeadLeft { queue: u32, seq: u64 },
}

/// What an opening has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    /// By the order in which they were asked for.
    pub queues: Vec<OpenedQueue>,
    /// The highest number ever seen or stored.
    pub last_seq: u64,
    /// The stored time.
    pub clock_ms: u64,
    /// The key of keyed hashes, the same for the life of the store.
    pub hash_key: [u8; 16],
    /// How many deliveries, a queue and a number each, are not done.
    pub pending: u64,
}

/// One queue at an opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenedQueue {
    /// Its id in the store.
    pub id: u32,
    /// Its lanes, those only that have something.
    pub lanes: Vec<LaneCount>,
    /// When the first of its delays ends.
    pub next_due: Option<u64>,
}

/// What waits in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LaneCount {
    /// Which lane.
    pub lane: u32,
    /// How many deliveries.
    pub count: u64,
    /// The highest number among them.
    pub last_seq: u64,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeliveryState {
    /// How often it was handed out.
    pub attempt: u32,
    /// How often it failed.
    pub failures: u32,
    /// When its delay ends; 0: there is none.
    pub due: u64,
}

/// A delivery from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredDelivery {
    /// The message's number.
    pub seq: u64,
    /// How often it was handed out.
    pub attempt: u32,
    /// How often it failed.
    pub failures: u32,
    /// When its delay ends; 0: there is none.
    pub due: u64,
    /// The message.
    pub message: StoredMessage,
}

/// A message from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredMessage {
    /// Its number.
    pub seq: u64,
    /// Its index in the list of a webhook's items.
    pub item: Option<u32>,
    /// When it arrived.
    pub received_at: u64,
    /// The name of its endpoint.
    pub endpoint: String,
    /// The tag that the host gave it.
    pub tag: Option<u64>,
    /// The flags that delivery has added.
    pub flags: u16,
    /// The number of the message that this one repeats.
    pub origin_seq: Option<u64>,
    /// Where it died, if it was moved to a queue of dead letters.
    pub dead: Option<DeadNote>,
    /// Its bytes. Messages of one answer that came in one body share them.
    pub body: Bytes,
}

/// A message of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoggedMessage {
    /// The message.
    pub message: StoredMessage,
    /// The ids of its queues, and whether it is still to be delivered there.
    pub queues: Vec<(u32, bool)>,
}

/// Which messages of the log are wanted. All bounds are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The lowest number.
    pub from_seq: u64,
    /// The highest number.
    pub to_seq: u64,
    /// The earliest arrival.
    pub from_ms: u64,
    /// The latest arrival.
    pub to_ms: u64,
}

impl Default for Bounds {
    /// Everything.
    fn default() -> Self {
        Self { from_seq: 0, to_seq: u64::MAX, from_ms: 0, to_ms: u64::MAX }
    }
}

/// An entry of the quarantine from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredEntry {
    /// Its number.
    pub seq: u64,
    /// The index of the webhook's bad item.
    pub item: Option<u32>,
    /// The word of the reason.
    pub reason: String,
    /// When it arrived.
    pub received_at: u64,
    /// The name of its endpoint.
    pub endpoint: String,
    /// The tag that the host gave it.
    pub tag: Option<u64>,
    /// Its bytes; entries of one answer that came in one body share them.
    pub body: Bytes,
}

/// A dead letter from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredDead {
    /// The id of the queue it died in.
    pub queue: u32,
    /// The name of that queue.
    pub queue_name: String,
    /// When it died.
    pub died_at: u64,
    /// The reason in words.
    pub reason: String,
    /// How often it was handed out.
    pub attempts: u32,
    /// The message.
    pub message: StoredMessage,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LedgerCounts {
    /// Bytes of bodies, and of what is kept beside them.
    pub live_bytes: u64,
    /// Bodies.
    pub bodies: u64,
    /// Entries of the quarantine.
    pub quarantined: u64,
    /// Bytes of their bodies; what several share counts once.
    pub quarantine_bytes: u64,
    /// How many entries have had to make room.
    pub quarantine_left: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// How many of them were over their time, or had to make room.
    pub dead_letters_left: u64,
}
