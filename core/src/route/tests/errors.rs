//! Every error and every warning: its place and what it says. In each text `^` stands before the place, and is taken
//! out before the text is read.

use crate::route::{Configuration, NoResolver, Resolver};

/// The text without its mark, and the line and column of the mark.
fn marked(text: &str) -> (String, u32, u32) {
    let at = text.find('^').unwrap_or_else(|| panic!("no mark in {text}"));
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[..at].matches('\n').count() as u32 + 1;
    (text.replacen('^', "", 1), line, text[line_start..at].chars().count() as u32 + 1)
}

#[track_caller]
fn check_with(resolver: &dyn Resolver, cases: &[(&str, &str)]) {
    for (text, message) in cases {
        let (text, line, column) = marked(text);
        let error = Configuration::parse(&text, resolver).map(|_| ()).expect_err(&text);
        assert!(error.message.contains(message), "{error}, not {message}\n{text}");
        assert_eq!((error.line, error.column), (line, column), "{error}\n{text}");
    }
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    check_with(&NoResolver, cases);
}

#[test]
fn syntax_and_types() {
    check(&[
        ("default_queue = ^", ""),
        ("a = 1\n[[queue]^\nname = 1", "unclosed array table"),
        ("{\"default_queue\": \"a\",^}", "trailing comma"),
        ("{\"default_queue\" ^\"a\"}", "expected `:`"),
        ("{\"default_queue\": \"a\"} ^x", "trailing characters"),
        ("^queu = 1", "unknown member `queu`; did you mean `queue`?"),
        ("[[rule]]\nqueue = \"other\"\n^kinds = \"event\"", "unknown member `kinds`; did you mean `kind`?"),
        ("[limits]\n^zebra = 1", "unknown member `zebra`; expected one of `body`, `depth`"),
        ("{\"rule\": [{\"queue\": \"other\",\n  ^\"kinds\" : \"event\"}]}", "did you mean `kind`?"),
        ("{\"limits\": {^\"zebra\": 1}}", "unknown member `zebra`; expected one of"),
        ("{\"clock\": \"system\", ^\"clock\": \"manual\"}", "`clock` is there twice"),
        ("shapes = ^\"yes\"", "wrong type: string, where a boolean is expected"),
        ("[limits]\nbody = ^\"1 MiB\"", "wrong type: string, where u64 is expected"),
        ("[limits]\nbody = ^-1", "-1"),
        ("{\"limits\": {\"body\": ^\"1 MiB\"}}", "wrong type: string, where u64 is expected"),
        ("{\"shapes\": ^\"a\\\"b\"}", "wrong type: string"),
        ("{\"shapes\": ^12 }", "wrong type: "),
        ("{\"limits\": ^[1, 2]}", "a table of members is expected"),
        ("{\"queue\": ^{\"name\": \"a\"}}", "a sequence is expected"),
        ("[[rule]]\nqueue = ^1", "text or a list of texts is expected"),
        ("[[rule]]\nqueue = \"other\"\nlive = ^\"yes\"", "true, false or a list of these is expected"),
        ("[[rule]]\nqueue = [\"other\", ^1]", "a string is expected"),
    ]);
}

#[test]
fn names() {
    check(&[
        ("[[^queue]]\nname = \"a\"", "`default_queue` is missing"),
        ("{^\"queue\": [{\"name\": \"a\"}]}", "`default_queue` is missing"),
        ("default_queue = ^\"b\"", "the queue `b` is not declared"),
        ("default_queue = ^\"othr\"", "the queue `othr` is not declared; did you mean `other`?"),
        ("{\"default_queue\": ^\"othr\"}", "did you mean `other`?"),
        ("default_queue = \"a\"\n[[queue]]\nname = \"a\"\n[[queue]]\nname = ^\"a\"", "two queues have the name `a`"),
        (
            "{\"default_queue\": \"a\", \"queue\": [{\"name\": \"a\"},\n {\"lanes\": 1, \"name\": ^\"a\"}]}",
            "two queues have the name `a`",
        ),
        ("default_queue = \"a\"\n^[[queue]]\nlanes = 1", "a queue without `name`"),
        ("{\"default_queue\": \"a\", \"queue\": [^{\"lanes\": 1}]}", "a queue without `name`"),
        ("default_queue = \"a\"\n[[queue]]\nname = ^\"\"", "is no name of a queue"),
        ("default_queue = \"a\"\n[[queue]]\nname = ^\"a b\"", "`a b` is no name of a queue"),
        ("default_queue = \"a\"\n[[queue]]\nname = ^\"größe\"", "`größe` is no name of a queue"),
        ("^[[rule]]\nkind = \"event\"", "a rule without `queue`"),
        ("[[rule]]\nqueue = ^[]", "`queue` is an empty list"),
        ("[[rule]]\nqueue = [\"other\", ^\"pay\"]", "the queue `pay` is not declared"),
        ("{\"rule\": [{\"queue\": ^\"pay\"}]}", "the queue `pay` is not declared"),
        ("[[rule]]\nqueue = \"other\"\nname = ^\"\"", "the name of a rule is empty"),
        ("[[rule]]\nqueue = \"other\"\nname = \"x\"\n[[rule]]\nqueue = \"other\"\nname = ^\"x\"", "two rules have"),
        (
            "[[rule]]\nname = \"rule 2\"\nqueue = \"other\"\n^[[rule]]\nqueue = \"other\"",
            "two rules have the name `rule 2`",
        ),
        ("{\"endpoint\": {\"a\": {}, ^\"a\": {}}}", "two endpoints have the name `a`"),
        ("[endpoint]\n^\"\" = {}", "an endpoint without a name"),
        ("{\"summary\": {\"Abort\": \"\", ^\"Abort\": \"\"}}", "two texts for `Abort`"),
        ("default_queue = \"other\"\n\"ä\" = \"é\" ^x", ""),
    ]);
}

#[test]
fn closed_lists() {
    check(&[
        ("clock = ^\"manul\"", "`clock` knows no `manul`; did you mean `manual`?"),
        ("[[rule]]\nqueue = \"other\"\nkind = ^\"events\"", "`kind` knows no `events`; did you mean `event`?"),
        (
            "[[rule]]\nqueue = \"other\"\nkind = [\"event\", ^\"foreign\"]",
            "`kind` knows no `foreign`; expected one of `event`",
        ),
        ("{\"rule\": [{\"queue\": \"other\", \"kind\": [\"event\", ^\"acknowledgement\"]}]}", "`kind` knows no"),
        (
            "[[rule]]\nqueue = \"other\"\nenvelope = ^\"other\"",
            "`envelope` knows no `other`; expected one of `request`, `response`",
        ),
        ("default_queue = \"a\"\n[[queue]]\nname = \"a\"\nwhen_full = ^\"drop_oldest\"", "did you mean `drop-oldest`?"),
    ]);
}

#[test]
fn bounds() {
    check(&[
        ("[limits]\ndepth = ^65", "`limits.depth` is 65 and must be at most 64"),
        ("{\"limits\": {\"depth\": ^65}}", "`limits.depth` is 65 and must be at most 64"),
        ("[limits]\nbody = ^0", "must be at least 1"),
        ("[limits]\nbody = ^99999999999", "must be at most 1048576"),
        (
            "default_queue = \"a\"\n[[queue]]\nname = \"a\"\nlanes = ^257",
            "`queue.lanes` is 257 and must be at most 256 (queue `a`)",
        ),
        ("default_queue = \"a\"\n[[queue]]\nname = \"a\"\nlanes = ^0", "must be at least 1"),
        ("default_queue = \"a\"\n[limits]\nlanes = 2\n[[queue]]\nname = \"a\"\nlanes = ^3", "must be at most 2"),
        ("default_queue = \"a\"\n[[queue]]\nname = \"a\"\ncapacity = ^16777217", "must be at most 16777216"),
        (
            "default_queue = \"a\"\n[[queue]]\nname = \"a\"\nlanes = 2\ncapacity = ^16_777_216",
            "`limits.capacity` is 16777216",
        ),
        (
            "default_queue = \"a\"\n[limits]\ncapacity = 40_000\n[[queue]]\nname = \"a\"\n[[queue]]\nname = ^\"b\"",
            "capacity times lanes is 65536 up to queue `b`",
        ),
        (
            "default_queue = \"a\"\n[limits]\nqueues = 1\n[[queue]]\nname = \"a\"\n^[[queue]]\nname = \"b\"",
            "more queues than",
        ),
        (
            "[limits]\nroutes = 1\n[[rule]]\nqueue = \"other\"\n^[[rule]]\nqueue = \"other\"",
            "more rules than `limits.routes`, 1",
        ),
        ("[limits]\nendpoints = 1\n[^endpoint.a]", "more endpoints than `limits.endpoints`, 1"),
        ("[delivery]\nack_wait = ^\"60\"", "`delivery.ack_wait`: `60` is no duration"),
        ("[delivery]\nanswer_within = ^\"8 s\"", "`delivery.answer_within`: `8 s` is no duration"),
        ("{\"delivery\": {\"ack_wait\": ^\"99999999999999999999s\"}}", "is too long a duration"),
        ("[dedupe]\nterminal = ^\"2 days\"", "`dedupe.terminal`: `2 days` is no duration"),
        ("[dedupe]\nwebhook = ^\"-1d\"", "`dedupe.webhook`: `-1d` is no duration"),
        ("[dedupe]\nkeys_max = ^0", "`dedupe.keys_max` is 0 and must be at least 1"),
        ("{\"dedupe\": {\"keys_max\": ^1073741825}}", "`dedupe.keys_max` is 1073741825 and must be at most 1073741824"),
        ("[dedupe]\nkeys_max = ^\"many\"", "wrong type: string, where u64 is expected"),
        ("[delivery]\nmax_attempts = ^0", "`delivery.max_attempts` is 0 and must be at least 1"),
        ("[delivery]\nmax_attempts = ^4294967296", "must be at most 4294967295"),
        ("[delivery]\nretry = ^\"1\"", "`delivery.retry`: `1` is no duration"),
        ("{\"delivery\": {\"retry_max\": ^\"1y\"}}", "`delivery.retry_max`: `1y` is no duration"),
    ]);
}

#[test]
#[cfg(feature = "store")]
fn stores() {
    check(&[
        ("[store]\nretention = ^\"7\"", "`store.retention`: `7` is no duration"),
        ("[store]\ndead_letter_retention = ^\"month\"", "`store.dead_letter_retention`: `month` is no duration"),
        ("[store]\npath = ^\"\"", "`store.path` is empty"),
        ("[store]\npath = ^7", "wrong type"),
        ("[store]\nmax_bytes = ^0", "`store.max_bytes` is 0 and must be at least 1"),
        ("{\"store\": {\"cache_bytes\": ^\"32 MiB\"}}", "wrong type: string, where u64 is expected"),
        ("[store]\n^directory = \"x\"", "unknown member `directory`; expected one of `path`"),
    ]);
}

#[test]
fn full_queues_and_dead_letters() {
    check(&[
        (
            "default_queue = \"a\"\n[[queue]]\nname = \"a\"\nwhen_full = ^\"spill\"",
            "`spill` needs a store, and there is no `[store]`",
        ),
        (
            "{\"default_queue\": \"a\", \"queue\": [{\"name\": \"a\",\n\"when_full\": ^\"spill\"}]}",
            "`spill` needs a store",
        ),
        ("default_queue = \"a\"\n[[queue]]\nname = \"a\"\nwhen_full = ^\"spil\"", "did you mean `spill`?"),
        (
            "default_queue = \"abc\"\n[[queue]]\nname = \"abc\"\ndead_letter = ^\"abd\"",
            "the queue `abd` is not declared; did you mean `abc`?",
        ),
        (
            "default_queue = \"a\"\n[[queue]]\nname = \"a\"\ndead_letter = ^\"a\"",
            "`dead_letter` of queue `a` closes a circle",
        ),
        (
            "{\"default_queue\": \"a\", \"queue\": [{\"name\": \"a\", \"dead_letter\": \"c\"},\n\
             {\"name\": \"b\", \"dead_letter\": ^\"c\"}, {\"name\": \"c\", \"dead_letter\": \"b\"}]}",
            "`dead_letter` of queue `b` closes a circle",
        ),
        (
            "default_queue = \"a\"\n[[queue]]\nname = \"a\"\ndead_letter = ^\"b\"\n[[queue]]\nname = \"b\"",
            "the queue `b` refuses when it is full",
        ),
        (
            "default_queue = \"a\"\n[[queue]]\nname = \"a\"\n[[queue]]\nname = \"b\"\nwhen_full = \"drop-oldest\"\n\
             dead_letter = ^\"c\"\n[[queue]]\nname = \"c\"\nwhen_full = \"refuse\"",
            "the queue `c` refuses when it is full",
        ),
    ]);
}

#[test]
fn not_built_in() {
    check(&[
        ("[delivery]\n^response_deadline = \"150s\"", "`delivery.response_deadline` is not built in"),
        ("[endpoint.default]\n^require_encryption = true", "`require_encryption` is not built in"),
        ("[endpoint.a]\n^api_keys = [\"k\"]", "`api_keys` is not built in"),
        ("[endpoint.a]\n^hmac_keys = [{ env = \"K\" }]", "`hmac_keys` is not built in"),
        ("[endpoint.a]\n^basic = [{ user = \"u\", password = { file = \"p\" } }]", "`basic` is not built in"),
        (
            "[endpoint.a]\n^nexo_keys = [{ identifier = \"i\", version = 1, passphrase = \"p\" }]",
            "`nexo_keys` is not built in",
        ),
        ("{\"endpoint\": {\"a\": {^\"api_keys\": [{\"env\": \"K\"}]}}}", "`api_keys` is not built in"),
    ]);
}

#[test]
#[cfg(not(feature = "store"))]
fn no_embedded_store() {
    check(&[
        ("[^store]", "`store` is not built in: the embedded store is the feature `store`"),
        ("[^store]\npath = \"x\"", "`store` is not built in"),
        ("{^\"store\": {}}", "`store` is not built in"),
    ]);
    // A host may still bring its own; what only the embedded one heeds must not look as if it had an effect.
    for (member, column) in [("path = \"x\"", 1), ("cache_bytes = 1", 1)] {
        let text = format!("[store]\n{member}");
        let error = Configuration::parse_with(&text, &NoResolver, crate::route::StoreSource::Host).unwrap_err();
        assert!(error.message.contains("is not built in"), "{error}");
        assert_eq!((error.line, error.column), (2, column));
    }
}

#[test]
fn matchers() {
    check(&[
        ("[[rule]]\nqueue = \"other\"\nkind = ^[]", "`kind` is an empty list"),
        ("[[rule]]\nqueue = \"other\"\nlive = ^[]", "`live` is an empty list"),
        ("[[rule]]\nqueue = \"other\"\nclass = ^\"\"", "`class` holds an empty text"),
        ("[[rule]]\nqueue = \"other\"\nmerchant_account = [\"a\", ^\"\"]", "`merchant_account` holds an empty text"),
        ("[[rule]]\nqueue = \"other\"\npoiid = [\"a\", ^\"\"]", "`poiid`: `` is empty"),
        ("[[rule]]\nqueue = \"other\"\npoiid = ^[]", "`poiid` is an empty list"),
        ("[[rule]]\nqueue = \"other\"\nsale_id = ^\"a*b\"", "`a*b` has a `*` that is not at its end"),
        ("[endpoint.a]\npoiids = [^\"*1\"]", "`*1` has a `*` that is not at its end"),
        ("[endpoint.a]\nmerchant_accounts = [^\"\"]", "is empty"),
        ("[[rule]]\nqueue = \"other\"\npoiid_file = ^\"x.txt\"", "`x.txt`: no files are read here"),
    ]);
}

#[test]
fn files() {
    struct Fixed;
    impl Resolver for Fixed {
        fn file(&self, path: &str) -> Result<String, String> {
            Ok(format!("V400m-1\r\n\n  {path}  \n"))
        }
        fn env(&self, _: &str) -> Result<String, String> {
            Err(String::new())
        }
    }
    check_with(
        &Fixed,
        &[("[[rule]]\nqueue = \"other\"\npoiid_file = [\"a*\", ^\"a*b\"]", "`a*b`: line 3: `a*b` has a `*`")],
    );
}

#[test]
fn a_secret_is_never_in_an_error() {
    for text in [
        "[endpoint.a]\napi_keys = \"hunter2\"",
        "[endpoint.a]\nbasic = [\"hunter2\"]",
        "[endpoint.a]\nbasic = \"hunter2\"",
        "[endpoint.a]\nbasic = [{ user = \"u\", password = \"hunter2\", x = 1 }]",
        "[endpoint.a]\nnexo_keys = [{ identifier = \"i\", version = \"hunter2\", passphrase = \"hunter2\" }]",
        "[endpoint.a]\nhmac_keys = [{ env = \"hunter2\", file = \"hunter2\" }]",
        "[endpoint.a]\nhmac_keys = [\"hunter2\"]",
        "{\"endpoint\": {\"a\": {\"api_keys\": \"hunter2\"}}}",
        "{\"endpoint\": {\"a\": {\"basic\": [\"hunter2\"]}}}",
        "{\"endpoint\": {\"a\": {\"basic\": [{\"user\": \"u\", \"password\": [\"hunter2\"]}]}}}",
    ] {
        let error = Configuration::parse(text, &NoResolver).map(|_| ()).expect_err(text);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    // A number in place of a text is a likely mistake.
    let error = Configuration::parse("[endpoint.a]\napi_keys = [12345]", &NoResolver).unwrap_err();
    assert!(!error.message.contains("12345") && error.line == 2, "{error}");
}

#[test]
fn warnings() {
    for (text, message) in [
        (
            "[[rule]]\nqueue = \"other\"\nclass = ^\"service\"",
            "`class`: MessageClass has no `service`; did you mean `Service`?",
        ),
        ("[[rule]]\nqueue = \"other\"\ncategory = [\"Payment\", ^\"Reversl\"]", "did you mean `Reversal`?"),
        ("{\"rule\": [{\"queue\": \"other\",\n\"type\": ^\"Notice\"}]}", "MessageType has no `Notice`"),
        ("[[rule]]\nqueue = \"other\"\nevent = ^\"Sneezed\"", "EventToNotify has no `Sneezed`"),
        ("[[rule]]\nqueue = \"other\"\ndisplay_event = ^\"tender_final\"", "did you mean `TENDER_FINAL`?"),
        ("[[rule]]\nqueue = \"other\"\nresult = ^\"Succes\"", "did you mean `Success`?"),
        ("[[rule]]\nqueue = \"other\"\nerror_condition = ^\"Bussy\"", "did you mean `Busy`?"),
        ("[[rule]]\nqueue = \"other\"\nevent_code = ^\"AUTHORIZATION\"", "did you mean `AUTHORISATION`?"),
        ("[[rule]]\nqueue = \"other\"\nendpoint = ^\"shop-1\"\n[endpoint.shop-2]", "did you mean `shop-2`?"),
        ("[summary]\n^NetworkDisconected = \"\"", "did you mean `NetworkDisconnected`?"),
        ("[summary]\nAbort = ^\"{poid}\"", "nothing is filled in for `{poid}`; did you mean `poiid`?"),
    ] {
        let (text, line, column) = marked(text);
        let configuration = super::load(&text);
        let [warning] = configuration.warnings() else { panic!("{:?}\n{text}", configuration.warnings()) };
        assert!(warning.message.contains(message), "{warning}, not {message}");
        assert_eq!((warning.line, warning.column), (line, column), "{warning}\n{text}");
    }
}

#[test]
fn warnings_are_bounded() {
    let many = "[[rule]]\nqueue = \"other\"\nevent = \"Sneezed\"\n".repeat(300);
    assert_eq!(super::load(&many).warnings().len(), crate::limits::WARNINGS_MAX);
}
