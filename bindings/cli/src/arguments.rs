//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
/// Operations: accept accept_batch poll ack release drop_consumer advance reload quarantine explain counters. The clock
/// is manual and begins at 0; `at` (RFC 3339, or milliseconds since 1970) in any operation sets it. A configuration
/// that cannot be read: exit code 2, and nothing on standard output.
#[derive(Args, Debug)]
pub(crate) struct DriveArguments {
    /// Rules, queues and texts in TOML or JSON; without it those of `nexowire route`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A folder for the store. Not built in yet.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
}
