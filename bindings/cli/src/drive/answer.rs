//! What is written back.

use nexowire_core::delivery::{QuarantineEntry, Verdict};
use nexowire_core::engine::{Counters, Delivered, Engine, Explained};
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
    /// Replays and dead letters come with the store.
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
    dead: Option<()>,
}

impl<'a> MessageLine<'a> {
    pub(crate) fn new(engine: &Engine, queue: &'a str, delivered: &Delivered) -> Self {
        let (message, origin) = (&delivered.message, delivered.message.origin());
        let view = message.view();
        let mut report = Report::of_view(view, &Default::default());
        report.summary = Some(engine.summary(view));
        report.bytes = Some(message.received().len());
        Self {
            report,
            seq: origin.seq,
            origin_seq: None,
            queue,
            attempt: delivered.attempt,
            received_at: origin.received_at,
            endpoint: engine.endpoint_name(origin.endpoint).as_deref().unwrap_or_default().to_owned(),
            tag: origin.tag,
            authenticated: [],
            tracker: None,
            dead: None,
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

pub(super) fn quarantine(entries: &[QuarantineEntry]) -> Value {
    let entries = entries.iter().map(|entry| {
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
    });
    json!({"entries": entries.collect::<Vec<_>>()})
}

pub(super) fn counters(counters: &Counters) -> Value {
    let queue = |queue: &nexowire_core::queue::Counters| {
        json!({
            "depth": queue.depth,
            "unacked": queue.unacked,
            "delayed": 0,
            "spilled": 0,
            "delivered": queue.delivered,
            "acked": queue.acked,
            "nacked": 0,
            "released": queue.released,
            "dropped": queue.dropped,
            "dead": 0,
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
        "ignored": counters.ignored,
        "busy": counters.busy,
        "unauthorized": counters.unauthorized,
        "not_allowed": counters.not_allowed,
        "too_large": counters.too_large,
        "encoded": counters.encoded,
        "reply": counters.reply,
        "items_dropped": counters.items_dropped,
        "bytes": counters.bytes,
        "pending": 0,
        "dedupe_keys": 0,
        "expectations": 0,
        "kinds": kinds,
        "queues": queues,
    })
}
