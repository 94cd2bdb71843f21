//! A chart of nanoseconds a message: a panel for each corpus, a bar for each contender.

use std::fmt::Write;

use crate::contenders::Contender;
use crate::measure::Row;

const COLUMNS: usize = 2;
const PANEL_WIDTH: usize = 460;
const BAR_HEIGHT: usize = 16;
const BAR_STEP: usize = 22;
/// Where bars begin, and how long the longest is.
const BARS_LEFT: usize = 140;
const BARS_WIDTH: usize = 230;
const TOP: usize = 56;

const OURS: &str = "#1f6feb";
const OTHERS: &str = "#9aa4b0";

/// The chart as SVG.
pub(crate) fn draw(rows: &[Row], contenders: &[Contender]) -> String {
    let panel_height = contenders.len() * BAR_STEP + 52;
    let height = TOP + rows.len().div_ceil(COLUMNS) * panel_height;
    let width = COLUMNS * PANEL_WIDTH;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#24292f\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"16\" font-weight=\"bold\">Nanoseconds a message, less is better</text>\n\
         <text x=\"16\" y=\"44\" fill=\"#57606a\">Each panel has its own scale. simdjson On-Demand does not validate what \
         it skips.</text>\n"
    );
    for (at, row) in rows.iter().enumerate() {
        panel(&mut svg, row, contenders, at % COLUMNS * PANEL_WIDTH, TOP + at / COLUMNS * panel_height);
    }
    svg + "</svg>\n"
}

fn panel(svg: &mut String, row: &Row, contenders: &[Contender], left: usize, top: usize) {
    let longest = row.ns.iter().flatten().copied().fold(1.0, f64::max);
    let mut line = |text: String| writeln!(svg, "{text}").expect("a string takes all");
    line(format!(
        "<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}: {} messages of {} bytes</text>",
        left + 16,
        top + 22,
        escaped(&row.name),
        row.messages,
        row.bytes
    ));
    for (at, (contender, ns)) in contenders.iter().zip(&row.ns).enumerate() {
        let Some(ns) = ns else { continue };
        let (y, middle) = (top + 32 + at * BAR_STEP, top + 44 + at * BAR_STEP);
        let width = (ns / longest * BARS_WIDTH as f64).max(1.0);
        let (color, weight) = if at == 0 { (OURS, "bold") } else { (OTHERS, "normal") };
        line(format!(
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\" font-weight=\"{weight}\">{}</text>",
            left + BARS_LEFT - 8,
            escaped(contender.title)
        ));
        line(format!(
            "<rect x=\"{}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR_HEIGHT}\" fill=\"{color}\"/>",
            left + BARS_LEFT
        ));
        line(format!(
            "<text x=\"{:.1}\" y=\"{middle}\" font-weight=\"{weight}\">{ns:.0}</text>",
            (left + BARS_LEFT) as f64 + width + 6.0
        ));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_bar_for_each_figure() {
        let contenders = crate::contenders::all();
        let mut ns = vec![Some(100.0); contenders.len()];
        ns[2] = None;
        let svg = draw(&[Row { name: "a<b".to_owned(), messages: 1, bytes: 2, ns }], &contenders);
        assert_eq!(svg.matches("<rect").count(), contenders.len());
        assert!(svg.contains("a&lt;b") && svg.ends_with("</svg>\n"));
    }
}
