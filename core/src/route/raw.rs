//! The members of a configuration as they are written: one set of types for TOML and JSON. Nothing is checked here
//! beyond types and names. Source: `configuration.md`.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawConfiguration {
    pub(super) default_queue: Option<String>,
    pub(super) shapes: Option<bool>,
    pub(super) clock: Option<String>,
    pub(super) limits: Table<RawLimits>,
    pub(super) delivery: Table<RawDelivery>,
    pub(super) dedupe: Table<RawDedupe>,
    pub(super) store: Option<Table<RawStore>>,
    pub(super) queue: Vec<Table<RawQueue>>,
    pub(super) rule: Vec<Table<RawRule>>,
    pub(super) endpoint: Pairs<Table<RawEndpoint>>,
    pub(super) summary: Pairs<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) body: Option<u64>,
    pub(super) depth: Option<u64>,
    pub(super) members: Option<u64>,
    pub(super) routes: Option<u64>,
    pub(super) queues: Option<u64>,
    pub(super) lanes: Option<u64>,
    pub(super) capacity: Option<u64>,
    pub(super) batch: Option<u64>,
    pub(super) items: Option<u64>,
    pub(super) pending: Option<u64>,
    pub(super) pending_bytes: Option<u64>,
    pub(super) expectations: Option<u64>,
    pub(super) endpoints: Option<u64>,
    pub(super) board: Option<u64>,
    pub(super) quarantine_bytes: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawDelivery {
    pub(super) answer_within: Option<String>,
    pub(super) ack_wait: Option<String>,
    pub(super) max_attempts: Option<u64>,
    pub(super) retry: Option<String>,
    pub(super) retry_max: Option<String>,
    pub(super) response_deadline: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawDedupe {
    pub(super) terminal: Option<String>,
    pub(super) webhook: Option<String>,
    pub(super) keys_max: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) path: Option<String>,
    pub(super) retention: Option<String>,
    pub(super) dead_letter_retention: Option<String>,
    pub(super) max_bytes: Option<u64>,
    pub(super) cache_bytes: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawQueue {
    pub(super) name: Option<String>,
    pub(super) lanes: Option<u64>,
    pub(super) capacity: Option<u64>,
    pub(super) when_full: Option<String>,
    pub(super) dead_letter: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) name: Option<String>,
    pub(super) queue: Option<Words>,
    #[serde(rename = "continue")]
    pub(super) goes_on: Option<bool>,
    pub(super) kind: Option<Words>,
    pub(super) endpoint: Option<Words>,
    pub(super) envelope: Option<Words>,
    pub(super) class: Option<Words>,
    pub(super) category: Option<Words>,
    #[serde(rename = "type")]
    pub(super) message_type: Option<Words>,
    pub(super) event: Option<Words>,
    pub(super) display_event: Option<Words>,
    pub(super) result: Option<Words>,
    pub(super) error_condition: Option<Words>,
    pub(super) event_code: Option<Words>,
    pub(super) success: Option<Bools>,
    pub(super) merchant_account: Option<Words>,
    pub(super) live: Option<Bools>,
    pub(super) poiid: Option<Words>,
    pub(super) sale_id: Option<Words>,
    pub(super) poiid_file: Option<Words>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawEndpoint {
    pub(super) require_encryption: Option<bool>,
    pub(super) third_party: Option<bool>,
    pub(super) basic: Vec<Table<RawBasic>>,
    pub(super) api_keys: Vec<Secret>,
    pub(super) hmac_keys: Vec<Secret>,
    pub(super) nexo_keys: Vec<Table<RawNexoKey>>,
    pub(super) merchant_accounts: Vec<String>,
    pub(super) sale_ids: Vec<String>,
    pub(super) poiids: Vec<String>,
}

/// Read for its form only: nobody checks passwords yet, so none is kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct RawBasic {
    user: Secret,
    password: Secret,
}

/// Read for its form only: nobody decrypts yet, so no passphrase is kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct RawNexoKey {
    identifier: String,
    version: u32,
    passphrase: Secret,
}

/// Text, `{ env = "NAME" }` or `{ file = "PATH" }`. Nothing uses secrets yet, so the value is forgotten at once.
pub(super) struct Secret;

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, { env = \"NAME\" } or { file = \"PATH\" }")
            }

            fn visit_str<E: Error>(self, _text: &str) -> Result<Secret, E> {
                Ok(Secret)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
                let source = Source::deserialize(MapAccessDeserializer::new(map))?;
                match (source.env, source.file) {
                    (Some(_), None) | (None, Some(_)) => Ok(Secret),
                    _ => Err(A::Error::custom("a secret is text, { env = \"NAME\" } or { file = \"PATH\" }")),
                }
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

/// Where a secret is to be read from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    env: Option<String>,
    file: Option<String>,
}

/// A struct that is written as a table only. Serde's derived types would take a JSON list as well, its elements in the
/// order of the fields, which is no configuration.
#[derive(Default)]
pub(super) struct Table<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Visit<T> {
            type Value = Table<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of members")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Table)
            }
        }
        deserializer.deserialize_map(Visit(PhantomData))
    }
}

/// A table whose names are free, with repetitions: a map would silently keep the last of two in JSON.
#[derive(Default)]
pub(super) struct Pairs<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Visit<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of members")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visit(PhantomData))
    }
}

/// Declares a list that may also be written as its only element. Not an untagged enum: those read through a buffer, in
/// which errors lose their place, and numbers their type if serde_json has `arbitrary_precision`.
macro_rules! value_or_list {
    ($(#[$about:meta])* $name:ident, $element:ty, $expected:literal, $visit:ident($value:ty)) => {
        $(#[$about])*
        pub(super) struct $name(pub(super) Vec<$element>);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visit;
                impl<'de> Visitor<'de> for Visit {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn $visit<E: Error>(self, value: $value) -> Result<$name, E> {
                        Ok($name(vec![value.into()]))
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<$name, A::Error> {
                        let mut all = Vec::new();
                        while let Some(element) = list.next_element()? {
                            all.push(element);
                        }
                        Ok($name(all))
                    }
                }
                deserializer.deserialize_any(Visit)
            }
        }
    };
}

value_or_list! {
    /// A word or a list of words.
    Words, String, "text or a list of texts", visit_str(&str)
}

value_or_list! {
    /// `true`, `false` or a list of these.
    Bools, bool, "true, false or a list of these", visit_bool(bool)
}
