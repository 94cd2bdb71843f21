//! Real messages, when the folder of them is there: every member of every expected line must be matched.

use std::fs;
use std::path::Path;

use nexowire_core::limits::Limits;
use nexowire_core::nexo::Texts;
use nexowire_core::report::Report;
use serde_json::Value;

#[test]
fn every_expected_line_is_matched() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let Ok(expected) = fs::read_to_string(corpus.join("expected.jsonl")) else { return };
    let mut wrong = vec![];
    for line in expected.lines() {
        let expected: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        let file = expected["file"].as_str().unwrap();
        let body = fs::read(corpus.join(file)).unwrap();
        let report = Report::of_body(&body, &Limits::default(), &Texts::default());
        let report = serde_json::to_value(report).unwrap();
        for (member, value) in expected.iter().filter(|(member, _)| *member != "file") {
            if report.get(member) != Some(value) {
                wrong.push(format!("{file}: {member} is {:?}, not {value}", report.get(member)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
