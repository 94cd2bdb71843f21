//! What a message costs does not grow with the number of rules: counted, not timed.

use super::load;
use crate::nexo::Kind;
use crate::route::{Subject, Table};

/// A table of the rules that `rule` writes, and the most look-ups and the longest list a message can meet there.
fn compile(len: usize, rule: impl Fn(usize) -> String) -> (Table, usize, usize) {
    let mut text = "default_queue = \"other\"\n[[queue]]\nname = \"other\"\n[[queue]]\nname = \"fits\"\n".to_owned();
    (0..len).for_each(|i| text += &format!("[[rule]]\nqueue = \"fits\"\n{}\n", rule(i)));
    let table = Table::compile(&load(&text));
    let [ending, going_on] = table.indexes();
    let look_ups = ending.shapes_len() + going_on.shapes_len();
    let longest = ending.list_len_max().max(going_on.list_len_max());
    (table, look_ups, longest)
}

/// Writes the matchers of a rule by its number.
type Form = fn(usize) -> String;

#[test]
fn rules_of_many_forms_have_short_lists() {
    let codes = ["REFUND", "CAPTURE", "EXPIRE", "CHARGEBACK", "CANCELLATION"];
    let forms: [(&str, Form); 7] = [
        ("terminals", |i| format!("poiid = \"V400m-{i:09}\"")),
        ("prefixes", |i| format!("poiid = \"V400m-{i:05}*\"\nkind = \"event\"")),
        ("tills", |i| format!("sale_id = \"Till{i}\"\ncategory = \"Payment\"")),
        ("groups", |i| format!("poiid = [\"A-{i}\", \"B-{i}\", \"C-{i}\"]\nkind = [\"event\", \"display\"]")),
        ("accounts", |i| format!("merchant_account = \"Shop{}\"\nevent_code = \"CODE{}\"", i / 25, i % 25)),
        ("going on", |i| format!("poiid = \"V400m-{i:09}\"\ncontinue = true")),
        ("unknown words", |i| format!("event_code = \"CODE{i}\"\nlive = true")),
    ];
    for (name, form) in forms {
        let (_, look_ups, longest) = compile(10_000, form);
        assert!(look_ups <= 2 && longest <= 4, "{name}: {look_ups} look-ups, lists of {longest}");
    }
    let accounts = |i: usize| format!("merchant_account = \"Shop{}\"\nevent_code = \"{}\"", i / 5, codes[i % 5]);
    let (table, ..) = compile(10_000, accounts);
    for (account, code, queue) in [("Shop1999", codes[4], 1), ("Shop0", codes[0], 1), ("Shop2000", codes[0], 0)] {
        let subject = Subject {
            merchant_account: Some(account.as_bytes()),
            event_code: Some(crate::route::Word::of::<crate::nexo::EventCode>(code.as_bytes())),
            ..Subject::new(Kind::StandardWebhook)
        };
        assert!(table.route(&subject).iter().eq([queue]), "{account} {code}");
    }
}

#[test]
fn prefixes_of_many_lengths_cost_few_look_ups() {
    let (table, look_ups, _) = compile(200, |i| format!("poiid = \"{}*\"", "V".repeat(200 - i)));
    assert!(look_ups <= 16, "{look_ups}");
    for len in 0..300 {
        let poiid = "V".repeat(len);
        let subject = Subject { poiid: Some(poiid.as_bytes()), ..Subject::new(Kind::Event) };
        let expected = table.explain(&subject).queues.contains(&"fits");
        assert_eq!(table.route(&subject).iter().eq([1]), expected, "{len}");
        assert_eq!(expected, len > 0);
    }
}

#[test]
fn texts_of_any_length_are_looked_up() {
    let long = "V".repeat(70_000);
    let (table, ..) = compile(1, |_| format!("poiid = [\"{long}\", \"W{long}*\"]"));
    let beyond = format!("W{long}x");
    for (poiid, queue) in [(&long[..], 1), (&beyond[..], 1), (&beyond[1..], 0), (&beyond[..65_000], 0), ("", 0)] {
        let subject = Subject { poiid: Some(poiid.as_bytes()), ..Subject::new(Kind::Event) };
        assert!(table.route(&subject).iter().eq([queue]), "{}", poiid.len());
    }
}

#[test]
fn the_full_number_of_rules_and_queues() {
    let mut text = "default_queue = \"q0\"\n[limits]\n".to_owned();
    (0..1_024).for_each(|i| text += &format!("[[queue]]\nname = \"q{i}\"\nlanes = 1\ncapacity = 1\n"));
    for i in 0..65_536 {
        text += &format!("[[rule]]\nqueue = \"q{}\"\npoiid = \"P-{}\"\ncontinue = true\n", i % 1_024, i / 1_024);
    }
    let table = Table::compile(&load(&text));
    let subject = Subject { poiid: Some(b"P-63"), ..Subject::new(Kind::Event) };
    assert!(table.route(&subject).iter().eq(0..1_024));
    assert!(table.route(&Subject { poiid: Some(b"P-64"), ..subject }).iter().eq([0]));
}
