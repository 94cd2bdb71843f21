//! The commands on a store: a run that goes on where it stopped, and what operators do with what is kept.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn messages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/testdata/messages")
}

/// Runs a command on the store in this folder.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nexowire"))
        .args(arguments)
        .arg("--store")
        .arg(folder.join("store"))
        .current_dir(folder)
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Routes what is in `path`: what came out, and the summary.
fn route(folder: &Path, path: &Path) -> (Vec<Value>, Value) {
    let mut lines = lines(&run(folder, &["route", "--json", path.to_str().unwrap()]));
    let summary = lines.pop().unwrap()["summary"].take();
    (lines, summary)
}

#[test]
fn a_second_run_delivers_nothing_twice_and_a_replay_all_again() {
    let folder = tempfile::tempdir().unwrap();
    let (first, summary) = route(folder.path(), &messages().join("event"));
    assert!(first.len() > 20, "{} messages", first.len());
    assert_eq!(summary["accepted"], first.len());

    let (second, summary) = route(folder.path(), &messages().join("event"));
    assert_eq!((second.len(), &summary["accepted"]), (0, &0.into()));
    assert!(summary["duplicates"].as_u64().unwrap() >= first.len() as u64);

    let replayed = run(folder.path(), &["replay"]);
    assert_eq!(String::from_utf8_lossy(&replayed.stdout), format!("replayed {}\n", first.len()));
    let nothing = folder.path().join("nothing.jsonl");
    std::fs::write(&nothing, "").unwrap();
    let (again, _) = route(folder.path(), &nothing);
    let seqs = |lines: &[Value], name: &str| {
        let mut seqs: Vec<u64> = lines.iter().map(|line| line[name].as_u64().unwrap()).collect();
        seqs.sort_unstable();
        seqs
    };
    assert_eq!(seqs(&again, "origin_seq"), seqs(&first, "seq"));
    assert!(again.iter().all(|line| line["flags"].as_array().unwrap().contains(&"replayed".into())));
}

#[test]
fn operators_see_what_is_kept_and_send_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let out_of_scope = r#"{"SaleToPOIRequest":{"EventNotification":{},"MessageHeader":{"POIID":"V400m-1"}}}"#;
    std::fs::write(folder.path().join("bodies.jsonl"), format!("{out_of_scope}\n<a/>\n")).unwrap();
    std::fs::write(folder.path().join("strict.toml"), "[endpoint.default]\npoiids = [\"P400*\"]\n").unwrap();
    std::fs::write(folder.path().join("lax.toml"), "").unwrap();
    let routed = run(folder.path(), &["route", "--json", "--config", "strict.toml", "bodies.jsonl"]);
    assert_eq!(lines(&routed).pop().unwrap()["summary"]["quarantined"], 2);

    let kept = lines(&run(folder.path(), &["quarantine", "--json", "--config", "strict.toml"]));
    assert_eq!([&kept[0]["reason"], &kept[1]["reason"]], ["out_of_scope", "malformed"]);
    let text = run(folder.path(), &["quarantine", "--max", "1", "--config", "strict.toml"]);
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.contains("out_of_scope") && text.contains("V400m-1") && text.lines().count() == 1, "{text}");

    let replayed = run(folder.path(), &["replay", "--source", "quarantine", "--config", "lax.toml"]);
    assert_eq!(String::from_utf8_lossy(&replayed.stdout), "replayed 1\n");
    assert_eq!(lines(&run(folder.path(), &["quarantine", "--json", "--config", "lax.toml"])).len(), 1);
    assert!(lines(&run(folder.path(), &["dead-letters", "--json", "--config", "lax.toml"])).is_empty());
}

#[test]
fn a_dead_letter_is_shown_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let event = r#"{"SaleToPOIRequest":{"EventNotification":{},"MessageHeader":{"POIID":"V400m-1"}}}"#;
    let script = [
        serde_json::json!({"op": "accept", "body": event}),
        serde_json::json!({"op": "poll", "queue": "terminals"}),
        serde_json::json!({"op": "nack", "queue": "terminals", "seqs": [1], "dead": true, "reason": "no such till"}),
    ];
    let script: String = script.iter().map(|line| format!("{line}\n")).collect();
    let input = folder.path().join("script");
    std::fs::write(&input, script).unwrap();
    let drive = Command::new(env!("CARGO_BIN_EXE_nexowire"))
        .args(["drive", "--store"])
        .arg(folder.path().join("store"))
        .stdin(std::fs::File::open(input).unwrap())
        .output()
        .unwrap();
    assert!(drive.status.success());
    let text = run(folder.path(), &["dead-letters"]);
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.contains("no such till after 1 attempts") && text.contains("1970-01-01T00:00:00.000Z"), "{text}");
    let replayed = run(folder.path(), &["replay", "--source", "dead-letters"]);
    assert_eq!(String::from_utf8_lossy(&replayed.stdout), "replayed 1\n");
    assert!(run(folder.path(), &["dead-letters"]).stdout.is_empty());
}

#[test]
fn a_store_that_cannot_be_opened_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("store"), "a file where a folder should be").unwrap();
    for command in ["replay", "quarantine", "dead-letters"] {
        let output = run(folder.path(), &[command]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{command}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_nexowire")).arg("quarantine").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "neither a store nor a configuration");
}
