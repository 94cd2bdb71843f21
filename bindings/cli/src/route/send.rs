//! The way in: bodies, as their senders would send them.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use nexowire_core::delivery::Verdict;
use nexowire_core::engine::{Engine, Inbound};

use crate::input::{Body, Place, for_each_body};

/// A body that finds no room although nothing has been in any queue for so long will never find any.
const PATIENCE: Duration = Duration::from_secs(1);

/// Attempts between two looks at how full the queues are.
const ATTEMPTS_PER_LOOK: u64 = 64;

/// What became of the input.
#[derive(Default)]
pub(super) struct Sent {
    /// How often a body had to be sent again because a queue was full.
    pub(super) refused: u64,
    /// Bodies that need more room than the queues have.
    pub(super) unfit: u64,
    /// Files and folders that could not be read.
    pub(super) unread: u64,
}

impl Sent {
    /// Whether everything has been sent.
    pub(super) fn is_whole(&self) -> bool {
        self.unfit == 0 && self.unread == 0
    }
}

/// Sends all bodies. What cannot be read is told, and the rest goes on.
pub(super) fn send_all(engine: &Engine, places: &[Place], bar: &ProgressBar) -> Sent {
    let mut sent = Sent::default();
    for place in places {
        let read = for_each_body(place, |body| {
            send(engine, &body, &mut sent, bar);
            // With the end of its line.
            bar.inc(body.bytes.len() as u64 + 1);
            Ok(())
        });
        if let Err(error) = read {
            sent.unread += 1;
            tell(bar, &error.to_string());
        }
    }
    bar.finish_and_clear();
    sent
}

/// Sends a body as often as it takes, as a terminal does that is answered 503.
fn send(engine: &Engine, body: &Body, sent: &mut Sent, bar: &ProgressBar) {
    let (mut attempts, mut empty_since) = (0_u64, None);
    // OK because no endpoint is named, and `default` always exists.
    while let Verdict::Busy { .. } = engine.accept(Inbound::new(&body.bytes)).expect("the default endpoint") {
        sent.refused += 1;
        attempts += 1;
        if attempts % ATTEMPTS_PER_LOOK == 0 {
            empty_since = if is_empty(engine) { empty_since.or_else(|| Some(Instant::now())) } else { None };
            if empty_since.is_some_and(|since| since.elapsed() > PATIENCE) {
                sent.unfit += 1;
                return tell(bar, &format!("{}: needs more room than the queues have, even empty", body.name));
            }
        }
        std::thread::yield_now();
    }
}

/// Whether nothing waits, and nothing is in a consumer's hands.
fn is_empty(engine: &Engine) -> bool {
    engine.counters().queues.iter().all(|(_, queue)| queue.depth == 0 && queue.unacked == 0 && queue.delayed == 0)
}

fn tell(bar: &ProgressBar, message: &str) {
    bar.suspend(|| {
        let _nobody_to_tell = writeln!(io::stderr(), "nexowire: {message}");
    });
}
