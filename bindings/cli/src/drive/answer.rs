//! What is written back.

use nexowire_core::delivery::{DeadLetter, QuarantineEntry, Verdict};
use nexowire_core::engine::{Completion, Counters, Delivered, Engine, Explained};
use nexowire_core::message::Dead;
use nexowire_core::report::Report;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// An operation that was not carried out, and changed nothing.
#[derive(Debug)]
pub(super) struct Failure {
    kind: &'static str,
    message: String,
}

impl Failure {
    fn new(kind: &'static str, message: &str) -> Self {
        Self { kind, message: message.to_owned() }
    }

    pub(super) fn bad_json(error: &serde_json::Error) -> Self {
        Self::new("bad_json", &error.to_string())
    }

    pub(super) fn bad_argument(message: &str) -> Self {
        Self::new("bad_argument", message)
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new("not_found", message)
    }

    pub(super) fn config(message: &str) -> Self {
        Self::new("config", message)
    }

    pub(super) fn closed(message: &str) -> Self {
        Self::new("closed", message)
    }

    pub(super) fn store(message: &str) -> Self {
        Self::new("store", message)
    }

    pub(super) fn unknown_operation(name: &str) -> Self {
        Self::new("unknown_operation", &format!("there is no operation `{name}`"))
    }

    pub(super) fn unsupported(what: &str) -> Self {
        Self::new("unsupported", &format!("{what} is not built in yet"))
    }
}

impl From<Failure> for Value {
    fn from(failure: Failure) -> Self {
        json!({"error": {"kind": failure.kind, "message": failure.message}})
    }
}

/// A message that was handed out: the members of an `inspect` line, and what the engine adds.
#[derive(Serialize)]
pub(crate) struct MessageLine<'a> {
    #[serde(flatten)]
    report: Report,
    seq: u64,
    origin_seq: Option<u64>,
    queue: &'a str,
    attempt: u32,
    received_at: u64,
    endpoint: String,
    tag: Option<u64>,
    /// Nothing is proved before signatures and decryption are built in.
    authenticated: [&'static str; 0],
    /// Requests are followed by the tracker, which is not built in.
    tracker: Option<()>,
    dead: Option<DeadLine<'a>>,
}

/// Where a message died that stands in a queue for dead letters.
#[derive(Serialize)]
struct DeadLine<'a> {
    queue: &'a str,
    reason: &'a str,
    attempts: u32,
}

impl<'a> MessageLine<'a> {
    pub(crate) fn new(engine: &Engine, queue: &'a str, delivered: &'a Delivered) -> Self {
        let dead = |dead: &'a Dead| DeadLine { queue: &dead.queue, reason: &dead.reason, attempts: dead.attempts };
        let (message, origin) = (&delivered.message, delivered.message.origin());
        let view = message.view();
        let mut report = Report::of_view(view, &Default::default());
        report.summary = Some(engine.summary(view));
        report.bytes = Some(message.received().len());
        Self {
            report,
            seq: origin.seq,
            origin_seq: message.story().and_then(|story| story.origin_seq),
            queue,
            attempt: delivered.attempt,
            received_at: origin.received_at,
            endpoint: engine.endpoint_name(origin.endpoint).as_deref().unwrap_or_default().to_owned(),
            tag: origin.tag,
            authenticated: [],
            tracker: None,
            dead: message.story().and_then(|story| story.dead.as_ref()).map(dead),
        }
    }
}

pub(super) fn verdict(verdict: Verdict) -> Value {
    json!({
        "verdict": verdict.word(),
        "seq": verdict.seq(),
        "count": verdict.count(),
        "status": verdict.status(),
        "body": verdict.body(),
        "stored": verdict.is_stored(),
        "reason": verdict.reason(),
    })
}

pub(super) fn explained(explained: &Explained) -> Value {
    let messages = explained.messages.iter().map(|message| {
        json!({
            "kind": message.kind.word(),
            "rules": message.rules,
            "queues": message.queues,
            "flags": message.flags,
        })
    });
    json!({
        "verdict": explained.verdict,
        "reason": explained.reason,
        "messages": messages.collect::<Vec<_>>(),
    })
}

/// The verdict on what was submitted, with its id.
pub(super) fn completed(completion: &Completion) -> Value {
    let mut value = verdict(completion.verdict);
    value["id"] = json!(completion.id);
    value
}

pub(crate) fn quarantined(entry: &QuarantineEntry) -> Value {
    json!({
        "seq": entry.seq,
        "queue": null,
        "item": entry.item,
        "reason": entry.reason.word(),
        "received_at": entry.received_at,
        "endpoint": entry.endpoint,
        "bytes": entry.body.len(),
        "attempts": 0,
        "body_base64": base64_simd::STANDARD.encode_to_string(&entry.body),
    })
}

pub(crate) fn dead_letter(letter: &DeadLetter) -> Value {
    json!({
        "seq": letter.seq,
        "queue": letter.queue,
        "item": letter.item,
        "reason": letter.reason,
        "received_at": letter.received_at,
        "endpoint": letter.endpoint,
        "bytes": letter.body.len(),
        "attempts": letter.attempts,
        "body_base64": base64_simd::STANDARD.encode_to_string(&letter.body),
    })
}

pub(super) fn counters(counters: &Counters) -> Value {
    let queue = |queue: &nexowire_core::queue::Counters| {
        json!({
            "depth": queue.depth,
            "unacked": queue.unacked,
            "delayed": queue.delayed,
            "spilled": queue.spilled,
            "delivered": queue.delivered,
            "acked": queue.acked,
            "nacked": queue.nacked,
            "released": queue.released,
            "dropped": queue.dropped,
            "dead": queue.dead,
            "oldest_hold": queue.oldest_hold,
        })
    };
    let queues: Map<String, Value> =
        counters.queues.iter().map(|(name, counters)| (name.clone(), queue(counters))).collect();
    let kinds: Map<String, Value> =
        counters.kinds.iter().map(|(kind, count)| (kind.word().to_owned(), json!(count))).collect();
    // What is zero here belongs to parts that are not built in: of them there truly is none.
    json!({
        "accepted": counters.accepted,
        "duplicate": counters.duplicate,
        "quarantined": counters.quarantined,
        "quarantine_left": counters.quarantine_left,
        "dead_letters_left": counters.dead_letters_left,
        "dedupe_left": counters.dedupe_left,
        "dedupe_horizon": counters.dedupe_horizon,
        "ignored": counters.ignored,
        "busy": counters.busy,
        "unauthorized": counters.unauthorized,
        "not_allowed": counters.not_allowed,
        "too_large": counters.too_large,
        "encoded": counters.encoded,
        "reply": counters.reply,
        "items_dropped": counters.items_dropped,
        "bytes": counters.bytes,
        "commits": counters.commits,
        "pending": counters.pending,
        "dedupe_keys": counters.dedupe_keys,
        "expectations": 0,
        "kinds": kinds,
        "queues": queues,
    })
}
