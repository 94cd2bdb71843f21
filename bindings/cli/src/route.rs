//! `nexowire route`: the main job. Bodies go in on one thread, and each queue has a consumer on a thread of its own.

mod lines;
mod summary;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nexowire_core::delivery::Verdict;
use nexowire_core::engine::{Consumer, Engine, Inbound};

use crate::arguments::RouteArguments;
use crate::configuration::load;
use crate::input::{Body, Place, for_each_body, places};

/// Messages that one poll hands out.
const BATCH: usize = 256;

/// How long a consumer waits for a message before it looks whether the engine has ended.
const WAIT: Duration = Duration::from_secs(1);

/// Input of fewer places than this is over before a bar is read.
const PROGRESS_FROM: usize = 2_000;

/// What the consumers write to, one batch at a time.
type Output = Mutex<Box<dyn Write + Send>>;

pub(crate) fn run(arguments: &RouteArguments) -> io::Result<ExitCode> {
    let configuration = match load(arguments.config.as_deref()) {
        Ok(configuration) => configuration,
        Err(error) => {
            writeln!(io::stderr(), "nexowire: {error}")?;
            return Ok(ExitCode::from(2));
        }
    };
    let places = places(&arguments.paths)?;
    let engine = Engine::open(configuration);
    let output: Output = Mutex::new(Box::new(io::BufWriter::new(io::stdout())));
    let start = Instant::now();
    let outcome = std::thread::scope(|scope| {
        let consumers: Vec<_> = engine.queue_names().iter().filter_map(|name| engine.queue(name)).collect();
        let threads: Vec<_> = consumers
            .iter()
            .map(|queue| {
                let (consumer, engine, output) = (queue.consumer(), &engine, &output);
                scope.spawn(move || consume(consumer, engine, output, arguments.json))
            })
            .collect();
        let sent = send_all(&engine, &places);
        // Whatever happened, the consumers must be told that nothing more comes.
        engine.close();
        let consumed = threads.into_iter().map(|thread| thread.join().unwrap_or(Err(io::ErrorKind::Other.into())));
        consumed.collect::<io::Result<Vec<()>>>().and(sent)
    });
    let refused = outcome?;
    let mut output = output.into_inner().map_err(|_| io::Error::from(io::ErrorKind::Other))?;
    let summary = summary::Summary::new(&engine, refused, start.elapsed());
    if arguments.json {
        summary.write_json(&mut output)?
    } else {
        summary.write(&mut output)?
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Sends all bodies; answers how often one had to be sent again because a queue was full.
fn send_all(engine: &Engine, places: &[Place]) -> io::Result<u64> {
    let progress = progress(places.len());
    let mut refused = 0;
    for place in places {
        for_each_body(place, |body| {
            refused += send(engine, &body);
            Ok(())
        })?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(refused)
}

/// Sends a body as often as it takes, as a terminal does that is answered 503.
fn send(engine: &Engine, body: &Body) -> u64 {
    let mut refused = 0;
    // OK because no endpoint is named, and `default` always exists.
    while let Verdict::Busy { .. } = engine.accept(Inbound::new(&body.bytes)).expect("the default endpoint") {
        refused += 1;
        std::thread::yield_now();
    }
    refused
}

/// Polls, decodes and prints until the engine has ended.
fn consume(mut consumer: Consumer, engine: &Engine, output: &Output, json: bool) -> io::Result<()> {
    let mut batch = vec![];
    let mut text = vec![];
    let queue = consumer.queue_name().to_owned();
    // A consumer that cannot write goes on polling: else the queue fills up and the sender waits for ever.
    let mut outcome = Ok(());
    while consumer.poll_timeout(BATCH, WAIT, &mut batch).is_ok() {
        for delivered in batch.drain(..) {
            if json {
                lines::write_json(&mut text, engine, &queue, &delivered)?;
            } else {
                lines::write(&mut text, engine, &queue, &delivered.message)?;
            }
        }
        if outcome.is_ok() && !text.is_empty() {
            outcome = output.lock().map_err(|_| io::ErrorKind::Other.into()).and_then(|mut out| out.write_all(&text));
        }
        text.clear();
    }
    outcome
}

fn progress(places: usize) -> ProgressBar {
    // The bar is for somebody who looks at it while the output goes elsewhere.
    if places < PROGRESS_FROM || !io::stderr().is_terminal() || io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(places as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} files, {per_sec}, {eta} left");
    // OK because the template is ours, and right.
    bar.with_style(style.expect("a template"))
}
