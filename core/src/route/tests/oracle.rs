//! The table equals a plain walk over the rules, for rules and messages of few values, so that they often meet.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::load;
use crate::nexo::{
    DisplayEvent, Envelope, ErrorCondition, EventCode, EventToNotify, Kind, MessageCategory, MessageClass, MessageType,
    ResultWord,
};
use crate::route::{Subject, Table, Word};

/// What a rule asks: names of members as they are written, each with the values as they are written.
type Asked = Vec<(&'static str, Vec<String>)>;

/// A message: names of members with their values; what is missing is not there.
type Said = Vec<(&'static str, String)>;

#[derive(Clone, Debug)]
struct PlainRule {
    asked: Asked,
    queues: Vec<usize>,
    goes_on: bool,
}

/// Members, and values that both rules and messages draw from. The last ones are in no vocabulary.
const MEMBERS: [(&str, &[&str]); 16] = [
    ("kind", &["event", "response", "standard_webhook"]),
    ("endpoint", &["default", "a", "b"]),
    ("envelope", &["request", "response"]),
    ("class", &["Service", "Event", "Strange"]),
    ("category", &["Payment", "Reversal", "Strange", "Stranger"]),
    ("type", &["Request", "Response"]),
    ("event", &["Shutdown", "Sneezed"]),
    ("display_event", &["TENDER_FINAL", "SNEEZED"]),
    ("result", &["Success", "Failure"]),
    ("error_condition", &["Busy", "Bored"]),
    ("event_code", &["REFUND", "PARTY"]),
    ("merchant_account", &["Shop", "Shop*"]),
    ("poiid", &["V1", "V12", "V123", "P1", "V1*", "V12*", "V*", "P*", "*", "V1234567890*", "V12345678901"]),
    ("sale_id", &["Till1", "Till2", "Till*", "T*", "Bar"]),
    ("live", &["true", "false"]),
    ("success", &["true", "false"]),
];

/// Endpoints in the order of their indexes.
const ENDPOINTS: [&str; 3] = ["default", "a", "b"];

const QUEUES: usize = 70;

fn any_rule(members: std::ops::Range<usize>) -> impl Strategy<Value = PlainRule> {
    let asked = subsequence(MEMBERS.to_vec(), members).prop_flat_map(|members| {
        members
            .into_iter()
            .map(|(name, values)| {
                let values = subsequence(values.to_vec(), 1..=values.len().min(3));
                values.prop_map(move |values| (name, values.into_iter().map(str::to_owned).collect::<Vec<_>>()))
            })
            .collect::<Vec<_>>()
    });
    (asked, proptest::collection::vec(0..QUEUES, 1..3), proptest::bool::weighted(0.3))
        .prop_map(|(asked, queues, goes_on)| PlainRule { asked, queues, goes_on })
}

fn any_message() -> impl Strategy<Value = Said> {
    subsequence(MEMBERS.to_vec(), 6..=MEMBERS.len()).prop_flat_map(|members| {
        members
            .into_iter()
            .map(|(name, values)| {
                // Stars in a message are letters; without them the prefixes' beginnings are met.
                let values = values.iter().map(|value| value.replace('*', "")).collect::<Vec<_>>();
                select(values).prop_map(move |value| (name, value))
            })
            .collect::<Vec<_>>()
    })
}

fn toml(rules: &[PlainRule]) -> String {
    let mut text = "default_queue = \"q0\"\n".to_owned();
    (0..QUEUES).for_each(|i| text += &format!("[[queue]]\nname = \"q{i}\"\n"));
    for rule in rules {
        let queues: Vec<_> = rule.queues.iter().map(|i| format!("q{i}")).collect();
        text += &format!("[[rule]]\nqueue = {queues:?}\ncontinue = {}\n", rule.goes_on);
        for (name, values) in &rule.asked {
            let values = if ["live", "success"].contains(name) {
                format!("[{}]", values.join(", "))
            } else {
                format!("{values:?}")
            };
            text += &format!("{name} = {values}\n");
        }
    }
    text + "[endpoint.a]\n[endpoint.b]\n"
}

fn said<'a>(message: &'a Said, name: &str) -> Option<&'a str> {
    let found = message.iter().find(|(said, _)| *said == name).map(|(_, value)| value.as_str());
    match name {
        // These two every message has.
        "kind" => found.or(Some("timeout")),
        "endpoint" => found.or(Some("default")),
        _ => found,
    }
}

fn subject(message: &Said) -> Subject<'_> {
    fn word<'a, V: crate::nexo::Vocabulary>(message: &'a Said, name: &str) -> Option<Word<'a>> {
        said(message, name).map(|text| Word::of::<V>(text.as_bytes()))
    }
    let text = |name: &str| said(message, name).map(str::as_bytes);
    let endpoint = said(message, "endpoint").and_then(|name| ENDPOINTS.iter().position(|known| *known == name));
    Subject {
        kind: said(message, "kind").and_then(Kind::from_word).unwrap(),
        endpoint: endpoint.unwrap() as u16,
        envelope: match said(message, "envelope") {
            Some("request") => Envelope::Request,
            Some(_) => Envelope::Response,
            None => Envelope::Other,
        },
        class: word::<MessageClass>(message, "class"),
        category: word::<MessageCategory>(message, "category"),
        message_type: word::<MessageType>(message, "type"),
        event: word::<EventToNotify>(message, "event"),
        display_event: word::<DisplayEvent>(message, "display_event"),
        result: word::<ResultWord>(message, "result"),
        error_condition: word::<ErrorCondition>(message, "error_condition"),
        event_code: word::<EventCode>(message, "event_code"),
        merchant_account: text("merchant_account"),
        poiid: text("poiid"),
        sale_id: text("sale_id"),
        success: said(message, "success").map(|value| value == "true"),
        live: said(message, "live").map(|value| value == "true"),
    }
}

/// Rule for rule and value for value, on texts alone.
fn plainly(rules: &[PlainRule], message: &Said) -> (Vec<String>, Vec<usize>) {
    let (mut names, mut queues) = (Vec::new(), Vec::new());
    for (i, rule) in rules.iter().enumerate() {
        let fits = rule.asked.iter().all(|(name, values)| {
            let patterns = ["poiid", "sale_id"].contains(name);
            said(message, name).is_some_and(|text| {
                values.iter().any(|value| match value.strip_suffix('*') {
                    Some(prefix) if patterns => text.starts_with(prefix),
                    _ => text == value,
                })
            })
        });
        if fits {
            names.push(format!("rule {}", i + 1));
            rule.queues.iter().for_each(|queue| {
                if !queues.contains(queue) {
                    queues.push(*queue)
                }
            });
            if !rule.goes_on {
                break;
            }
        }
    }
    if names.is_empty() {
        queues.push(0);
    }
    (names, queues)
}

fn check(rules: &[PlainRule], messages: &[Said]) -> Result<(), TestCaseError> {
    let table = Table::compile(&load(&toml(rules)));
    for message in messages {
        let subject = subject(message);
        let (names, mut queues) = plainly(rules, message);
        let explanation = table.explain(&subject);
        prop_assert_eq!(&explanation.rules, &names, "{:?}", message);
        let queue_names: Vec<_> = queues.iter().map(|i| format!("q{i}")).collect();
        prop_assert_eq!(explanation.queues, queue_names, "{:?}", message);
        let targets = table.route(&subject);
        let mut routed: Vec<_> = targets.iter().map(usize::from).collect();
        prop_assert_eq!(routed.len(), targets.len());
        routed.sort_unstable();
        queues.sort_unstable();
        prop_assert_eq!(&routed, &queues, "{:?}", message);
        if let Some(targets) = table.route_kind(subject.kind) {
            let mut decided: Vec<_> = targets.iter().map(usize::from).collect();
            decided.sort_unstable();
            prop_assert_eq!(decided, routed, "{:?}", message);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Few rules: each is found by one member.
    #[test]
    fn few_rules(
        rules in proptest::collection::vec(any_rule(0..4), 0..12),
        messages in proptest::collection::vec(any_message(), 1..20),
    ) {
        check(&rules, &messages)?;
    }

    /// Many rules of few values: most are found by several members, in more shapes than are kept.
    #[test]
    fn many_rules(
        rules in proptest::collection::vec(any_rule(0..4), 60..200),
        messages in proptest::collection::vec(any_message(), 1..40),
    ) {
        check(&rules, &messages)?;
    }

    /// Messages mostly reach late rules when the early ones ask for much.
    #[test]
    fn demanding_rules(
        rules in proptest::collection::vec(any_rule(3..5), 20..80),
        messages in proptest::collection::vec(any_message(), 1..40),
    ) {
        check(&rules, &messages)?;
    }
}
