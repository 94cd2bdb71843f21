//! What loads, and what comes of it.

use std::time::Duration;

use super::load;
use crate::limits::Limits;
use crate::nexo::Kind;
use crate::route::{Clock, Configuration, NoResolver, Resolver, Subject, SystemResolver, Table, WhenFull};

/// The example of `configuration.md` without what is not built in.
const EXAMPLE: &str = r##"
default_queue = "other"            # mandatory once any queue is named; without queues there is one, "other"
shapes = true                      # learned layouts
clock = "system"                   # "manual": only advance() moves time (tests, simulation)

[limits]                           # downwards only
body = 1_048_576
depth = 64                         # nested containers, the root's included
members = 65_536
routes = 65_536
queues = 1_024
lanes = 256
capacity = 16_777_216              # capacity x lanes, over all queues
batch = 4_096
items = 256                        # of one webhook body
pending = 65_536                   # messages, and ...
pending_bytes = 67_108_864         # ... bytes that wait for a commit or for their completion to be read
expectations = 1_048_576
endpoints = 1_024
board = 1_048_576
quarantine_bytes = 67_108_864      # in the store or in memory

[delivery]
answer_within = "8s"               # a longer wait is answered Busy
ack_wait = "60s"                   # "0s": never
max_attempts = 20                  # failures until the dead letters
retry = "1s"                       # first pause after a nack, doubled with each failure ...
retry_max = "5m"                   # ... up to this

[dedupe]
terminal = "48h"                   # "0s": off
webhook = "30d"
keys_max = 10_000_000

[[queue]]
name = "payments"                  # mandatory; letters, digits, - _ .
lanes = 8
capacity = 4_096                   # per lane
when_full = "refuse"
dead_letter = "failed"             # a queue; left out: the built-in list

[[queue]]
name = "other"
[[queue]]
name = "audit"
when_full = "drop-oldest"
[[queue]]
name = "failed"
when_full = "drop-oldest"

[[rule]]                           # tried in order
name = "payments"                  # for explain; must be unique; left out: "rule 1" ...
queue = ["payments", "audit"]      # a name or a list; all must be declared
continue = false                   # true: the message goes here, and the next rules are tried too; a queue gets it once
kind = ["response", "timeout"]
endpoint = ["shop-1"]
envelope = "response"              # request response
class = "Service"
category = ["Payment", "Reversal"]
type = "Response"
event = ["Shutdown"]               # EventToNotify
display_event = ["TENDER_FINAL"]
result = "Success"
error_condition = ["Busy"]
event_code = ["AUTHORISATION"]     # webhooks
success = true                     # webhooks' success; responses: Result is Success
merchant_account = ["TestMerchant"]
live = false
poiid = ["V400m-324688179", "P400Plus-*"]      # exact or prefix
sale_id = ["POSSystemID12345", "Till*"]
poiid_file = "terminals.txt"       # one a line: sets of thousands, beside poiid

[endpoint.default]                 # always there; and [endpoint.NAME]
require_encryption = false         # true needs nexo_keys
third_party = false
basic = []
api_keys = []
hmac_keys = []
nexo_keys = []
merchant_accounts = []             # empty: any
sale_ids = []
poiids = []

[summary]                          # texts for staff, by word
NetworkDisconnected = "Terminal {poiid} has no network"
"##;

struct Terminals;

impl Resolver for Terminals {
    fn file(&self, path: &str) -> Result<String, String> {
        assert_eq!(path, "terminals.txt");
        Ok("\u{feff}S1F2-1\r\n\n  S1F2L-*\n".to_owned())
    }

    fn env(&self, _: &str) -> Result<String, String> {
        Err("none".to_owned())
    }
}

struct AnyFile;

impl Resolver for AnyFile {
    fn file(&self, _: &str) -> Result<String, String> {
        Ok("V400m-1".to_owned())
    }

    fn env(&self, _: &str) -> Result<String, String> {
        Err("none".to_owned())
    }
}

/// All that can be compared.
fn shown(configuration: &Configuration) -> String {
    format!(
        "{} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        configuration.default_queue(),
        configuration.shapes(),
        configuration.clock(),
        configuration.limits(),
        configuration.answer_within(),
        configuration.ack_wait(),
        (configuration.max_attempts(), configuration.retry(), configuration.retry_max()),
        configuration.dedupe(),
        configuration.store(),
        configuration.queues(),
        configuration.rules(),
        configuration.endpoints(),
        configuration.summary(),
    )
}

#[test]
fn the_example() {
    let configuration = Configuration::parse(EXAMPLE, &Terminals).unwrap();
    let warnings: Vec<_> = configuration.warnings().iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warnings, ["the endpoint `shop-1` is not declared, so nothing fits it"]);
    assert_eq!(configuration.queues()[usize::from(configuration.default_queue())].name, "other");
    assert_eq!(configuration.rules()[0].queues, [0, 2]);
    assert_eq!(configuration.limits(), &Limits::MAX);
    assert_eq!(configuration.summary()["NetworkDisconnected"], "Terminal {poiid} has no network");
}

#[test]
fn toml_and_json_are_the_same() {
    let value: toml::Table = toml::from_str(EXAMPLE).unwrap();
    let json = serde_json::to_string_pretty(&value).unwrap();
    let from_json = Configuration::parse(&json, &Terminals).unwrap();
    let from_toml = Configuration::parse(EXAMPLE, &Terminals).unwrap();
    assert_eq!(shown(&from_json), shown(&from_toml));
    assert_eq!(from_json.warnings().len(), 1);
    assert!(Configuration::from_json(EXAMPLE, &Terminals).is_err());
    assert!(Configuration::from_toml(&json, &Terminals).is_err());
    assert!(Configuration::parse(&format!(" \r\n\t{json}\n"), &Terminals).is_ok());
}

/// Every place in an error is a place in the text, whatever is wrong with it.
#[test]
fn a_damaged_text_has_its_error_within() {
    let value: toml::Table = toml::from_str(EXAMPLE).unwrap();
    let (mut loaded, mut refused) = (0, 0);
    for text in [EXAMPLE, &serde_json::to_string_pretty(&value).unwrap()] {
        for (at, letter) in text.char_indices() {
            let (before, after) = (&text[..at], &text[at + letter.len_utf8()..]);
            for put in ["", "\"", "[", "{", "}", "9", "é", "\n"] {
                let damaged = format!("{before}{put}{after}");
                let Err(error) = Configuration::parse(&damaged, &AnyFile) else {
                    loaded += 1;
                    continue;
                };
                refused += 1;
                // An end too early may be told of the line after the last.
                let line = damaged.split('\n').nth(error.line as usize - 1).unwrap_or_default();
                assert!(error.column as usize <= line.chars().count() + 1, "{error}\n{damaged}");
            }
        }
    }
    assert!(loaded > 1_000 && refused > 1_000, "{loaded} {refused}");
}

#[test]
fn nothing_at_all() {
    for text in ["", "\n# nothing\n", "{}", "{\"endpoint\": {}}"] {
        let configuration = load(text);
        let names: Vec<_> = configuration.queues().iter().map(|queue| queue.name.as_str()).collect();
        assert_eq!(names, ["other"]);
        let queue = &configuration.queues()[0];
        assert_eq!((queue.lanes, queue.capacity, queue.when_full), (8, 4_096, WhenFull::Refuse));
        assert_eq!(configuration.default_queue(), 0);
        assert_eq!(configuration.clock(), Clock::System);
        assert!(configuration.shapes());
        assert_eq!(configuration.limits(), &Limits::MAX);
        assert_eq!(configuration.answer_within(), Duration::from_secs(8));
        assert_eq!(configuration.ack_wait(), Some(Duration::from_secs(60)));
        assert!(configuration.rules().is_empty() && configuration.warnings().is_empty());
        let [endpoint] = configuration.endpoints() else { panic!("one endpoint") };
        assert!(endpoint.name == "default" && !endpoint.third_party);
        assert!(endpoint.speaks_for(Some(b"any"), Some(b"any"), Some(b"any")));
    }
}

#[test]
fn the_embedded_default() {
    let configuration = Configuration::embedded();
    assert!(configuration.warnings().is_empty());
    let table = Table::compile(&configuration);
    for (kind, queue) in [
        (Kind::Event, "terminals"),
        (Kind::Display, "tender"),
        (Kind::Request, "other"),
        (Kind::Response, "payments"),
        (Kind::Secured, "other"),
        (Kind::StandardWebhook, "webhooks"),
        (Kind::ManagementWebhook, "webhooks"),
        (Kind::Timeout, "payments"),
    ] {
        let subject = Subject::new(kind);
        let queues: Vec<_> =
            table.route(&subject).iter().map(|i| &configuration.queues()[usize::from(i)].name).collect();
        assert_eq!(queues, [queue], "{kind:?}");
        assert_eq!(table.explain(&subject).queues, [queue], "{kind:?}");
    }
}

#[test]
fn small_things() {
    assert_eq!(load("[delivery]\nack_wait = \"0s\"").ack_wait(), None);
    assert_eq!(load("clock = \"manual\"").clock(), Clock::Manual);
    assert_eq!(load("[limits]\nlanes = 4").queues()[0].lanes, 4);
    assert_eq!(load("[endpoint.b]\n[endpoint.a]\nthird_party = true").endpoint("a"), Some(1));
    let text = "[[rule]]\nqueue = \"other\"\n[[rule]]\nname = \"x\"\nqueue = [\"other\", \"other\"]\ncontinue = true";
    let configuration = load(text);
    let names: Vec<_> = configuration.rules().iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["rule 1", "x"]);
    assert_eq!(configuration.rules()[1].queues, [0]);
    assert!(!configuration.rules()[0].goes_on && configuration.rules()[1].goes_on);
}

#[test]
fn rules_that_fit_nothing() {
    struct Empty;
    impl Resolver for Empty {
        fn file(&self, _: &str) -> Result<String, String> {
            Ok(" \n".to_owned())
        }
        fn env(&self, _: &str) -> Result<String, String> {
            Err("none".to_owned())
        }
    }
    let text = "default_queue = \"a\"\n[[queue]]\nname = \"a\"\n[[queue]]\nname = \"b\"\n\
                [[rule]]\nqueue = \"b\"\nendpoint = \"nowhere\"\n[[rule]]\nqueue = \"b\"\npoiid_file = \"empty.txt\"";
    let configuration = Configuration::parse(text, &Empty).unwrap();
    let places: Vec<_> = configuration.warnings().iter().map(|warning| (warning.line, warning.column)).collect();
    assert_eq!(places, [(8, 12), (11, 14)]);
    let table = Table::compile(&configuration);
    let subject = Subject { poiid: Some(b""), ..Subject::new(Kind::Event) };
    assert!(table.route(&subject).iter().eq([0]));
    let misses: Vec<_> = table.explain(&subject).missed.iter().map(|miss| miss.matcher).collect();
    assert_eq!(misses, ["endpoint", "poiid"]);
}

#[test]
fn the_systems_files() {
    let directory = std::env::temp_dir().join(format!("nexowire-route-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("terminals.txt"), "V400m-1\n").unwrap();
    let resolver = SystemResolver::beside(directory.join("nexowire.toml"));
    let text = "default_queue = \"other\"\n[[queue]]\nname = \"other\"\n[[queue]]\nname = \"known\"\n\
                [[rule]]\nqueue = \"known\"\npoiid_file = \"terminals.txt\"\npoiid = \"P400Plus-*\"";
    let table = Table::compile(&Configuration::parse(text, &resolver).unwrap());
    for (poiid, queue) in [(&b"V400m-1"[..], 1), (b"V400m-2", 0), (b"P400Plus-2", 1)] {
        let subject = Subject { poiid: Some(poiid), ..Subject::new(Kind::Event) };
        assert!(table.route(&subject).iter().eq([queue]), "{poiid:?}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
    let error = Configuration::parse(text, &resolver).unwrap_err();
    assert!(error.line == 8 && error.message.contains("terminals.txt"), "{error}");
    assert!(resolver.env("NEXOWIRE_NOT_SET").unwrap_err().contains("NEXOWIRE_NOT_SET"));
    assert!(NoResolver.env("PATH").is_err());
}

#[test]
fn what_a_reload_may_change() {
    let queues = |a: &str, b: &str| load(&format!("default_queue = \"a\"\n[[queue]]\nname = \"a\"\n{a}\n{b}"));
    let old = queues("lanes = 4\ncapacity = 16", "[[queue]]\nname = \"b\"");
    for (new, member) in [
        (queues("lanes = 4\ncapacity = 16", ""), None),
        (queues("lanes = 4\ncapacity = 16", "[[queue]]\nname = \"c\"\nlanes = 1"), None),
        (queues("lanes = 4\ncapacity = 16\nwhen_full = \"drop-oldest\"", "[delivery]\nack_wait = \"1s\""), None),
        (queues("lanes = 5\ncapacity = 16", ""), Some("lanes of queue `a`")),
        (queues("lanes = 4\ncapacity = 17", ""), Some("capacity of queue `a`")),
        (queues("lanes = 4\ncapacity = 16", "[limits]\nboard = 1"), Some("limits.board")),
        (load("default_queue = \"a\"\nclock = \"manual\"\n[[queue]]\nname = \"a\""), Some("clock")),
    ] {
        let conflict = old.reload_conflict(&new);
        assert_eq!(conflict.map(|conflict| conflict.member).as_deref(), member);
    }
}
