//! The project's own messages, each with its golden line; and the oracle, which must read them the same way.
//!
//! `UPDATE_GOLDEN=1` writes the lines anew: then look at what has changed.

mod oracle;

use std::fs;
use std::path::{Path, PathBuf};

use nexowire_core::limits::Limits;
use nexowire_core::nexo::{DisplayEvent, EventToNotify, MessageCategory, Texts, Vocabulary};
use nexowire_core::report::Report;
use serde_json::{Map, Value};

/// Every body under `messages`, by the name that it has there, sorted.
fn messages() -> Vec<(String, PathBuf)> {
    let root = testdata().join("messages");
    let (mut folders, mut files) = (vec![root.clone()], vec![]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if !name.ends_with(".md") && !name.starts_with('.') {
                files.push((name, path));
            }
        }
    }
    files.sort();
    files
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn line(name: &str, body: &[u8]) -> Map<String, Value> {
    let report = Report::of_body(body, &Limits::default(), &Texts::default());
    let Value::Object(members) = serde_json::to_value(report).unwrap() else { unreachable!("a report is an object") };
    let mut line = Map::from_iter([("file".to_owned(), Value::from(name))]);
    line.extend(members);
    line
}

#[test]
fn every_message_has_its_golden_line() {
    let lines: Vec<_> = messages().iter().map(|(name, path)| line(name, &fs::read(path).unwrap())).collect();
    let golden = testdata().join("inspect.golden");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        fs::write(&golden, text).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap();
    let expected: Vec<Map<String, Value>> = expected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (line, expected) in lines.iter().zip(&expected) {
        assert_eq!(line, expected, "{}", line["file"]);
    }
    assert_eq!(lines.len(), expected.len());
}

#[test]
fn the_oracle_reads_every_message_the_same_way() {
    for (name, path) in messages() {
        let body = fs::read(path).unwrap();
        let (line, expected) = (line(&name, &body), oracle::classify::line(&body));
        for (member, value) in expected.as_object().unwrap() {
            assert_eq!(line.get(member), Some(value), "{name}: {member}");
        }
    }
}

/// What the messages must be enough for: anybody who has nothing but them.
#[test]
fn the_messages_cover_the_vocabulary() {
    let messages = messages();
    assert!(messages.len() >= 120, "{} messages", messages.len());
    let lines: Vec<_> = messages.iter().map(|(name, path)| line(name, &fs::read(path).unwrap())).collect();
    let has = |member: &str, word: &str| lines.iter().any(|line| line[member] == word);
    for event in EventToNotify::ALL {
        assert!(has("event_to_notify", event.word()), "no message for {event:?}");
    }
    for event in DisplayEvent::ALL {
        assert!(has("display_event", event.word()), "no message for {event:?}");
    }
    for category in MessageCategory::ALL {
        let word = category.word();
        let names = match category {
            MessageCategory::Event => vec!["EventNotification".to_owned()],
            MessageCategory::InputUpdate => vec!["InputUpdate".to_owned()],
            MessageCategory::Abort => vec!["AbortRequest".to_owned()],
            _ => vec![format!("{word}Request"), format!("{word}Response")],
        };
        for name in names.iter().filter(|name| *name != "NoneResponse") {
            assert!(has("body_member", name), "no message for {name}");
        }
    }
    for format in ["kvp", "base64json", "text", "empty"] {
        assert!(has("additional_response_format", format), "no AdditionalResponse as {format}");
    }
}
