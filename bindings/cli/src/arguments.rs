//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use nexowire_core::timestamp::Timestamp;

/// Payment-terminal messages: say what they are, where they go, and what to answer.
///
/// Terminals of the Adyen Terminal API (nexo Retailer Protocol 3.0) send JSON to POS servers. nexowire classifies,
/// decodes and routes it.
#[derive(Debug, Parser)]
#[command(
    name = "nexowire",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  nexowire inspect --pretty message.json        what is this message?
  nexowire route messages/                      send a folder of messages through the engine
  nexowire route --store data messages/         the same, stored before it is acknowledged
  nexowire dead-letters --store data            what could not be delivered, and why
  nexowire config check shop.toml message.json  which rule takes this message, and why?
  echo '{\"op\":\"counters\"}' | nexowire drive     try the engine by hand"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Inspect(InspectArguments),
    Route(RouteArguments),
    /// Look at a configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    Drive(DriveArguments),
    Replay(ReplayArguments),
    Quarantine(KeptArguments),
    DeadLetters(KeptArguments),
    /// Print a script that completes commands in a shell.
    ///
    /// For example: nexowire completions bash > /etc/bash_completion.d/nexowire
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Say what messages are: one JSON object a line and message.
///
/// Absent members are null; `_raw` members are the decoded JSON strings. A malformed body has a line too, whose `error`
/// says what was expected and at which byte. The exit code is 0 unless a file cannot be read.
#[derive(Args, Debug)]
pub(crate) struct InspectArguments {
    /// For people: aligned fields, with colours on a terminal (unless NO_COLOR is set).
    #[arg(long)]
    pub(crate) pretty: bool,
    /// Files of one body each; `-` reads standard input, one body a line.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<OsString>,
}

/// Send messages through the engine and print what its consumers get.
///
/// One line a message: time, terminal, what happened in plain words, decoded details. At the end a summary. Folders
/// are searched for .json, .txt, .xml, .html and .form (one body each) and .jsonl and .ndjson (one body a line).
#[derive(Args, Debug)]
pub(crate) struct RouteArguments {
    /// Rules, queues and texts in TOML or JSON; without it events, payments, display steps and webhooks have a queue
    /// each.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A folder for the store: what is accepted is stored first, what was seen is not delivered again, and a run that
    /// was interrupted goes on where it stopped.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// One JSON object a message, with all its fields, and one for the summary.
    #[arg(long)]
    pub(crate) json: bool,
    /// Files, folders, or `-` for standard input with one body a line.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// What to do with a configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Check(CheckArguments),
}

/// Check a configuration, and explain which rule takes a message and why.
///
/// Errors have line and column. The exit code is 2 if the configuration does not load.
#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// The configuration, in TOML or JSON.
    pub(crate) config: PathBuf,
    /// Messages to try, as for `route`. Nothing is routed.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The endpoint at which the messages are to arrive.
    #[arg(long, value_name = "NAME")]
    pub(crate) endpoint: Option<String>,
}

/// Run the engine from a script: one JSON operation a line in, one answer a line out.
///
/// Operations: accept accept_batch submit commit poll ack nack release extend drop_consumer advance reload reopen replay
/// quarantine dead_letters explain counters. The clock is manual and begins at 0; `at` (RFC 3339, or milliseconds since
/// 1970) in any operation sets it. A store or configuration that cannot be opened: exit code 2, and nothing on standard
/// output.
#[derive(Args, Debug)]
pub(crate) struct DriveArguments {
    /// Rules, queues and texts in TOML or JSON; without it those of `nexowire route`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A folder for the store; without it the one of the configuration, or none.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
}

/// Deliver messages of a store again, as new ones that say which they repeat.
///
/// Whoever opens the store next, `nexowire route --store` for example, gets them. The receiver must not be running: a
/// store has one owner. Bounds are inclusive.
#[derive(Args, Debug)]
pub(crate) struct ReplayArguments {
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// From where.
    #[arg(long, value_enum, default_value = "log")]
    pub(crate) source: Source,
    /// Only what belongs to this queue.
    #[arg(long, value_name = "NAME")]
    pub(crate) queue: Option<String>,
    /// The first number.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub(crate) from_seq: u64,
    /// The last number.
    #[arg(long, value_name = "SEQ", default_value_t = u64::MAX, hide_default_value = true)]
    pub(crate) to_seq: u64,
    /// The first time of arrival: RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) from: Option<u64>,
    /// The last time of arrival: RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) to: Option<u64>,
    /// Let the rules of today say where it goes.
    #[arg(long)]
    pub(crate) reroute: bool,
}

/// Where replayed messages come from.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Source {
    /// All that has been accepted and is still kept.
    Log,
    /// What was kept from the queues; it takes the whole way in.
    Quarantine,
    /// What could not be delivered.
    DeadLetters,
}

/// Print what a store keeps for people: one line an entry, with its number, time, reason and the start of its body.
///
/// `replay --source` sends it through again. The receiver must not be running: a store has one owner.
#[derive(Args, Debug)]
pub(crate) struct KeptArguments {
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// At most so many, the oldest first.
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    pub(crate) max: usize,
    /// One JSON object an entry, with its whole body in Base64.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which store.
#[derive(Args, Debug)]
pub(crate) struct StoreArguments {
    /// The folder of the store; without it the one of the configuration.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub(crate) store: Option<PathBuf>,
    /// The configuration of the receiver: what is pending in queues that it does not have goes to its default queue.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Milliseconds since 1970 of a time in RFC 3339.
fn moment(text: &str) -> Result<u64, String> {
    let moment = Timestamp::parse(text).filter(|moment| moment.offset_minutes.is_some());
    let moment = moment.and_then(|moment| u64::try_from(moment.unix_milliseconds).ok());
    moment.ok_or_else(|| "a time is RFC 3339 with its zone, as 2026-11-21T12:00:00Z".to_owned())
}
