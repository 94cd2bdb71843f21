//! A process that is killed at any instant loses nothing that it has accepted.
//!
//! `nexowire drive` runs on a store, is fed operations faster than it answers, and is killed with SIGKILL. What it had
//! answered is the log, kept outside of it. `NEXOWIRE_CASES` is how often; without it 20 times.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Operations that are on their way when the process is killed.
const OPERATIONS: usize = 400;

/// Terminals that send.
const TERMINALS: u64 = 7;

fn cases() -> u64 {
    std::env::var("NEXOWIRE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20)
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// What the outside knows.
#[derive(Default)]
struct Log {
    /// Bodies by the numbers under which they were accepted.
    accepted: BTreeMap<u64, String>,
    /// What the process was asked to ack: from then on it may come again or not.
    acked: BTreeSet<u64>,
    bodies: u64,
}

fn drive(store: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_nexowire"))
        .args(["drive", "--store"])
        .arg(store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// An event that no other is equal to.
fn event(number: u64) -> String {
    let (terminal, seconds) = (number % TERMINALS, number);
    json!({"SaleToPOIRequest": {
        "EventNotification": {"EventToNotify": "Shutdown", "TimeStamp": format!("2026-11-21T12:00:00.{seconds:09}Z")},
        "MessageHeader": {"POIID": format!("V400m-{terminal}"), "DeviceID": number.to_string()},
    }})
    .to_string()
}

/// The operations of one life, and for each what it is about.
fn operations(random: &mut Random, log: &mut Log) -> (String, Vec<Operation>) {
    let (mut text, mut list) = (String::new(), vec![]);
    for at in 0..OPERATIONS {
        let (operation, line) = match random.below(20) {
            0..11 => {
                log.bodies += 1;
                let body = event(log.bodies);
                let line = json!({"op": "accept", "body": body});
                (Operation::Accept(body), line)
            }
            11..14 => {
                log.bodies += 1;
                let body = event(log.bodies);
                let line = json!({"op": "submit", "id": at, "body": body});
                (Operation::Submit(at as u64, body), line)
            }
            14..16 => (Operation::Commit, json!({"op": "commit"})),
            16..19 => (Operation::Poll, json!({"op": "poll", "queue": "terminals", "max": 1 + random.below(8)})),
            _ => {
                // Near those that are polled now; many of them mean nothing.
                let last = log.accepted.keys().next_back().copied().unwrap_or(0);
                let seqs: Vec<u64> = (0..2).map(|_| 1 + random.below(last + at as u64 + 1)).collect();
                let line = json!({"op": "ack", "queue": "terminals", "seqs": seqs});
                log.acked.extend(seqs);
                (Operation::Ack, line)
            }
        };
        text.push_str(&line.to_string());
        text.push('\n');
        list.push(operation);
    }
    (text, list)
}

enum Operation {
    Accept(String),
    Submit(u64, String),
    Commit,
    Poll,
    Ack,
}

/// Enters what the process has answered.
fn enter(log: &mut Log, operations: &[Operation], answers: &[Value]) {
    let submitted: BTreeMap<u64, &String> = operations
        .iter()
        .filter_map(|operation| if let Operation::Submit(id, body) = operation { Some((*id, body)) } else { None })
        .collect();
    let mut accept = |answer: &Value, body: &String| {
        assert_eq!(answer["verdict"], "accepted", "{answer}");
        assert_eq!(answer["stored"], true, "{answer}");
        let before = log.accepted.insert(answer["seq"].as_u64().unwrap(), body.clone());
        assert_eq!(before, None, "a number was given twice: {answer}");
    };
    for (operation, answer) in operations.iter().zip(answers) {
        match operation {
            Operation::Accept(body) => accept(answer, body),
            Operation::Submit(..) => assert_eq!(answer["pending"], true, "{answer}"),
            Operation::Commit => {
                for completed in answer["completed"].as_array().unwrap() {
                    accept(completed, submitted[&completed["id"].as_u64().unwrap()]);
                }
            }
            Operation::Poll => assert!(answer["messages"].is_array(), "{answer}"),
            Operation::Ack => assert!(answer["done"].is_u64(), "{answer}"),
        }
    }
}

/// One life: it is killed after some answers, while it works on the next.
fn live(random: &mut Random, log: &mut Log, store: &Path) {
    let (text, operations) = operations(random, log);
    let answers_before = random.below(OPERATIONS as u64) as usize;
    let mut child = drive(store);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut answers = String::new();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // Broken off when the process dies.
            let _killed = stdin.write_all(text.as_bytes());
        });
        for _ in 0..answers_before {
            stdout.read_line(&mut answers).unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    });
    // What stands in the pipe was answered.
    stdout.read_to_string(&mut answers).unwrap();
    let whole = answers.rfind('\n').map_or("", |end| &answers[..end]);
    let answers: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(answers.len() >= answers_before);
    enter(log, &operations, &answers);
}

/// Opens what the dead process left, and looks for what it has accepted.
fn verify(log: &mut Log, store: &Path) {
    let mut child = drive(store);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ask = |operation: Value| -> Value {
        writeln!(stdin, "{operation}").unwrap();
        serde_json::from_str(&stdout.next().unwrap().unwrap()).unwrap()
    };
    let mut found = BTreeMap::new();
    loop {
        let answer = ask(json!({"op": "poll", "queue": "terminals", "max": 4096}));
        let messages = answer["messages"].as_array().unwrap();
        if messages.is_empty() {
            break;
        }
        let mut seqs = vec![];
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for message in messages {
            let seq = message["seq"].as_u64().unwrap();
            let device = message["device_id"].as_str().unwrap().to_owned();
            assert_eq!(found.insert(seq, device), None, "delivered twice in one life: {seq}");
            let before = last.insert(message["poiid"].as_str().unwrap().to_owned(), seq);
            assert!(before.is_none_or(|before| before < seq), "out of order: {seq}");
            seqs.push(seq);
        }
        assert_eq!(ask(json!({"op": "ack", "queue": "terminals", "seqs": seqs}))["done"], seqs.len());
    }
    for (seq, body) in &log.accepted {
        let body: Value = serde_json::from_str(body).unwrap();
        let device = body["SaleToPOIRequest"]["MessageHeader"]["DeviceID"].as_str().unwrap();
        match found.get(seq) {
            Some(found) => assert_eq!(found, device, "another message has the number {seq}"),
            None => assert!(log.acked.contains(seq), "{seq} was accepted and is lost"),
        }
    }
    // What has been seen is a duplicate of itself.
    for (seq, body) in log.accepted.iter().take(5) {
        let answer = ask(json!({"op": "accept", "body": body}));
        assert_eq!((&answer["verdict"], &answer["seq"]), (&json!("duplicate"), &json!(seq)));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    log.acked.extend(log.accepted.keys());
}

#[test]
fn nothing_that_was_accepted_is_missing_after_a_kill() {
    let mut random = Random(1);
    for case in 0..cases() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let mut log = Log::default();
        // Several lives on one store, so that what an opening makes is killed as well.
        for _ in 0..1 + case % 3 {
            live(&mut random, &mut log, &store);
        }
        verify(&mut log, &store);
    }
}
