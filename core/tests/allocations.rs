//! What may be allocated on a message's way, and what may not. Source: design, section 3, the last column.
//!
//! An allocator that counts for each thread by itself proves it: tests that run beside one another do not meet.
#![allow(unsafe_code)] // An allocator cannot be declared without it; see the SAFETY comments.

mod support;

use bytes::Bytes;
use nexowire_core::classify::classify;
use nexowire_core::delivery::{BusyReason, Verdict};
use nexowire_core::engine::{Consumer, Delivered, Engine, Inbound};
use nexowire_core::limits::Limits;
use nexowire_core::nexo::Kind;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use support::{accept, consumer, engine, event, item, messages, webhook};

struct Counting;

thread_local! {
    /// Const and without a destructor, so that reading it allocates nothing and works at any time.
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// Bytes that were asked for and not given back.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

fn count_one() {
    COUNT.with(|count| count.set(count.get() + 1));
}

fn hold(bytes: i64) {
    HELD.with(|held| held.set(held.get() + bytes));
}

// SAFETY: every method hands its arguments to the system's allocator as they came, and gives back what that answers;
// counting beside that touches only a number of this thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_one();
        hold(layout.size() as i64);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count_one();
        hold(layout.size() as i64);
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_one();
        hold(size as i64 - layout.size() as i64);
        // SAFETY: as in `alloc`; the pointer came from `System`, as all of this allocator's do.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-(layout.size() as i64));
        // SAFETY: as in `realloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` returns, and how often this thread has allocated in it.
fn counted<R>(work: impl FnOnce() -> R) -> (R, u64) {
    let before = COUNT.get();
    let result = work();
    (result, COUNT.get() - before)
}

/// A table that asks for everything that a rule can ask for, so that routing looks at every field.
const RULES: &str = r#"
    [[rule]]
    queue = "other"
    continue = true
    class = "Service"
    category = ["Payment", "Gossip"]
    type = "Response"
    [[rule]]
    queue = "other"
    continue = true
    event = ["Shutdown", "Sneezed"]
    display_event = ["TENDER_FINAL", "TENDER_SNEEZED"]
    [[rule]]
    queue = "other"
    continue = true
    result = "Success"
    error_condition = ["Busy", "Bored"]
    [[rule]]
    queue = "other"
    continue = true
    event_code = ["AUTHORISATION", "GOSSIP"]
    success = true
    merchant_account = "Mine*"
    live = true
    [[rule]]
    queue = "other"
    poiid = ["V400m-*", "P400Plus-275479597"]
    sale_id = ["Till*"]
    [endpoint.default]
    poiids = ["*"]
    sale_ids = ["*"]
"#;

/// The tests send the same bodies again and again.
const NO_DUPLICATES: &str = "[dedupe]\nterminal = \"0s\"\nwebhook = \"0s\"\n";

/// An engine that learns no layouts: a lesson allocates, and comes when it comes.
fn with_rules(queue: &str, rules: &str) -> Engine {
    let queues = format!("default_queue = \"other\"\n[[queue]]\nname = \"other\"\n{queue}");
    engine(&format!("shapes = false\n{queues}\n{rules}\n{NO_DUPLICATES}"))
}

/// Messages that a queue would get, with the number of their messages; made by the engine itself.
fn routable() -> Vec<(String, Vec<u8>, u32)> {
    let engine = with_rules("when_full = \"drop-oldest\"", "");
    let counted = messages().into_iter().map(|(name, body)| {
        let count = accept(&engine, &body).count();
        (name, body, count)
    });
    let routable: Vec<_> = counted.filter(|(_, _, count)| *count > 0).collect();
    assert!(routable.len() > 300, "{} are routable", routable.len());
    routable
}

#[test]
fn classifying_allocates_nothing() {
    let limits = Limits::default();
    classify(b"{}", &limits);
    let mut over_the_limit = event("V400m-1").into_bytes();
    over_the_limit.resize(limits.body as usize + 1, b' ');
    let escaped = [
        // A body whose name is no body's, and members of an answer that nobody expects, beside one another.
        r#"{"SaleToPOIRequest":{"Goss\u0069p":{},"Goss\u0069p":{},"Gossip":1}}"#,
        r#"{"SaleToPOIResponse":{"TransactionStatusResponse":{"RepeatedMessageResponse":{"RepeatedResponseMessageBody":
            {"Goss\u0069p":{"Response":{"Result":"Failure"}},"Goss\u0069p":1,"Gossip":1}}}}}"#,
        r#"{"SaleToPOIReques\u0074":{"DisplayReques\u0074":{"DisplayOutput":[{"OutputConten\u0074":{"PredefinedContent":
            {"ReferenceI\u0044":"TransactionID=a%2eb&ev\u0065nt=PIN\u005fENTERED"}}}]}}}"#,
        "eventC%6fde=AUTHORISATION&pspReferenc%65=a%20b&live",
    ];
    let escaped = escaped.map(|body| (body.to_owned(), body.as_bytes().to_vec()));
    let all = messages().into_iter().chain([("over the limit".to_owned(), over_the_limit)]).chain(escaped);
    for (name, body) in all {
        let (_, count) = counted(|| classify(&body, &limits));
        assert_eq!(count, 0, "{name}");
    }
}

/// A full queue refuses after everything has been looked at and routed, so that an accept which ends there shows what
/// guard, parse, classify, route and reserve allocate by themselves.
#[test]
fn routing_allocates_nothing() {
    for rules in ["", RULES] {
        let engine = with_rules("lanes = 1\ncapacity = 1", rules);
        assert_eq!(accept(&engine, event("V400m-1")).count(), 1);
        accept(&engine, event("V400m-1"));
        let mut wrong = vec![];
        for (name, body, _) in routable() {
            let (verdict, count) = counted(|| accept(&engine, &body));
            assert_eq!(verdict, Verdict::Busy { reason: BusyReason::Full }, "{name}");
            if count > 0 {
                wrong.push((name, count));
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}

/// What needs no queue needs no memory either.
#[test]
fn a_verdict_without_a_message_allocates_nothing() {
    let engine = with_rules("", "[limits]\nbody = 1_000\n[endpoint.survey]\nthird_party = true");
    let large = vec![b' '; 1_001];
    let payment = support::request("PaymentRequest", "{}", "Till1", "V400m-1");
    let survey = Inbound { endpoint: Some("survey"), ..Inbound::new(payment.as_bytes()) };
    let packed = Inbound { content_encoding: Some("gzip"), ..Inbound::new(b"{}") };
    accept(&engine, "ok");
    for (word, inbound) in [
        ("too_large", Inbound::new(&large)),
        ("encoded", packed),
        ("ignored", Inbound::new(b"[accepted]")),
        ("ignored", Inbound::new(br#"{"notificationItems":[]}"#)),
        ("not_allowed", survey),
    ] {
        let (verdict, count) = counted(|| engine.accept(inbound).unwrap());
        assert_eq!((verdict.word(), count), (word, 0));
    }
}

/// Accepts a body, polls all its messages from every queue, and says how often that allocated.
fn passage(
    engine: &Engine,
    consumers: &mut [Consumer],
    batch: &mut Vec<Delivered>,
    inbound: Inbound<'_>,
) -> (u32, u64) {
    let (accepted, count) = counted(|| {
        let accepted = engine.accept(inbound).unwrap().count();
        for consumer in &mut *consumers {
            let mut left = accepted as usize;
            while left > 0 {
                left -= consumer.poll(4_096, batch).unwrap();
            }
        }
        accepted
    });
    batch.clear();
    (accepted, count)
}

/// Sends webhooks of so many items that all buffers of queues and consumers have grown to what is needed later, those
/// included that lane and consumer exchange; then every body, once copied and once shared with the host.
fn at_most_one_allocation_a_message(engine: &Engine, queues: &[&str], bodies: &[(String, Vec<u8>, u32)]) {
    let mut consumers: Vec<_> = queues.iter().map(|queue| consumer(engine, queue)).collect();
    let mut batch = vec![];
    let items = vec![item("Mine", "one lane for all"); 256];
    for _ in 0..4 {
        passage(engine, &mut consumers, &mut batch, Inbound::new(webhook(&items).as_bytes()));
    }
    let mut wrong = vec![];
    for (name, body, messages) in bodies {
        let shared = Bytes::from(body.clone());
        for (how, inbound) in [("copied", Inbound::new(body)), ("shared", Inbound::shared(shared))] {
            let (accepted, count) = passage(engine, &mut consumers, &mut batch, inbound);
            assert_eq!(accepted, *messages, "{name}");
            if count > u64::from(accepted) {
                wrong.push(format!("{name}, {how}: {count} allocations for {accepted} messages"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_message_is_one_allocation() {
    for rules in ["", RULES] {
        // One lane, so that its buffers are warm for every terminal.
        let engine = with_rules("lanes = 1", rules);
        at_most_one_allocation_a_message(&engine, &["other"], &routable());
    }
}

/// A batch costs one allocation a message, and four lists: of what is read, of messages and their reservations, of verdicts.
#[test]
fn a_batch_is_one_allocation_a_message_and_four_lists() {
    let engine = with_rules("lanes = 1", RULES);
    let (mut consumer, mut polled) = (consumer(&engine, "other"), vec![]);
    let bodies = vec![event("V400m-1"); 200];
    let shared: Vec<_> = bodies.iter().map(|body| Bytes::from(body.clone())).collect();
    for round in 0..6 {
        let batch: Vec<_> = match round % 2 {
            0 => bodies.iter().map(|body| Inbound::new(body.as_bytes())).collect(),
            _ => shared.iter().map(|body| Inbound::shared(body.clone())).collect(),
        };
        let (verdicts, count) = counted(|| engine.accept_batch(batch).unwrap());
        assert!(verdicts.iter().all(|verdict| verdict.count() == 1));
        // The first rounds make the buffers of the queue.
        assert!(round < 2 || count <= bodies.len() as u64 + 4, "{count} allocations");
        while consumer.poll(4_096, &mut polled).unwrap() > 0 {
            polled.clear();
        }
    }
}

/// A layout that is known costs no more than one that is not: only lessons allocate.
#[test]
fn a_message_of_a_known_layout_is_one_allocation() {
    let queues = "default_queue = \"other\"\n[[queue]]\nname = \"other\"\nlanes = 1";
    let bodies: Vec<_> = routable().into_iter().filter(|(name, _, _)| name.contains("event")).collect();
    for (_, body, _) in &bodies {
        // One for each: an engine that has met many layouts in vain need not learn the next one from its first message.
        let engine = engine(&format!("{queues}\n{NO_DUPLICATES}"));
        let mut consumer = consumer(&engine, "other");
        let mut batch = vec![];
        for _ in 0..3 {
            accept(&engine, body);
        }
        while consumer.poll(4_096, &mut batch).unwrap() > 0 {}
        at_most_one_allocation_a_message(&engine, &["other"], &[(String::new(), body.clone(), 1)]);
    }
}

/// Consumers share the message; so do two, three and four queues.
#[test]
fn fan_out_is_one_allocation() {
    let bodies = routable();
    for queues in [&["other", "b"][..], &["other", "b", "c"], &["other", "b", "c", "d"]] {
        let declared: String =
            queues[1..].iter().map(|name| format!("[[queue]]\nname = \"{name}\"\nlanes = 1\n")).collect();
        let rules = format!("{declared}[[rule]]\nqueue = {queues:?}\n");
        at_most_one_allocation_a_message(&with_rules("lanes = 1", &rules), queues, &bodies);
    }
}

/// A webhook with n items is n messages and at most n allocations, also where bad items stand between the good ones.
#[test]
fn a_webhook_is_at_most_one_allocation_an_item() {
    let engine = with_rules("lanes = 1", "[endpoint.default]\nmerchant_accounts = [\"Mine\"]");
    let bodies: Vec<_> = [1_u32, 2, 3, 4, 5, 8, 9, 33, 255, 256]
        .into_iter()
        .flat_map(|n| {
            let good: Vec<_> = (0..n).map(|at| item("Mine", &format!("psp-{at}"))).collect();
            let all = (format!("{n} good"), webhook(&good).into_bytes(), n);
            let mixed = good.iter().enumerate().map(|(at, good)| match at % 3 {
                1 => "null".to_owned(),
                2 => item("Theirs", "psp"),
                _ => good.clone(),
            });
            let mixed = (format!("{n} mixed"), webhook(&mixed.collect::<Vec<_>>()).into_bytes(), n.div_ceil(3));
            [all, mixed]
        })
        .collect();
    at_most_one_allocation_a_message(&engine, &["other"], &bodies);
}

/// Texts that are escaped are decoded on the stack: those that decide on lane, scope and queue are asked of every
/// message, and an escape is the sender's choice.
#[test]
fn escapes_allocate_nothing_more() {
    let engine = with_rules("lanes = 1", RULES);
    let reference = r"event=TENDER_SNEEZED&TransactionID=oLkO%20";
    let display = format!(
        r#"{{"DisplayOutput":[{{"Device":"CashierDisplay","OutputContent":{{"PredefinedContent":{{"ReferenceID":"{reference}"}}}}}}]}}"#
    );
    let bodies = [
        event(r"V400m-\u0031"),
        support::request("EventNotification", r#"{"EventToNotify":"Shut\u0064own"}"#, r"Till\u0031", r"V400m\u002d1"),
        support::request("DisplayRequest", &display, "Till1", "V400m-1"),
        webhook(&[item(r"Min\u0065", r"psp\u002d1")]),
        "eventCode=AUTHORISATION&pspReference=psp%2D1&merchantAccountCode=Min%65&additionalData.terminalId=V400m%2D1"
            .to_owned(),
    ];
    let named = bodies.map(|body| (body.clone(), body.into_bytes(), 1));
    assert_eq!(classify(&named[2].1, &Limits::default()).fields.kind, Kind::Display);
    at_most_one_allocation_a_message(&engine, &["other"], &named);
}

/// Bytes that a queued message may ask for beside its body. Source: issue 5.
const BESIDE_BODY_MAX: i64 = 384;

/// What 1,000 queued messages hold, the buffers of their queue and all.
#[test]
fn a_queued_message_takes_few_bytes_beside_its_body() {
    let display = |at: usize| {
        let reference = format!("TransactionID=oLkO{at:03}&TimeStamp=2019&event=TENDER_CREATED");
        let content = format!(r#"{{"PredefinedContent":{{"ReferenceID":"{reference}"}}}}"#);
        let output = format!(r#"{{"DisplayOutput":[{{"Device":"CashierDisplay","OutputContent":{content}}}]}}"#);
        support::request("DisplayRequest", &output, "Till1", &format!("V400m-{}", at % 50))
    };
    let payment = |at: usize| support::response(&format!("V400m-{at}"));
    for (name, bodies) in
        [("displays", (0..1_000).map(display).collect::<Vec<_>>()), ("payments", (0..1_000).map(payment).collect())]
    {
        let engine = with_rules("capacity = 2_048", "");
        let before = HELD.get();
        let count: u32 = bodies.iter().map(|body| accept(&engine, body).count()).sum();
        let body_bytes: usize = bodies.iter().map(String::len).sum();
        let beside = (HELD.get() - before - body_bytes as i64) / i64::from(count);
        assert_eq!(count, 1_000, "{name}");
        assert!((1..=BESIDE_BODY_MAX).contains(&beside), "{name}: {beside} bytes beside each body");
    }
}
