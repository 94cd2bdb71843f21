//! What has been done, at the end.

use std::io::{self, Write};
use std::time::Duration;

use nexowire_core::engine::{Counters, Engine};
use serde_json::{Map, Value, json};

use super::send::Sent;

pub(super) struct Summary<'a> {
    counters: Counters,
    sent: &'a Sent,
    elapsed: Duration,
}

impl<'a> Summary<'a> {
    pub(super) fn new(engine: &Engine, sent: &'a Sent, elapsed: Duration) -> Self {
        Self { counters: engine.counters(), sent, elapsed }
    }

    fn per_second(&self) -> u64 {
        let seconds = self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
        (self.counters.accepted as f64 / seconds) as u64
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let counters = &self.counters;
        writeln!(out, "\naccepted     {} messages", counters.accepted)?;
        for (kind, count) in &counters.kinds {
            writeln!(out, "             {count:>7} {}", kind.word())?;
        }
        writeln!(out, "delivered")?;
        for (name, queue) in counters.queues.iter().filter(|(_, queue)| queue.delivered > 0) {
            writeln!(out, "             {:>7} by queue {name}", queue.delivered)?;
        }
        let dropped: u64 = counters.queues.iter().map(|(_, queue)| queue.dropped).sum();
        writeln!(out, "quarantined  {}", counters.quarantined)?;
        writeln!(out, "ignored      {}", counters.ignored)?;
        writeln!(out, "refused      {} (and sent again)", self.sent.refused)?;
        for (what, count) in [
            ("duplicates   ", counters.duplicate),
            ("no room      ", self.sent.unfit),
            ("unreadable   ", self.sent.unread),
            ("too large    ", counters.too_large),
            ("not allowed  ", counters.not_allowed),
            ("dropped      ", dropped + counters.items_dropped),
        ] {
            if count > 0 {
                writeln!(out, "{what}{count}")?;
            }
        }
        writeln!(
            out,
            "in {:.3} s, {} messages a second, printing included",
            self.elapsed.as_secs_f64(),
            self.per_second()
        )
    }

    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let counters = &self.counters;
        let kinds: Map<String, Value> =
            counters.kinds.iter().map(|(kind, count)| (kind.word().to_owned(), json!(count))).collect();
        let queues: Map<String, Value> =
            counters.queues.iter().map(|(name, queue)| (name.clone(), json!(queue.delivered))).collect();
        let summary = json!({ "summary": {
            "accepted": counters.accepted,
            "kinds": kinds,
            "queues": queues,
            "duplicates": counters.duplicate,
            "quarantined": counters.quarantined,
            "ignored": counters.ignored,
            "refused": self.sent.refused,
            "no_room": self.sent.unfit,
            "unreadable": self.sent.unread,
            "too_large": counters.too_large,
            "not_allowed": counters.not_allowed,
            "seconds": self.elapsed.as_secs_f64(),
            "messages_per_second": self.per_second(),
        }});
        serde_json::to_writer(&mut *out, &summary)?;
        out.write_all(b"\n")
    }
}
