//! `nexowire route`: the main job. Bodies go in on one thread, and each queue has a consumer on a thread of its own.

mod lines;
mod output;
mod send;
mod summary;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nexowire_core::engine::{Consumer, Engine};

use crate::arguments::RouteArguments;
use crate::configuration::load;
use crate::input::places;

use self::output::{Output, progress};
use self::send::send_all;

/// Messages that one poll hands out.
const BATCH: usize = 256;

/// How long a consumer waits for a message before what it has written is shown to whoever watches.
const WAIT: Duration = Duration::from_millis(100);

pub(crate) fn run(arguments: &RouteArguments) -> io::Result<ExitCode> {
    let configuration = match load(arguments.config.as_deref()) {
        Ok(configuration) => configuration,
        Err(error) => {
            writeln!(io::stderr(), "nexowire: {error}")?;
            return Ok(ExitCode::from(2));
        }
    };
    let places = places(&arguments.paths);
    let engine = Engine::open(configuration);
    let bar = progress(&places);
    let output = Output::new(bar.clone());
    let start = Instant::now();
    let (sent, outcome) = std::thread::scope(|scope| {
        let consumers: Vec<_> = engine.queue_names().iter().filter_map(|name| engine.queue(name)).collect();
        let threads: Vec<_> = consumers
            .iter()
            .map(|queue| {
                let (consumer, engine, output) = (queue.consumer(), &engine, &output);
                scope.spawn(move || consume(consumer, engine, output, arguments.json))
            })
            .collect();
        let sent = send_all(&engine, &places, &bar);
        // Whatever happened, the consumers must be told that nothing more comes.
        engine.close();
        let consumed = threads.into_iter().map(|thread| thread.join().unwrap_or(Err(io::ErrorKind::Other.into())));
        (sent, consumed.collect::<io::Result<Vec<()>>>())
    });
    outcome?;
    let summary = summary::Summary::new(&engine, &sent, start.elapsed());
    let mut text = vec![];
    if arguments.json {
        summary.write_json(&mut text)?;
    } else {
        summary.write(&mut text)?;
    }
    output.write(&text)?;
    output.flush()?;
    Ok(if sent.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Polls, decodes and prints until the engine has ended.
fn consume(mut consumer: Consumer, engine: &Engine, output: &Output, json: bool) -> io::Result<()> {
    let mut batch = vec![];
    let mut text = vec![];
    let queue = consumer.queue_name().to_owned();
    // A consumer that cannot write goes on polling: else the queue fills up and the sender waits for ever.
    let mut outcome = Ok(());
    while let Ok(count) = consumer.poll_timeout(BATCH, WAIT, &mut batch) {
        for delivered in batch.drain(..) {
            if json {
                lines::write_json(&mut text, engine, &queue, &delivered)?;
            } else {
                lines::write(&mut text, engine, &queue, &delivered.message)?;
            }
        }
        if outcome.is_ok() {
            outcome = if count > 0 { output.write(&text) } else { output.flush() };
        }
        text.clear();
    }
    outcome
}
