//! `inspect`, `route`, `config check`, `completions` and the help, as somebody types them.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/testdata")
}

/// Runs the binary in the folder of the messages.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nexowire"))
        .args(arguments)
        .current_dir(testdata().join("messages"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// The same lines that the core gives, with the arguments as they were given, in their order.
#[test]
fn inspect_prints_the_golden_lines() {
    let golden = std::fs::read_to_string(testdata().join("inspect.golden")).unwrap();
    let golden: Vec<Value> = golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut files: Vec<&str> = golden.iter().map(|line| line["file"].as_str().unwrap()).collect();
    files.reverse();
    let output = run(&[&["inspect"], &files[..]].concat(), b"");
    assert!(output.status.success());
    let lines = lines(&output);
    assert_eq!(lines.len(), golden.len());
    for (line, golden) in lines.iter().zip(golden.iter().rev()) {
        assert_eq!(line, golden);
    }
}

#[test]
fn inspect_reads_lines_from_standard_input() {
    let output = run(&["inspect", "-"], b"ok\r\n\n{\"a\":\n[accepted]");
    assert!(output.status.success(), "a malformed body is no reason to fail");
    let lines = lines(&output);
    let kinds: Vec<_> = lines.iter().map(|line| (&line["file"], &line["kind"])).collect();
    assert_eq!(kinds.len(), 3);
    assert!(
        kinds
            .iter()
            .zip(["acknowledgement", "malformed", "acknowledgement"])
            .all(|((file, kind), expected)| *file == "-" && *kind == expected)
    );
    assert_eq!(lines[1]["error"]["kind"], "unexpected_end");
    assert_eq!(lines[1]["error"]["offset"], 5);
}

#[test]
fn inspect_fails_when_a_file_cannot_be_read_and_goes_on() {
    let output = run(&["inspect", "no-such-file.json", "other/ack-ok.txt"], b"");
    assert!(!output.status.success());
    assert_eq!(lines(&output).len(), 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-file.json"));
}

#[test]
fn inspect_is_pretty_without_colours_into_a_pipe() {
    let output = run(&["inspect", "--pretty", "response/payment-refusal.json"], b"");
    let text = text(&output);
    assert!(text.contains("summary  Payment on terminal V400m-346403161 failed: it was refused"), "{text}");
    assert!(text.contains("  refusalReason = 210 Not enough balance\n") && !text.contains('\x1b'), "{text}");
    assert!(!text.contains("event_to_notify"), "what is absent is not shown");
}

#[test]
fn route_shows_messages_and_a_summary() {
    let output = run(&["route", ".."], b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = text(&output);
    for part in ["is shutting down", "\naccepted ", "by queue payments", "quarantined ", "messages a second"] {
        assert!(text.contains(part), "{part:?} is missing");
    }
}

/// What the summary says is what the lines show: nothing is lost between the two.
#[test]
fn route_as_json_adds_up() {
    let output = run(&["route", "--json", "event", "display", "webhook", "-"], b"ok\n<a/>\n");
    let mut lines = lines(&output);
    let summary = lines.pop().unwrap()["summary"].take();
    assert_eq!(summary["accepted"], lines.len());
    let kinds = summary["kinds"].as_object().unwrap();
    assert_eq!(kinds.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), lines.len() as u64);
    for (queue, count) in summary["queues"].as_object().unwrap() {
        assert_eq!(lines.iter().filter(|line| line["queue"] == **queue).count() as u64, count.as_u64().unwrap());
    }
    assert!(summary["ignored"].as_u64().unwrap() >= 1 && summary["quarantined"].as_u64().unwrap() >= 1);
    assert!(lines.iter().all(|line| line["attempt"] == 1 && line["endpoint"] == "default"));
}

/// What cannot be read is told; the rest is routed, and the summary comes.
#[test]
fn route_goes_on_past_what_cannot_be_read() {
    let output = run(&["route", "no-such-file.json", "event/shutdown.json", "--json"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-file.json"));
    let lines = lines(&output);
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!((&summary["accepted"], &summary["unreadable"]), (&1.into(), &1.into()));
}

/// A webhook whose items need more room than their lane has would be sent again for ever.
#[test]
fn route_gives_up_a_body_that_never_fits() {
    let item = |psp: &str| {
        format!(
            r#"{{"NotificationRequestItem":{{"eventCode":"AUTHORISATION","pspReference":"{psp}","success":"true"}}}}"#
        )
    };
    let body = |items: &[String]| format!(r#"{{"live":"false","notificationItems":[{}]}}"#, items.join(","));
    let configuration = testdata().join("drive/refuse.toml");
    let input = format!("{}\n{}\n", body(&["A", "B", "C"].map(item)), body(&[item("D")]));
    let output = run(&["route", "--json", "--config", configuration.to_str().unwrap(), "-"], input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("-:1: needs more room"));
    let summary = lines(&output).pop().unwrap()["summary"].take();
    assert_eq!((&summary["accepted"], &summary["no_room"]), (&1.into(), &1.into()));
}

/// Whoever pipes a log that grows sees each message when it comes, not when the input ends.
#[test]
fn route_shows_what_comes_while_its_input_is_open() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nexowire"))
        .args(["route", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let body = std::fs::read_to_string(testdata().join("messages/event/shutdown.json")).unwrap();
    input.write_all(format!("{}\n", body.replace(['\r', '\n'], " ")).as_bytes()).unwrap();
    let (seen, line) = std::sync::mpsc::channel();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        seen.send(line).unwrap();
    });
    let line = line.recv_timeout(std::time::Duration::from_secs(20)).expect("a line before the input ends");
    assert!(line.contains("is shutting down"), "{line}");
    drop(input);
    child.wait().unwrap();
}

/// Names of files are bytes on this system; one that is no text is as good as others.
#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_read() {
    use std::os::unix::ffi::OsStrExt;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(std::ffi::OsStr::from_bytes(b"\xff.json"));
    std::fs::write(&file, "{}").unwrap();
    for command in ["inspect", "route"] {
        let output = Command::new(env!("CARGO_BIN_EXE_nexowire")).arg(command).arg(&file).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn config_check_explains_and_refuses() {
    let folder = testdata().join("drive");
    let configuration = folder.join("explain.toml");
    let output = run(&["config", "check", configuration.to_str().unwrap(), "event/shutdown.json"], b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let explained = text(&output);
    assert!(explained.starts_with("the configuration loads: "), "{explained}");
    assert!(explained.contains("event/shutdown.json: accepted") && explained.contains(": fits"), "{explained}");

    let missing = run(&["config", "check", "no-such-file.toml"], b"");
    assert_eq!(missing.status.code(), Some(2));
    // A file that is there and no configuration: the error has a place.
    let wrong = run(&["config", "check", "other/ack-ok.txt"], b"");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("line 1, column "));
}

#[test]
fn help_version_and_completions() {
    let help = run(&["--help"], b"");
    assert!(
        ["inspect", "route", "config", "drive", "completions", "Examples:"]
            .iter()
            .all(|word| text(&help).contains(word))
    );
    assert_eq!(text(&run(&["--version"], b"")).trim(), concat!("nexowire ", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(text(&run(&["completions", shell], b"")).contains("nexowire"), "{shell}");
    }
    assert_eq!(run(&["dance"], b"").status.code(), Some(2));
}
