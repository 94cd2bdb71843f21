//! What makes a message the same as another. Source: reference, section 5; `delivery.md`, 1.3.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::delivery::{Key, Window};
use crate::nexo::{Field, Kind, View, WebhookField};
use crate::span::Encoding;
use crate::text::Text;

/// What is hashed, so that no two of these have a hash in common.
#[derive(Clone, Copy)]
enum Sort {
    FieldsOfKey = 1,
    BodyAsKey = 2,
    FieldsOfDigest = 3,
    BytesOfDigest = 4,
}

/// The key of a message, or of an item of a webhook, and the digest that tells its variants apart; `None` for what the
/// engine makes itself and for what takes no key.
///
/// `endpoint` is a name, as its index may be another's after a reload. Nothing is copied or allocated.
pub(super) fn key(view: View<'_>, endpoint: &str, hash_key: &[u8; 16]) -> Option<(Key, u64)> {
    let kind = view.fields().kind;
    let begin = |sort| Fields::begin(hash_key, sort, endpoint, kind);
    let by_body = |window| {
        let hash = begin(Sort::BodyAsKey).bytes(view.body()).finish();
        Some((Key { window, hash }, 0))
    };
    let by_fields = |names: &[Field]| {
        let add = |fields: Fields, field: &Field| fields.text(view.text(*field));
        let hash = names.iter().fold(begin(Sort::FieldsOfKey), add).finish();
        let digest = DIGEST.iter().fold(begin(Sort::FieldsOfDigest), add).finish();
        Some((Key { window: Window::Terminal, hash }, digest as u64))
    };
    let has = |field| view.text(field).is_some_and(is_id);
    match kind {
        Kind::Response | Kind::Request if has(Field::ServiceId) => {
            by_fields(&[Field::PoiId, Field::SaleId, Field::ServiceId, Field::MessageCategory])
        }
        Kind::Event if has(Field::DeviceId) => {
            by_fields(&[Field::PoiId, Field::DeviceId, Field::EventToNotify, Field::EventTimeStamp])
        }
        Kind::Display if has(Field::DeviceId) && has(Field::ServiceId) => {
            by_fields(&[Field::PoiId, Field::ServiceId, Field::DeviceId, Field::ReferenceId])
        }
        Kind::StandardWebhook => {
            let names = [
                WebhookField::MerchantAccountCode,
                WebhookField::EventCode,
                WebhookField::PspReference,
                WebhookField::Success,
            ];
            let add = |fields: Fields, field: &WebhookField| fields.text(view.webhook_text(*field));
            let hash = names.iter().fold(begin(Sort::FieldsOfKey), add).finish();
            // A form is its one item.
            let item = view.fields().item_span().map_or(view.body(), |span| span.of(view.body()));
            let digest = begin(Sort::BytesOfDigest).bytes(item).finish();
            Some((Key { window: Window::Webhook, hash }, digest as u64))
        }
        Kind::ManagementWebhook => by_body(Window::Webhook),
        Kind::Response | Kind::Request | Kind::Event | Kind::Display | Kind::Secured => by_body(Window::Terminal),
        Kind::Timeout | Kind::Acknowledgement | Kind::ErrorBody | Kind::Foreign | Kind::Malformed => None,
    }
}

/// What two terminal messages of one key may differ in without being the same.
const DIGEST: [Field; 5] =
    [Field::Result, Field::ErrorCondition, Field::PoiTransactionId, Field::Amount, Field::Currency];

/// Whether a text names one thing: an empty one and `N/A`, as the backend's Rejects have it, are the same in all.
fn is_id(text: Text<'_>) -> bool {
    !text.raw().is_empty() && !text.equals(b"N/A")
}

/// A keyed hash over fields, none of which runs into the next.
struct Fields(SipHasher13);

impl Fields {
    fn begin(hash_key: &[u8; 16], sort: Sort, endpoint: &str, kind: Kind) -> Self {
        let mut hasher = SipHasher13::new_with_key(hash_key);
        hasher.write(&[sort as u8]);
        // The word and not the number: keys outlive a version.
        Self(hasher).bytes(endpoint.as_bytes()).bytes(kind.word().as_bytes())
    }

    /// The length, so that a field ends where it ends, and the bytes.
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.length(Some(bytes.len()));
        self.0.write(bytes);
        self
    }

    /// The text, escapes resolved, so that it is the same however it is written; no text is not an empty one.
    fn text(mut self, text: Option<Text<'_>>) -> Self {
        match text {
            None => self.length(None),
            Some(text) if text.encoding() == Encoding::Plain => return self.bytes(text.raw()),
            Some(text) => {
                self.length(Some(text.bytes().count()));
                // In pieces, as an escaped text may be as long as its sender likes.
                let (mut piece, mut length) = ([0; 64], 0);
                for byte in text.bytes() {
                    piece[length] = byte;
                    length += 1;
                    if length == piece.len() {
                        self.0.write(&piece);
                        length = 0;
                    }
                }
                self.0.write(&piece[..length]);
            }
        }
        self
    }

    fn length(&mut self, length: Option<usize>) {
        self.0.write(&length.map_or(u64::MAX, |length| length as u64).to_le_bytes());
    }

    fn finish(self) -> u128 {
        self.0.finish128().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::classify;
    use crate::limits::Limits;
    use crate::message::for_each_item;

    /// Keys and digests of all items or of the one message.
    fn keys_at(body: &str, endpoint: &str, hash_key: u8) -> Vec<(Key, u64)> {
        let fields = classify(body.as_bytes(), &Limits::MAX).fields;
        let mut found = vec![];
        let mut each = |fields| found.extend(key(View::new(body.as_bytes(), &fields), endpoint, &[hash_key; 16]));
        if fields.kind == Kind::StandardWebhook {
            for_each_item(body.as_bytes(), &fields, |item| each(item.expect("an item")));
        } else {
            each(fields);
        }
        found
    }

    fn key_of(body: &str) -> (Key, u64) {
        let keys = keys_at(body, "default", 7);
        assert_eq!(keys.len(), 1, "{body}");
        keys[0]
    }

    /// A message in which each of `changes`, a text and another for it, is looked at by itself.
    #[track_caller]
    fn check(body: &str, new_keys: &[(&str, &str)], variants: &[(&str, &str)], same: &[(&str, &str)]) {
        let before = key_of(body);
        assert_eq!(before, key_of(body));
        let after = |(old, new): &(&str, &str)| {
            assert_eq!(body.matches(old).count(), 1, "{old}");
            key_of(&body.replacen(old, new, 1))
        };
        for change in new_keys {
            assert_ne!(after(change).0, before.0, "{change:?}");
        }
        for change in variants {
            assert_eq!(after(change).0, before.0, "{change:?}");
            assert_ne!(after(change).1, before.1, "{change:?}");
        }
        for change in same {
            assert_eq!(after(change), before, "{change:?}");
        }
        for other in [keys_at(body, "Default", 7), keys_at(body, "", 7), keys_at(body, "default", 8)] {
            assert_ne!(other[0].0.hash, before.0.hash);
        }
    }

    const RESPONSE: &str = r#"{"SaleToPOIResponse":{"PaymentResponse":{"POIData":{"POITransactionID":{
        "TransactionID":"oLkO001.PSP","TimeStamp":"2026-03-02T08:00:00Z"}},"Response":{"Result":"Success",
        "AdditionalResponse":"a=b"},"PaymentResult":{"AmountsResp":{"AuthorizedAmount":10.5,"Currency":"EUR"}}},
        "MessageHeader":{"MessageClass":"Service","MessageCategory":"Payment","MessageType":"Response",
        "SaleID":"Till1","ServiceID":"77","POIID":"V400m-1"}}}"#;

    #[test]
    fn responses() {
        check(
            RESPONSE,
            &[
                ("V400m-1", "V400m-2"),
                ("Till1", "Till2"),
                ("\"77\"", "\"78\""),
                ("\"77\"", "77.0"),
                ("\"Payment\"", "\"Reversal\""),
                (r#""SaleID":"Till1","#, ""),
                ("Till1", ""),
                // The same bytes, cut elsewhere.
                (r#""SaleID":"Till1","ServiceID":"77""#, r#""SaleID":"Till17","ServiceID":"7""#),
                // Without a ServiceID it is the body that counts.
                (r#""ServiceID":"77","#, ""),
            ],
            &[
                ("Success", "Failure"),
                (r#""Result":"Success""#, r#""Result":"Success","ErrorCondition":"Busy""#),
                (r#""Result":"Success""#, r#""Result":"Success","ErrorCondition":"""#),
                ("oLkO001.PSP", "oLkO002.PSP"),
                ("10.5", "10.50"),
                ("EUR", "USD"),
            ],
            &[
                ("a=b", "a=c"),
                ("2026-03-02T08:00:00Z", "2026-03-02T08:00:01Z"),
                ("V400m-1", "V400m\\u002d1"),
                ("Till1", "\\u0054ill\\u0031"),
                ("Success", "Succes\\u0073"),
                (r#""MessageClass":"Service","#, ""),
            ],
        );
    }

    #[test]
    fn long_escaped_texts_are_read_to_their_end() {
        let long = |last: &str| RESPONSE.replacen("Till1", &format!("{}{last}", "\\u0041".repeat(1_000)), 1);
        let plain = RESPONSE.replacen("Till1", &format!("{}b", "A".repeat(1_000)), 1);
        assert_eq!(key_of(&long("b")), key_of(&plain));
        assert_ne!(key_of(&long("c")).0, key_of(&plain).0);
    }

    #[test]
    fn events() {
        check(
            r#"{"SaleToPOIRequest":{"EventNotification":{"EventToNotify":"Shutdown","EventDetails":"x=y",
            "TimeStamp":"2026-03-02T08:00:01.000Z"},"MessageHeader":{"MessageClass":"Event","MessageCategory":"Event",
            "SaleID":"Till1","DeviceID":"9001","POIID":"V400m-346403161"}}}"#,
            &[
                ("V400m-346403161", "V400m-346403162"),
                ("9001", "9002"),
                ("Shutdown", "Initialised"),
                ("08:00:01", "08:00:02"),
                (r#""DeviceID":"9001","#, ""),
            ],
            &[],
            &[("Till1", "Till2"), ("x=y", "x=z"), ("Shutdown", "Sh\\u0075tdown")],
        );
    }

    #[test]
    fn rejects_that_name_nothing_are_their_bytes() {
        let reject = |device: &str| {
            format!(
                r#"{{"SaleToPOIRequest":{{"EventNotification":{{"EventToNotify":"Reject","RejectedMessage":"AAAA"}},
                "MessageHeader":{{"POIID":"N/A","SaleID":"N/A"{device}}}}}}}"#
            )
        };
        for device in ["", r#","DeviceID":"N/A""#, r#","DeviceID":"""#, r#","DeviceID":"N\/A""#] {
            let body = reject(device);
            check(&body, &[("AAAA", "BBBB"), ("\"Reject\",", "\"Reject\" ,")], &[], &[]);
            assert_eq!(key_of(&body).1, 0);
        }
        check(&reject(r#","DeviceID":"5""#), &[], &[], &[("AAAA", "BBBB")]);
    }

    #[test]
    fn displays() {
        check(
            r#"{"SaleToPOIRequest":{"DisplayRequest":{"DisplayOutput":[{"Device":"CashierDisplay","InfoQualify":"Status",
            "OutputContent":{"OutputFormat":"MessageRef","PredefinedContent":{"ReferenceID":
            "TransactionID=oLkO001&TimeStamp=1&event=TENDER_CREATED"}}}]},"MessageHeader":{"MessageCategory":"Display",
            "SaleID":"Till1","ServiceID":"S1","DeviceID":"D1","POIID":"V400m-1"}}}"#,
            &[
                ("V400m-1", "V400m-2"),
                ("\"S1\"", "\"S2\""),
                ("\"D1\"", "\"D2\""),
                ("TENDER_CREATED", "CARD_INSERTED"),
                (r#""ServiceID":"S1","#, ""),
                (r#""DeviceID":"D1","#, ""),
            ],
            &[],
            &[("Till1", "Till2"), ("InfoQualify", "InfoQualifie")],
        );
    }

    #[test]
    fn other_requests_are_not_their_responses() {
        let header = r#""MessageHeader":{"MessageCategory":"Payment","SaleID":"a","ServiceID":"1","POIID":"p"}"#;
        let request = format!(r#"{{"SaleToPOIRequest":{{"PaymentRequest":{{}},{header}}}}}"#);
        let response = format!(r#"{{"SaleToPOIResponse":{{"PaymentResponse":{{}},{header}}}}}"#);
        check(
            &request,
            &[("\"p\"", "\"q\""), ("\"1\"", "\"2\""), ("Payment\"", "Input\"")],
            &[],
            &[(":{}", ":{\"x\":1}")],
        );
        assert_ne!(key_of(&request).0, key_of(&response).0);
    }

    #[test]
    fn what_stays_closed_and_what_has_no_key_of_its_own_are_their_bytes() {
        let secured = r#"{"SaleToPOIResponse":{"MessageHeader":{"ServiceID":"1","POIID":"p"},"NexoBlob":"AAAA"}}"#;
        let management = r#"{"type":"terminalSettings.modified","data":{"id":"1"}}"#;
        for (body, window) in [(secured, Window::Terminal), (management, Window::Webhook)] {
            let (key, digest) = key_of(body);
            assert_eq!((key.window, digest), (window, 0), "{body}");
        }
        check(secured, &[("AAAA", "AAAB"), ("\"1\"", "\"2\"")], &[], &[]);
        check(management, &[("\"1\"", "\"2\""), (",\"data\"", ", \"data\"")], &[], &[]);
        for body in ["", "ok", "[accepted]", "{", "{}", "{\"errors\":[]}"] {
            assert!(keys_at(body, "default", 7).is_empty(), "{body}");
        }
    }

    const ITEM: &str = r#"{"NotificationRequestItem":{"eventCode":"AUTHORISATION","merchantAccountCode":"Shop",
        "pspReference":"PSP1","success":"true","reason":"r","amount":{"currency":"EUR","value":1}}}"#;

    #[test]
    fn items_of_webhooks() {
        check(
            &format!(r#"{{"live":"false","notificationItems":[{ITEM}]}}"#),
            &[
                ("AUTHORISATION", "CAPTURE"),
                ("Shop", "Shop2"),
                ("PSP1", "PSP2"),
                ("\"true\"", "\"false\""),
                (r#""success":"true","#, ""),
                (r#""merchantAccountCode":"Shop","#, ""),
            ],
            &[
                ("\"r\"", "\"s\""),
                ("\"value\":1", "\"value\":2"),
                ("\"reason\"", "\"other\""),
                // The text is the same, and so is the key; as it arrived it is another.
                ("PSP1", "PSP\\u0031"),
                ("\"true\"", "true"),
            ],
            &[("\"live\":\"false\"", "\"live\":\"true\""), ("[{", "[ {"), ("]", "\n]")],
        );
    }

    #[test]
    fn an_item_is_the_same_in_any_company() {
        let other = ITEM.replace("PSP1", "PSP2");
        let body = |items: &[&str]| format!(r#"{{"notificationItems":[{}]}}"#, items.join(" ,\n "));
        let alone = key_of(&body(&[ITEM]));
        let both = keys_at(&body(&[&other, ITEM, ITEM]), "default", 7);
        assert_eq!(both[1..], [alone, alone]);
        assert_eq!(both[0], key_of(&body(&[&other])));
        assert_ne!(both[0].0, alone.0);
    }

    #[test]
    fn forms() {
        check(
            "live=false&eventCode=AUTHORISATION&merchantAccountCode=Shop&pspReference=PSP1&success=true&reason=r",
            &[("AUTHORISATION", "CAPTURE"), ("Shop", "Shop%20"), ("PSP1", "PSP2"), ("=true", "=false")],
            &[("=r", "=s"), ("Shop", "%53hop")],
            &[],
        );
        // A form and a JSON body of the same event are one key.
        let form = key_of("eventCode=AUTHORISATION&merchantAccountCode=Shop&pspReference=PSP1&success=true");
        assert_eq!(form.0, key_of(&format!(r#"{{"notificationItems":[{ITEM}]}}"#)).0);
    }

    #[test]
    fn bodies_of_the_tests_have_the_keys_that_their_kinds_say() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/messages/");
        let mut counts = std::collections::BTreeMap::new();
        for kind in ["event", "display", "request", "response", "secured", "webhook"] {
            for file in std::fs::read_dir(format!("{folder}{kind}")).unwrap() {
                let body = std::fs::read(file.unwrap().path()).unwrap();
                let Ok(body) = String::from_utf8(body) else { continue };
                let fields = classify(body.as_bytes(), &Limits::MAX).fields;
                if fields.kind == Kind::StandardWebhook {
                    continue;
                }
                let found = keys_at(&body, "default", 7);
                assert_eq!(found.len(), usize::from(Kind::ROUTED.contains(&fields.kind)), "{body}");
                let Some((_, digest)) = found.first() else { continue };
                *counts.entry((fields.kind, *digest == 0)).or_insert(0) += 1;
            }
        }
        let all = [(Kind::Secured, true), (Kind::ManagementWebhook, true)];
        assert!(all.iter().all(|sort| counts.contains_key(sort) && !counts.contains_key(&(sort.0, false))));
        let by_fields = [Kind::Event, Kind::Display, Kind::Request, Kind::Response];
        assert!(
            by_fields.iter().all(|kind| counts.get(&(*kind, false)).is_some_and(|count| *count > 20)),
            "{counts:?}"
        );
    }
}
