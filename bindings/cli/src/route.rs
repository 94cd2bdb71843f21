//! `nexowire route`: the main job. Bodies go in on one thread, and each queue has a consumer on a thread of its own.

mod lines;
mod output;
mod send;
mod summary;

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nexowire_core::engine::{Consumer, Engine};

use crate::arguments::RouteArguments;
use crate::configuration::load;
use crate::drive::open_engine;
use crate::input::places;
use crate::refuse;

use self::output::{Output, progress};
use self::send::send_all;

/// Messages that one poll hands out.
const BATCH: usize = 256;

/// How long a consumer waits for a message before what it has written is shown to whoever watches.
const WAIT: Duration = Duration::from_millis(100);

pub(crate) fn run(arguments: &RouteArguments) -> io::Result<ExitCode> {
    let store = arguments.store.as_deref();
    let opened = load(arguments.config.as_deref(), store.is_some())
        .and_then(|configuration| open_engine(configuration, store).map_err(|error| error.to_string()));
    let engine = match opened {
        Ok(engine) => engine,
        Err(error) => return refuse(&error),
    };
    let places = places(&arguments.paths);
    let bar = progress(&places);
    let output = Output::new(bar.clone());
    let start = Instant::now();
    let all_sent = AtomicBool::new(false);
    let (sent, outcome) = std::thread::scope(|scope| {
        let consumers: Vec<_> = engine.queue_names().iter().filter_map(|name| engine.queue(name)).collect();
        let threads: Vec<_> = consumers
            .iter()
            .map(|queue| {
                let (consumer, engine, output, all_sent) = (queue.consumer(), &engine, &output, &all_sent);
                scope.spawn(move || consume(consumer, engine, output, arguments.json, all_sent))
            })
            .collect();
        let sent = send_all(&engine, &places, &bar);
        // Whatever happened, the consumers must be told that nothing more comes. Release, paired with their load.
        all_sent.store(true, Ordering::Release);
        if !engine.is_durable() {
            engine.close();
        }
        let consumed = threads.into_iter().map(|thread| thread.join().unwrap_or(Err(io::ErrorKind::Other.into())));
        (sent, consumed.collect::<io::Result<Vec<()>>>())
    });
    engine.close();
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

/// Polls, decodes, prints and acks until nothing more comes.
fn consume(
    mut consumer: Consumer,
    engine: &Engine,
    output: &Output,
    json: bool,
    all_sent: &AtomicBool,
) -> io::Result<()> {
    let (mut batch, mut text, mut seqs) = (vec![], vec![], vec![]);
    let queue = consumer.queue_name().to_owned();
    // A consumer that cannot write goes on polling: else the queue fills up and the sender waits for ever.
    let mut outcome = Ok(());
    loop {
        // Asked before the poll: what was sent before that is found by it.
        let last = all_sent.load(Ordering::Acquire) && engine.is_durable();
        let Ok(count) = consumer.poll_timeout(BATCH, WAIT, &mut batch) else { return outcome };
        for delivered in batch.drain(..) {
            if json {
                lines::write_json(&mut text, engine, &queue, &delivered)?;
            } else {
                lines::write(&mut text, engine, &queue, &delivered.message)?;
            }
            seqs.push(delivered.message.origin().seq);
        }
        if outcome.is_ok() {
            outcome = if count > 0 { output.write(&text) } else { output.flush() };
        }
        if outcome.is_ok() {
            consumer.ack(&seqs);
        }
        text.clear();
        seqs.clear();
        if count == 0 && last {
            return outcome;
        }
    }
}
