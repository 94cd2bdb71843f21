//! The receipts of a payment: some twenty lines of pairs, a few of them written by hand.

use super::{percent, poi_id};
use crate::layout::Node;
use crate::random::Random;

/// What a receipt shares with its payment.
pub(super) struct Slip<'a> {
    pub(super) time: &'a str,
    pub(super) tender: &'a str,
    pub(super) shop: &'a str,
    pub(super) amount: &'a str,
}

pub(super) fn receipt(qualifier: &'static str, title: &str, slip: &Slip<'_>, random: &mut Random) -> Node {
    let shop =
        if random.percent(50) { format!("name={}&key=header2", slip.shop) } else { pairs(slip.shop, None, "header2") };
    let mut lines = vec![plain("key=filler"), bold("key=header1"), bold(shop), bold(title)];
    for (name, value, key) in details(slip, random) {
        if random.percent(4) {
            continue;
        }
        let by_hand = random.percent(10);
        let text =
            if by_hand { format!("name={name}&value={value}&key={key}") } else { pairs(name, Some(&value), key) };
        lines.push(plain(text));
    }
    let retain = if random.percent(90) { "Retain%20for%20your%20records" } else { "Retain \"for\" your\nrecords" };
    lines.push(plain("key=filler"));
    lines.push(bold("name=APPROVED&key=approved"));
    lines.push(plain(format!("name={retain}&key=retain")));
    lines.push(bold("name=Thank%20you&key=thanks"));
    let content = Node::Object(vec![("OutputFormat", Node::text("Text")), ("OutputText", Node::Array(lines))]);
    Node::Object(vec![
        ("DocumentQualifier", Node::text(qualifier)),
        ("OutputContent", content),
        ("RequiredSignatureFlag", Node::Plain("false".to_owned())),
    ])
}

fn details(slip: &Slip<'_>, random: &mut Random) -> [(&'static str, String, &'static str); 18] {
    let pan = format!("************{:04}", random.below(10_000));
    [
        ("Date", slip.time[..10].replace('-', "/"), "txdate"),
        ("Time", slip.time[11..19].to_owned(), "txtime"),
        ("Card", pan, "pan"),
        ("PAN seq.", format!("0{}", random.below(4)), "panSeq"),
        ("Pref. name", random.pick(&["VISA DEBIT", "Mastercard", "Maestro"]).to_owned(), "preferredName"),
        ("Card type", random.pick(&["visa", "mc", "maestro"]).to_owned(), "cardType"),
        ("Payment method", random.pick(&["visa", "mc", "maestro"]).to_owned(), "paymentMethod"),
        ("Payment variant", "visadebit".to_owned(), "paymentMethodVariant"),
        ("Entry mode", random.pick(&["Contactless chip", "Chip"]).to_owned(), "posEntryMode"),
        ("AID", format!("A000000003{:04}", random.below(10_000)), "aid"),
        ("MID", format!("1000{:05}", random.below(100_000)), "mid"),
        ("TID", poi_id(random), "tid"),
        ("PTID", random.between(10_000_000, 100_000_000).to_string(), "ptid"),
        ("Auth. code", random.between(100_000, 999_999).to_string(), "authCode"),
        ("Tender", slip.tender.to_owned(), "txRef"),
        ("Reference", format!("MR-{}", random.between(1_000_000, 10_000_000)), "mref"),
        ("Type", "GOODS_SERVICES".to_owned(), "txtype"),
        ("TOTAL", format!("\u{20ac} {}", slip.amount), "totalAmount"),
    ]
}

fn pairs(name: &str, value: Option<&str>, key: &str) -> String {
    let value = value.map_or(String::new(), |value| format!("&value={}", percent(value)));
    format!("name={}{value}&key={key}", percent(name))
}

fn plain(text: impl Into<String>) -> Node {
    Node::Object(vec![("EndOfLineFlag", Node::Plain("true".to_owned())), ("Text", Node::text(text))])
}

fn bold(text: impl Into<String>) -> Node {
    Node::Object(vec![
        ("CharacterStyle", Node::text("Bold")),
        ("EndOfLineFlag", Node::Plain("true".to_owned())),
        ("Text", Node::text(text)),
    ])
}
