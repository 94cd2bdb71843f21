//! The table for people, and the last line for programs.

use std::fmt::Write;

use crate::contenders::Contender;
use crate::machine;
use crate::measure::Row;

/// What one has to know about the figures.
pub(crate) fn preamble(core: Option<usize>) -> String {
    let core = core.map_or("not pinned".to_owned(), |core| format!("pinned to core {core}"));
    format!(
        "machine: {}, {core}\ncommit: {}\ncommand: cargo run --release -p nexowire-compare\n\n\
         Each cell is the median of nanoseconds of processor time a message, and how many times as long as nexowire's that\n\
         is. All extract the same fields of every message, checked by the sum of their lengths. Everything is built for plain x86-64 and\n\
         takes its kernels at run time; only the walk of simdjson On-Demand, which cannot, is compiled for this machine.\n\
         simd-json pays for the copy that it writes into; simdjson gets its padding without one. serde_json typed has its UTF-8 checked by simdutf8. simdjson\n\
         On-Demand does not validate what it skips, so it does less than the others.\n\
         simdjson 4.6.4 and yyjson 0.10.0 come with the crates simdjson-sys and yyjson-sys.\n",
        machine::processor(),
        machine::commit(),
    )
}

/// Markdown with aligned columns.
pub(crate) fn table(rows: &[Row], contenders: &[Contender]) -> String {
    let titles = contenders.iter().map(|contender| contender.title.to_owned());
    let mut lines = vec![["corpus", "bytes"].map(str::to_owned).into_iter().chain(titles).collect::<Vec<_>>()];
    for row in rows {
        let cells = row.ns.iter().enumerate().map(|(at, ns)| match (ns, ratio(row, at)) {
            (Some(ns), _) if at == 0 => format!("{ns:.1}"),
            (Some(ns), Some(ratio)) => format!("{ns:.0} ({ratio:.1}x)"),
            _ => "differs".to_owned(),
        });
        lines.push([row.name.clone(), row.bytes.to_string()].into_iter().chain(cells).collect());
    }
    let widths: Vec<usize> =
        (0..lines[0].len()).map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0)).collect();
    lines.insert(1, widths.iter().enumerate().map(|(at, width)| rule(at, *width)).collect());
    let mut table = String::new();
    for line in lines {
        for (at, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let padded = if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
            write!(table, "| {padded} ").expect("a string takes all");
        }
        table += "|\n";
    }
    table
}

/// What stands between the head of a column and its cells.
fn rule(column: usize, width: usize) -> String {
    let dashes = "-".repeat(width.saturating_sub(1));
    if column == 0 { format!("{dashes}-") } else { format!("{dashes}:") }
}

/// One line: of every corpus our time, and those of the others divided by it.
pub(crate) fn json(rows: &[Row], contenders: &[Contender]) -> String {
    let rows = rows.iter().map(|row| {
        let mut members = vec![format!("\"ns\":{}", number(row.ns[0], 1))];
        for (at, contender) in contenders.iter().enumerate() {
            members.extend(contender.key.map(|key| format!("\"{key}\":{}", number(ratio(row, at), 2))));
        }
        format!("{}:{{{}}}", serde_json::Value::from(&*row.name), members.join(","))
    });
    format!("{{{}}}", rows.collect::<Vec<_>>().join(","))
}

fn number(number: Option<f64>, places: usize) -> String {
    number.map_or("null".to_owned(), |number| format!("{number:.places$}"))
}

/// The time of a contender divided by ours.
pub(crate) fn ratio(row: &Row, at: usize) -> Option<f64> {
    Some(row.ns[at]? / row.ns[0]?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_what_programs_expect() {
        let contenders = crate::contenders::all();
        let mut ns = vec![Some(100.0); contenders.len()];
        ns[0] = Some(50.0);
        ns[1] = None;
        let rows = [Row { name: "a \"b\"".to_owned(), messages: 1, bytes: 2, ns }];
        let text = json(&rows, &contenders);
        let expected = r#"{"a \"b\"":{"ns":50.0,"simd-json":null,"sonic-rs":2.00,"serde_json":2.00,"simdjson-dom":2.00,"simdjson-ondemand":2.00,"yyjson":2.00}}"#;
        assert_eq!(text, expected);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        assert!(table(&rows, &contenders).contains("differs"));
    }
}
