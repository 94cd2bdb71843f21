//! `[delivery]`, `[dedupe]`, `[store]`, `when_full` and `dead_letter`: what loads and what comes of it.

use std::time::Duration;

use super::load;
use crate::route::{Configuration, NoResolver, StoreSource, WhenFull};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A configuration that must load for a host that has a store.
fn load_for_a_store(text: &str) -> Configuration {
    Configuration::parse_with(text, &NoResolver, StoreSource::Host).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn conflict(old: &Configuration, new: &Configuration) -> Option<String> {
    old.reload_conflict(new).map(|conflict| conflict.member)
}

#[test]
fn delivery_and_its_defaults() {
    let configuration = load("");
    assert_eq!(configuration.max_attempts(), 20);
    assert_eq!((configuration.retry(), configuration.retry_max()), (Duration::from_secs(1), Duration::from_secs(300)));
    let configuration = load("[delivery]\nmax_attempts = 1\nretry = \"0s\"\nretry_max = \"250ms\"");
    assert_eq!(configuration.max_attempts(), 1);
    assert_eq!((configuration.retry(), configuration.retry_max()), (Duration::ZERO, Duration::from_millis(250)));
    assert_eq!(load("[delivery]\nmax_attempts = 4_294_967_295").max_attempts(), u32::MAX);
}

#[test]
fn dedupe_and_its_defaults() {
    let configuration = load("");
    let dedupe = configuration.dedupe();
    assert_eq!((dedupe.terminal, dedupe.webhook, dedupe.keys_max), (48 * HOUR, 30 * DAY, 10_000_000));
    let configuration = load("[dedupe]\nterminal = \"0s\"\nwebhook = \"213503982334d\"\nkeys_max = 1");
    let dedupe = configuration.dedupe();
    assert!(dedupe.terminal.is_zero());
    assert_eq!((dedupe.webhook, dedupe.keys_max), (Duration::from_millis(18_446_744_073_657_600_000), 1));
    assert_eq!(load("[dedupe]\nterminal = \"36h\"").dedupe().webhook, 30 * DAY);
    let keys_max = |text: &str| load(text).dedupe().keys_max;
    assert_eq!(keys_max("[dedupe]\nkeys_max = 1_073_741_824"), 1 << 30);
}

#[test]
fn a_store_of_the_host_has_the_same_defaults() {
    assert!(load("").store().is_none());
    let configuration = load_for_a_store("");
    let store = configuration.store().unwrap();
    assert_eq!(
        (store.path.as_str(), store.retention, store.dead_letter_retention),
        ("nexowire-data", 7 * DAY, 30 * DAY)
    );
    assert_eq!((store.max_bytes, store.cache_bytes), (10_737_418_240, 33_554_432));
    let configuration = load_for_a_store("[store]\nretention = \"1h\"\nmax_bytes = 1");
    let store = configuration.store().unwrap();
    assert_eq!((store.retention, store.dead_letter_retention, store.max_bytes), (HOUR, 30 * DAY, 1));
}

#[test]
#[cfg(feature = "store")]
fn a_store_of_the_configuration() {
    assert_eq!(load("[store]").store(), load_for_a_store("").store());
    let text = "[store]\npath = \"/var/lib/nexowire\"\nretention = \"0s\"\ndead_letter_retention = \"5m\"\n\
                max_bytes = 9_223_372_036_854_775_807\ncache_bytes = 0";
    let configuration = load(text);
    let store = configuration.store().unwrap();
    assert_eq!((store.path.as_str(), store.cache_bytes), ("/var/lib/nexowire", 0));
    assert_eq!((store.retention, store.dead_letter_retention), (Duration::ZERO, Duration::from_secs(300)));
    assert_eq!(store.max_bytes, i64::MAX as u64);
    assert_eq!(load(text).store(), load_for_a_store(text).store());
    assert_eq!(load("{\"store\": {\"max_bytes\": 18446744073709551615}}").store().unwrap().max_bytes, u64::MAX);
}

#[test]
fn when_full_by_store() {
    let text = "default_queue = \"a\"\n[[queue]]\nname = \"a\"\n[[queue]]\nname = \"b\"\nwhen_full = \"refuse\"\n\
                [[queue]]\nname = \"c\"\nwhen_full = \"drop-oldest\"";
    let of = |configuration: &Configuration| -> Vec<WhenFull> {
        configuration.queues().iter().map(|queue| queue.when_full).collect()
    };
    assert_eq!(of(&load(text)), [WhenFull::Refuse, WhenFull::Refuse, WhenFull::DropOldest]);
    let spilling = [WhenFull::Spill, WhenFull::Refuse, WhenFull::DropOldest];
    assert_eq!(of(&load_for_a_store(text)), spilling);
    #[cfg(feature = "store")]
    assert_eq!(of(&load(&format!("{text}\n[store]"))), spilling);
    let text = "default_queue = \"a\"\n[[queue]]\nname = \"a\"\nwhen_full = \"spill\"";
    assert_eq!(of(&load_for_a_store(text)), [WhenFull::Spill]);
    // The queue that nobody declared, too.
    assert_eq!(of(&load_for_a_store("")), [WhenFull::Spill]);
    assert_eq!(of(&Configuration::embedded()), [WhenFull::Refuse; 5]);
    assert_eq!(of(&Configuration::embedded_with(StoreSource::Host)), [WhenFull::Spill; 5]);
}

#[test]
fn dead_letters_go_where_they_are_sent() {
    let text = "default_queue = \"a\"\n[[queue]]\nname = \"a\"\ndead_letter = \"b\"\n[[queue]]\nname = \"b\"\n\
                when_full = \"drop-oldest\"\ndead_letter = \"c\"\n[[queue]]\nname = \"d\"\ndead_letter = \"c\"\n\
                [[queue]]\nname = \"c\"\nwhen_full = \"drop-oldest\"";
    let targets = |configuration: &Configuration| -> Vec<Option<u16>> {
        configuration.queues().iter().map(|queue| queue.dead_letter).collect()
    };
    assert_eq!(targets(&load(text)), [Some(1), Some(3), Some(3), None]);
    // With a store a queue of which nothing is said spills, so it can take them.
    let text = text.replace("when_full = \"drop-oldest\"\n", "");
    assert!(Configuration::parse(&text, &NoResolver).is_err());
    assert_eq!(targets(&load_for_a_store(&text)), [Some(1), Some(3), Some(3), None]);
}

#[test]
fn what_a_reload_may_change_of_these() {
    let queues = "default_queue = \"a\"\n[[queue]]\nname = \"a\"\n[[queue]]\nname = \"b\"\nwhen_full = \"drop-oldest\"";
    let old = load_for_a_store(queues);
    for (new, member) in [
        ("[delivery]\nmax_attempts = 1\nretry = \"5s\"\nretry_max = \"6s\"", None),
        ("[dedupe]\nterminal = \"0s\"\nwebhook = \"1d\"\nkeys_max = 5", None),
        ("[store]", None),
        ("[store]\nretention = \"168h\"", None),
        ("[store]\nretention = \"8d\"", Some("store.retention")),
        ("[store]\ndead_letter_retention = \"8d\"", Some("store.dead_letter_retention")),
        ("[store]\nmax_bytes = 1", Some("store.max_bytes")),
        ("[limits]\nboard = 1\n[store]\nmax_bytes = 1", Some("limits.board")),
    ] {
        let new = load_for_a_store(&format!("{queues}\n{new}"));
        assert_eq!(conflict(&old, &new).as_deref(), member);
        assert_eq!(conflict(&new, &old).as_deref(), member);
    }
    let dead_letter = queues.replacen("name = \"a\"", "name = \"a\"\ndead_letter = \"b\"", 1);
    assert_eq!(conflict(&old, &load_for_a_store(&dead_letter)), None);
    assert_eq!(conflict(&old, &load_for_a_store(&queues.replace("drop-oldest", "spill"))), None);
    assert_eq!(conflict(&old, &load(queues)).as_deref(), Some("store"));
    assert_eq!(conflict(&load(queues), &old).as_deref(), Some("store"));
}

#[test]
#[cfg(feature = "store")]
fn the_place_of_a_store_needs_a_reopen() {
    let old = load("[store]\npath = \"x\"");
    assert_eq!(conflict(&old, &load("[store]\npath = \"y\"")).as_deref(), Some("store.path"));
    assert_eq!(conflict(&old, &load("[store]\npath = \"x\"\ncache_bytes = 1")).as_deref(), Some("store.cache_bytes"));
    assert_eq!(conflict(&old, &load("[store]\npath = \"x\"")), None);
}
