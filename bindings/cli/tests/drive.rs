//! The scripts of `core/testdata/drive` against the binary: every member that an expected answer has must be there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The scripts of a folder, `core/testdata/drive` or one in it.
fn scripts(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/testdata/drive").join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut scripts: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "ops")).collect();
    scripts.sort();
    scripts
}

/// Where `actual` lacks something of `expected`.
fn difference(expected: &Value, actual: &Value, path: &str) -> Option<String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => expected.iter().find_map(|(name, expected)| {
            let path = format!("{path}.{name}");
            match actual.get(name) {
                Some(actual) => difference(expected, actual, &path),
                None => Some(format!("{path} is missing")),
            }
        }),
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let mut pairs = expected.iter().zip(actual).enumerate();
            pairs.find_map(|(at, (expected, actual))| difference(expected, actual, &format!("{path}[{at}]")))
        }
        (expected, actual) => (expected != actual).then(|| format!("{path} is {actual}, not {expected}")),
    }
}

/// Runs a script, on a store if there is a folder for one, and compares its answers.
fn run(script: &Path, store: Option<&Path>) {
    let configuration = script.with_extension("toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_nexowire"));
    command.arg("drive").stdin(File::open(script).unwrap());
    if configuration.exists() {
        command.arg("--config").arg(&configuration);
    }
    if let Some(store) = store {
        command.arg("--store").arg(store);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    let expected = fs::read_to_string(script.with_extension("answers")).unwrap();
    assert_eq!(answers.lines().count(), expected.lines().count(), "{}", script.display());
    for (number, (expected, answer)) in expected.lines().zip(answers.lines()).enumerate() {
        let [expected, answer] = [expected, answer].map(|line| serde_json::from_str::<Value>(line).unwrap());
        if let Some(difference) = difference(&expected, &answer, "") {
            panic!("{}, line {}: {difference}\n{answer}", script.display(), number + 1);
        }
    }
}

#[test]
fn every_script_gets_its_answers() {
    let scripts = scripts("");
    assert!(scripts.len() >= 60, "{} scripts", scripts.len());
    for script in scripts {
        run(&script, None);
    }
}

#[test]
fn every_script_on_a_store_gets_its_answers() {
    let scripts = scripts("stored");
    assert!(scripts.len() >= 30, "{} scripts", scripts.len());
    for script in scripts {
        let folder = tempfile::tempdir().unwrap();
        run(&script, Some(&folder.path().join("store")));
    }
}

#[test]
fn every_answer_is_written_before_the_next_operation_is_read() {
    use std::io::{BufRead, BufReader, Write};
    let mut child = Command::new(env!("CARGO_BIN_EXE_nexowire"))
        .arg("drive")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        input.write_all(b"{\"op\":\"counters\"}\n").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.starts_with("{\"accepted\":0,") && answer.ends_with("}\n"), "{answer}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_cannot_be_opened_is_exit_code_2_and_nothing_on_standard_output() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let missing = ["drive", "--config", "no/such/file.toml"];
    let store = ["drive", "--store", file.path().to_str().unwrap()];
    for arguments in [&missing[..], &store[..]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_nexowire")).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}
