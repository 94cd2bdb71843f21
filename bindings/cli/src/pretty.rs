//! Lines for people.

use std::io::{self, Write};

use serde_json::Value;

/// Whether to write colours to something that is, or is not, a terminal. Source: no-color.org.
pub(crate) fn colours(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Escape sequences of ECMA-48, section 8.3.117.
const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const CYAN: &str = "\x1b[36m";

/// What is looked at first comes first; the rest follows in the order of the line.
const FIRST: [&str; 3] = ["file", "summary", "kind"];

/// Prints the members that are there, one a line, names and values aligned.
pub(crate) fn print(out: &mut impl Write, line: &Value, colours: bool) -> io::Result<()> {
    let Some(members) = line.as_object() else { return Ok(()) };
    let is_there = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    let first = FIRST.iter().filter_map(|name| members.get_key_value(*name));
    let rest = members.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
    let members: Vec<_> = first.chain(rest).filter(|(_, value)| is_there(value)).collect();
    let width = members.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in members {
        let (start, end) = if colours { (style(name), RESET) } else { ("", "") };
        let (dim, reset) = if colours { (DIM, RESET) } else { ("", "") };
        for (at, row) in rows(value).into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            writeln!(out, "{dim}{name:>width$}{reset}  {start}{row}{end}")?;
        }
    }
    writeln!(out)
}

fn style(name: &str) -> &'static str {
    match name {
        "file" => DIM,
        "summary" => BOLD,
        "kind" => CYAN,
        "error" | "error_condition" => RED,
        "flags" => YELLOW,
        _ => "",
    }
}

/// One row for a scalar, one a pair of a list of pairs, one an element of another list.
fn rows(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().map(row).collect(),
        other => vec![row(other)],
    }
}

fn row(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(key), Value::String(value)] => format!("{} = {}", plain(key), plain(value)),
            _ => value.to_string(),
        },
        Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            let members: Vec<_> = there.map(|(name, value)| format!("{name}: {}", row(value))).collect();
            members.join(", ")
        }
        other => other.to_string(),
    }
}

/// Text that cannot move the cursor or change colours: a message is a stranger's.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|letter| if letter.is_control() { letter.escape_default().collect() } else { vec![letter] })
        .collect()
}
