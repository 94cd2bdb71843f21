//! What the tests of the engine share: configurations as text, small bodies, and the test messages.
//! Each test binary uses a part of it, which the compiler cannot know.
#![allow(dead_code)]

use nexowire_core::delivery::{QuarantineEntry, Verdict};
use nexowire_core::engine::{Consumer, Delivered, Engine, Inbound};
use nexowire_core::route::{Configuration, NoResolver};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than any test may take: a wait that ends because of it has missed its wake-up.
pub(crate) const FOREVER: Duration = Duration::from_secs(3_600);

/// A configuration that lets duplicates through unless it speaks of them: most tests send the same few bodies over and
/// over, and are about something else.
pub(crate) fn configuration(toml: &str) -> Configuration {
    let off = if toml.contains("[dedupe]") { "" } else { "\n[dedupe]\nterminal = \"0s\"\nwebhook = \"0s\"\n" };
    let toml = format!("{toml}{off}");
    Configuration::parse(&toml, &NoResolver).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

pub(crate) fn engine(toml: &str) -> Engine {
    Engine::open(configuration(toml)).unwrap()
}

/// An event of a terminal.
pub(crate) fn event(poiid: &str) -> String {
    request("EventNotification", r#"{"EventToNotify":"Shutdown"}"#, "Till1", poiid)
}

/// A request of any kind.
pub(crate) fn request(name: &str, body: &str, sale_id: &str, poiid: &str) -> String {
    format!(r#"{{"SaleToPOIRequest":{{"{name}":{body},"MessageHeader":{{"SaleID":"{sale_id}","POIID":"{poiid}"}}}}}}"#)
}

/// A response of a terminal.
pub(crate) fn response(poiid: &str) -> String {
    let body = r#"{"PaymentResponse":{"Response":{"Result":"Success"}}"#;
    format!(r#"{{"SaleToPOIResponse":{body},"MessageHeader":{{"SaleID":"Till1","POIID":"{poiid}"}}}}}}"#)
}

/// A standard webhook of these items.
pub(crate) fn webhook(items: &[String]) -> String {
    format!(r#"{{"live":"false","notificationItems":[{}]}}"#, items.join(","))
}

/// An item of a webhook.
pub(crate) fn item(account: &str, reference: &str) -> String {
    let members = format!(r#""eventCode":"AUTHORISATION","success":"true","pspReference":"{reference}""#);
    format!(r#"{{"NotificationRequestItem":{{{members},"merchantAccountCode":"{account}"}}}}"#)
}

/// Accepts a body that names no endpoint but `default`.
pub(crate) fn accept(engine: &Engine, body: impl AsRef<[u8]>) -> Verdict {
    engine.accept(Inbound::new(body.as_ref())).unwrap()
}

/// Accepts a body with the host's mark.
pub(crate) fn accept_tagged(engine: &Engine, body: &str, tag: u64) -> Verdict {
    engine.accept(Inbound { tag: Some(tag), ..Inbound::new(body.as_bytes()) }).unwrap()
}

pub(crate) fn consumer(engine: &Engine, queue: &str) -> Consumer {
    engine.queue(queue).unwrap_or_else(|| panic!("no queue {queue}")).consumer()
}

/// Polls what there is.
pub(crate) fn poll(consumer: &mut Consumer) -> Vec<Delivered> {
    let mut batch = vec![];
    let count = consumer.poll(4_096, &mut batch).unwrap();
    assert_eq!(count, batch.len());
    batch
}

/// Polls what there is, and says which numbers it has.
pub(crate) fn seqs(consumer: &mut Consumer) -> Vec<u64> {
    poll(consumer).iter().map(|delivered| delivered.message.origin().seq).collect()
}

pub(crate) fn tag(delivered: &Delivered) -> u64 {
    delivered.message.origin().tag.unwrap()
}

/// Waits for messages and gives each batch to `each`, until the queue has ended.
pub(crate) fn drain(consumer: &mut Consumer, max: usize, mut each: impl FnMut(&[Delivered])) {
    let mut batch = vec![];
    while let Ok(count) = consumer.poll_timeout(max, FOREVER, &mut batch) {
        assert!(count > 0, "a wake-up was missed");
        each(&batch);
        batch.clear();
    }
}

/// All that is in the quarantine.
pub(crate) fn quarantine(engine: &Engine) -> Vec<QuarantineEntry> {
    engine.quarantine(usize::MAX).unwrap()
}

/// Every test message: its path below `testdata/messages`, and its bytes.
pub(crate) fn messages() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/messages");
    let list = |folder: &Path| -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let folders = list(&root).into_iter().filter(|path| path.is_dir());
    let files: Vec<_> = folders.flat_map(|folder| list(&folder)).collect();
    assert!(files.len() > 500, "the test messages are there");
    let named = |path: &PathBuf| (path.strip_prefix(&root).unwrap().display().to_string(), fs::read(path).unwrap());
    files.iter().map(named).collect()
}
