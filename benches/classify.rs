//! Claims: what is no message of a terminal is told apart in less time than a display notification takes, and a body
//! whose last byte is missing costs no more than the whole one.
//!
//! One iteration classifies one body of a kind.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nexowire_bench::Corpus;
use nexowire_core::classify::classify;
use nexowire_core::limits::Limits;
use nexowire_core::nexo::Kind;

const WEBHOOK: &str = r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"amount":{"currency":"EUR","value":1000},
"eventCode":"AUTHORISATION","eventDate":"2026-11-21T10:00:00+01:00","merchantAccountCode":"TestMerchant",
"merchantReference":"MR-1","pspReference":"NC6HT9CRT65ZGN82","reason":"","success":"true"}}]}"#;
const FORM: &str =
    "live=false&eventCode=AUTHORISATION&pspReference=NC6HT9CRT65ZGN82&merchantAccountCode=TestMerchant&success=true";
const SETTINGS: &str = r#"{"type":"terminalSettings.modified","environment":"test","createdAt":"2026-11-21T10:00:00Z",
"data":{"companyId":"TestCompany","merchantId":"TestMerchant","update":{"source":"Customer Area","user":"tester"}}}"#;
const FOREIGN: &str = r#"{"order":{"id":"4711","lines":[{"sku":"a","count":1},{"sku":"b","count":2}]},"paid":true}"#;

fn classification(criterion: &mut Criterion) {
    let limits = Limits::default();
    let first = |name| Corpus::made(name).messages().next().map(<[u8]>::to_vec).unwrap_or_default();
    let mut unclosed = first("display");
    unclosed.pop();
    let bodies = [
        ("event", first("event"), Kind::Event),
        ("display", first("display"), Kind::Display),
        ("response", first("payment"), Kind::Response),
        ("standard webhook", WEBHOOK.into(), Kind::StandardWebhook),
        ("form", FORM.into(), Kind::StandardWebhook),
        ("management webhook", SETTINGS.into(), Kind::ManagementWebhook),
        ("acknowledgement", b"[accepted]".into(), Kind::Acknowledgement),
        ("foreign", FOREIGN.into(), Kind::Foreign),
        ("not closed", unclosed, Kind::Malformed),
    ];
    let mut group = criterion.benchmark_group("classify");
    for (name, body, kind) in bodies {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert_eq!(classify(&body, &limits).fields.kind, kind));
        });
    }
    group.finish();
}

criterion_group!(benches, classification);
criterion_main!(benches);
