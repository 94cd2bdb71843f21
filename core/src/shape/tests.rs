//! The second tier against the first, and what may be remembered.

use super::*;

fn event(details: &str, poi_id: &str, sale_id: &str) -> String {
    format!(
        r#"{{ "SaleToPOIRequest":{{"EventNotification":{{"EventToNotify":"Shutdown","EventDetails":"{details}"}},
        "MessageHeader":{{"MessageClass":"Event","MessageCategory":"Event","MessageType":"Notification","SaleID":"{sale_id}","POIID":"{poi_id}"}}}}}}"#
    )
}

/// Classifies by both tiers, and answers whether the second one did it alone.
fn check(shapes: &Shapes, body: &str) -> bool {
    // The general walk earns something at each call, which shows as long as the accounts are not full.
    let accounts = [&shapes.budget, &shapes.lessons];
    accounts.iter().for_each(|account| account.store(READING_GRANTED / 2, Ordering::Relaxed));
    assert_eq!(shapes.classify(body.as_bytes()), classify(body.as_bytes(), &shapes.limits), "{body}");
    accounts.map(|account| account.load(Ordering::Relaxed)) == [READING_GRANTED / 2; 2]
}

#[test]
fn a_layout_is_learned_from_its_first_message() {
    let shapes = Shapes::new(Limits::default());
    assert!(!check(&shapes, &event("a=1", "V400m-1", "Till")));
    for (details, poi_id) in [("", "V400m-2"), ("b\\u00e9\\/\\ud83c\\udf70", "é"), (&*"x".repeat(300), "🍰")] {
        assert!(check(&shapes, &event(details, poi_id, "Till")), "{details}");
    }
    for (details, poi_id) in [("\n", "x"), ("\\x", "x"), ("\\ud800", "x"), ("x", "\u{1}")] {
        assert!(!check(&shapes, &event(details, poi_id, "Till")), "{details}");
    }
}

#[test]
fn what_is_odd_is_left_to_the_general_walk() {
    let shapes = Shapes::new(Limits::default());
    let header = r#""MessageHeader":{"MessageCategory":"Event","POIID":"A"}"#;
    let details = r#""EventDetails":"a""#;
    let notify = r#""EventToNotify":"Shutdown""#;
    let body =
        |event: &str, rest: &str| format!(r#"{{"SaleToPOIRequest":{{"EventNotification":{{{event}}},{rest}}}}}"#);
    // Both orders are learned, so that their edges could be mixed into a message with a repeated member.
    for event in [format!("{details},{notify}"), format!("{notify},{details}")] {
        check(&shapes, &body(&event, header));
        assert!(check(&shapes, &body(&event, header)));
    }
    for event in [format!("{details},{notify},{details}"), format!("{notify},{details},{notify}")] {
        assert!(!check(&shapes, &body(&event, header)), "{event}");
    }
    for rest in
        [&format!("{header},{header}"), r#""MessageHeader":{}"#, r#""MessageHeader":{"POIID":7}"#, r#""NexoBlob":"a""#]
    {
        check(&shapes, &body(details, rest));
        check(&shapes, &body(details, rest));
    }
}

#[test]
fn nothing_but_names_and_words_is_remembered() {
    let shapes = Shapes::new(Limits::default());
    for (card, name) in
        [("4111111111111111", "Muster Anna"), ("5500005555555559", "Jansen Piet"), ("4111111111111111", "Muster Anna")]
    {
        let body = format!(
            r#"{{"SaleToPOIResponse":{{"PaymentResponse":{{"Response":{{"Result":"Success","AdditionalResponse":"cardHolderName={name}&pan={card}"}},
            "PaymentReceipt":[{{"DocumentQualifier":"{name}","OutputContent":{{"OutputFormat":"Text","OutputText":[{{"Text":"{card}"}},{{"Text":"{name}"}}]}}}}],
            "Amount":{card}}},"MessageHeader":{{"SaleID":"Till-7","POIID":"Term-9","ServiceID":"Serv-3","MessageCategory":"Payment"}}}}}}"#
        );
        check(&shapes, &body);
        check(&shapes, &body);
    }
    let literals = shapes.literals();
    let holds = |text: &str| memchr::memmem::find(&literals, text.as_bytes()).is_some();
    for planted in ["4111", "5500", "Muster", "Anna", "Jansen", "Term-9", "Serv-3", "Till-7"] {
        assert!(!holds(planted), "{planted}");
    }
    assert!(holds("PaymentReceipt") && holds("Success"));
}

/// Layouts without end: memory stays within its bounds, and the second tier gives up trying.
#[test]
fn traffic_without_a_layout_is_soon_left_alone() {
    let shapes = Shapes::new(Limits::default());
    let failures = |shapes: &Shapes| shapes.patience.failures.load(Ordering::Relaxed);
    let mut before = 0;
    for number in 0..40_000 {
        if number == 30_000 {
            before = failures(&shapes);
        }
        let body = event("a", "b", "c").replace(r#""SaleID""#, &format!(r#""Extra{number}":{number},"SaleID""#));
        assert_eq!(shapes.classify(body.as_bytes()), classify(body.as_bytes(), &shapes.limits));
        let size = shapes.size();
        assert!(size.states <= automaton::STATES_MAX && size.edges <= automaton::EDGES_MAX);
        assert!(size.literal_bytes <= automaton::LITERAL_BYTES_MAX);
    }
    let tried = failures(&shapes) - before;
    assert!((1..10_000 / 60).contains(&tried), "{tried} of the last 10,000 were tried");
}

#[test]
fn members_are_counted() {
    let limits = Limits { members: 12, ..Limits::default() };
    let shapes = Shapes::new(limits);
    let body = |items: usize| {
        let items = vec![r#"{"a":1}"#; items].join(",");
        event("a", "b", "c").replace(r#""SaleID""#, &format!(r#""Extra":[{items}],"SaleID""#))
    };
    for items in [1, 2, 3, 4, 1, 2, 3, 4, 5] {
        check(&shapes, &body(items));
    }
}

/// Of several outputs the first reference that holds pairs counts, which later messages need not have in the same place.
#[test]
fn displays_with_several_outputs_are_learned() {
    let output = |reference: &str| {
        let content = format!(r#""OutputContent":{{"PredefinedContent":{{"ReferenceID":"{reference}"}}}}"#);
        format!(r#"{{"Device":"CashierDisplay",{content},"ResponseRequiredFlag":false}}"#)
    };
    let body = |references: &[&str]| {
        let outputs = references.iter().map(|reference| output(reference)).collect::<Vec<_>>().join(",");
        let header = r#""MessageHeader":{"MessageCategory":"Display","ProtocolVersion":"3.0","POIID":"A"}"#;
        format!(r#"{{"SaleToPOIRequest":{{"DisplayRequest":{{"DisplayOutput":[{outputs}]}},{header}}}}}"#)
    };
    let shapes = Shapes::new(Limits::default());
    let (pairs, other) = ("TransactionID=1&event=PIN_ENTERED", "TransactionID=2&event=CARD_INSERTED");
    for references in [&[pairs, other][..], &[pairs, "plain", other], &[pairs; 4]] {
        assert!(!check(&shapes, &body(references)), "{references:?}");
        assert!(check(&shapes, &body(references)), "{references:?}");
    }
    assert!(check(&shapes, &body(&[other, pairs])));
    for references in [&["plain", pairs][..], &["plain", "plain"], &["", pairs, other], &[pairs; 5]] {
        for _ in 0..3 {
            assert!(!check(&shapes, &body(references)), "{references:?}");
        }
    }
}

/// Flags are words of the grammar, but not so many in one place that each message has others.
#[test]
fn flags_are_literal_but_not_all_of_them() {
    let shapes = Shapes::new(Limits::default());
    let body = |flags: [&str; 5]| {
        let extra: Vec<_> = flags.iter().enumerate().map(|(at, flag)| format!(r#""F{at}":{flag}"#)).collect();
        event("a", "b", "c").replace(r#""SaleID""#, &format!(r#""Extra":{{{}}},"SaleID""#, extra.join(",")))
    };
    let of_bits = |bits: u32| std::array::from_fn(|at| if bits >> at & 1 == 1 { "true" } else { "false" });
    for bits in 0..32 {
        check(&shapes, &body(of_bits(bits)));
    }
    for bits in 0..32 {
        assert!(check(&shapes, &body(of_bits(bits))), "{bits:05b}");
    }
    assert!(shapes.size().edges < 32, "{:?}", shapes.size());
    for odd in ["tru", "truex", "nul", "1x", "\"true"] {
        assert!(!check(&shapes, &body(["true", "false", odd, "null", "1"])), "{odd}");
    }
}

/// A body that begins like the middle of a known one, in every way to choose a first edge.
#[test]
fn a_body_begins_where_bodies_begin() {
    for number in 0..256 {
        let blank: String = (0..4).map(|at| [' ', '\n', '\t', '\r'][number >> (2 * at) & 3]).collect();
        let shapes = Shapes::new(Limits::default());
        let known = event("a=1", "V400m-1", "Till");
        let behind = known.split_once('{').unwrap().1.trim_start();
        let middle = format!(",{blank}{behind}");
        for body in [&format!("{{\"x\":1{middle}"), &known, &known.replace("{ \"Sale", "{\n\"Sale")] {
            check(&shapes, body);
            assert!(check(&shapes, body), "{body}");
        }
        assert!(!check(&shapes, &middle), "{middle}");
    }
}
