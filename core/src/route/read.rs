//! From text to the members as they are written, with errors that people can act on.

use serde::Deserialize;

use super::error::ConfigError;
use super::locate::line_and_column;
use super::raw::{RawConfiguration, Table};
use super::suggest::expected_one_of;

/// How a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Toml,
    Json,
}

/// Reads the members of a TOML text.
pub(super) fn toml(text: &str) -> Result<RawConfiguration, ConfigError> {
    toml::from_str::<Table<RawConfiguration>>(text).map(|table| table.0).map_err(|error| {
        let (line, column) = line_and_column(text, error.span().map_or(0, |span| span.start));
        ConfigError { line, column, message: plain(error.message()) }
    })
}

/// Reads the members of a JSON text.
pub(super) fn json(text: &str) -> Result<RawConfiguration, ConfigError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Table::<RawConfiguration>::deserialize(&mut deserializer)
        .and_then(|table| deserializer.end().map(|()| table.0))
        .map_err(|error| {
            let whole = error.to_string();
            // Its text ends with the place, which is told apart here.
            let message = whole.rfind(" at line ").map_or(&*whole, |end| &whole[..end]);
            let (line, column) = line_and_column(text, json_offset(text, &error, message));
            ConfigError { line, column, message: plain(message) }
        })
}

/// Where the error is. serde_json gives the line and how many of its bytes were read: of a syntax error the offending
/// byte is the last of these; of a wrong name or value they end behind it.
fn json_offset(text: &str, error: &serde_json::Error, message: &str) -> usize {
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let read = (line_start + error.column()).min(text.len());
    if !error.is_data() {
        return read.saturating_sub(1);
    }
    let bytes = text.as_bytes();
    if let Some(name) = message.strip_prefix("unknown field ").or(message.strip_prefix("duplicate field ")) {
        let name = name.trim_start_matches('`').split('`').next().unwrap_or_default();
        let quoted = format!("\"{name}\"");
        return bytes[..read].windows(quoted.len()).rposition(|window| window == quoted.as_bytes()).unwrap_or(read);
    }
    // A bracket that is the wrong type was only looked at; everything else was read.
    match bytes.get(read) {
        Some(b'{' | b'[') if !bytes[..read].last().is_some_and(|byte| b"\"0123456789el".contains(byte)) => read,
        _ => value_start(bytes, read),
    }
}

/// Where the value begins that ends at `end`.
fn value_start(bytes: &[u8], end: usize) -> usize {
    let trimmed = bytes[..end].trim_ascii_end();
    match trimmed.last() {
        Some(b'"') => {
            let quotes = (0..trimmed.len().saturating_sub(1)).rev().filter(|&at| trimmed[at] == b'"');
            let mut unescaped =
                quotes.filter(|&at| trimmed[..at].iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 0);
            unescaped.next().unwrap_or(0)
        }
        Some(b'}' | b']') => trimmed.len() - 1,
        _ => trimmed.iter().rposition(|byte| b",:[{ \t\r\n".contains(byte)).map_or(0, |before| before + 1),
    }
}

/// Serde's message in the words of a configuration, without values: one of the wrong type may be a secret.
fn plain(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field ") {
        let name = quoted.next().unwrap_or_default();
        return format!("unknown member `{name}`{}", expected_one_of(name, quoted));
    }
    if message.starts_with("duplicate field ") {
        return format!("`{}` is there twice", quoted.next().unwrap_or_default());
    }
    if message.starts_with("missing field ") {
        return format!("`{}` is missing", quoted.next().unwrap_or_default());
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        let kind = found.split(['`', '"']).next().unwrap_or_default().trim_end();
        return format!("wrong type: {kind}, where {expected} is expected");
    }
    message.trim_end().replace('\n', "; ")
}
