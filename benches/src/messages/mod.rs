//! Messages as terminals write them, of invented shops, terminals and cards. Source: the reference's own examples.

mod display;
mod event;
mod payment;
mod receipt;

pub(crate) use display::display;
pub(crate) use event::event;
pub(crate) use payment::payment;

use crate::layout::Node;
use crate::random::Random;

const CAPITALS: &str = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789";

fn poi_id(random: &mut Random) -> String {
    let model = random.pick(&["V400m", "P400Plus", "S1F2", "AMS1", "V240m", "M400"]);
    format!("{model}-{}", random.between(100_000_000, 999_999_999))
}

fn sale_id(random: &mut Random) -> String {
    match random.below(3) {
        0 => "POSSystemID12345".to_owned(),
        1 => format!("Store-{:03}-Till-{}", random.between(1, 900), random.between(1, 20)),
        _ => format!("ECR{:05}", random.below(100_000)),
    }
}

fn time_stamp(random: &mut Random) -> String {
    let mut part = |first, last| random.between(first, last);
    let (year, month, day) = (part(19, 26), part(1, 12), part(1, 28));
    let (hour, minute, second, ms) = (part(0, 23), part(0, 59), part(0, 59), part(0, 999));
    format!("20{year:02}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The terminal's own part of a transaction's id.
fn tender(random: &mut Random) -> String {
    format!("{}{:012}", random.letters(LETTERS, 4), random.below(1_000_000_000_000))
}

fn psp_reference(random: &mut Random) -> String {
    random.letters(CAPITALS, 16)
}

fn service_id(random: &mut Random) -> String {
    let width = random.pick(&[10, 10, 10, 8, 9]);
    format!("{:0width$}", random.below(100_000_000))
}

fn device_id(random: &mut Random) -> String {
    random.between(1_000_000_000, 2_000_000_000).to_string()
}

/// An object whose members are all texts.
fn texts<const N: usize>(members: [(&'static str, String); N]) -> Node {
    Node::Object(members.into_iter().map(|(name, text)| (name, Node::Text(text))).collect())
}

/// `text` as it stands in a form: `%20` for a blank, as terminals write it.
fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => encoded.push(char::from(byte)),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}
