//! Text fields, and the three formats that hide in AdditionalResponse.

use super::json::{self, Limits, Value};
use super::{base64, pairs};
use serde_json::{Value as Json, json};

/// A string is unescaped; a number counts as its literal text; anything else is absent.
pub fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text) | Value::Number(text)) => Some(text.clone()),
        _ => None,
    }
}

/// A text field that may be a boolean too.
pub fn word_or_boolean(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::Bool(value)) => Some(value.to_string()),
        other => text(other),
    }
}

/// The pairs of a text, as a line shows them.
pub fn pair_list(text: &str) -> Json {
    let pairs = pairs::pairs(text.as_bytes());
    pairs.iter().map(|(name, value)| json!([pairs::text_view(name), pairs::text_view(value)])).collect()
}

/// Which format an AdditionalResponse has, and its pairs.
pub fn additional(raw: &str, limits: &Limits) -> (&'static str, Json) {
    if raw.is_empty() {
        return ("empty", json!([]));
    }
    let decoded = base64::forgiving_decode(raw.as_bytes()).and_then(|bytes| json::parse(&bytes, limits).ok());
    match decoded {
        Some(Value::Object(members)) => ("base64json", Json::Array(scalars(&members))),
        _ if raw.contains('=') => ("kvp", pair_list(raw)),
        _ => ("text", json!([])),
    }
}

/// The scalar members in order, additionalData's standing in its place; null and nested values left out.
fn scalars(members: &[(String, Value)]) -> Vec<Json> {
    let mut list = Vec::new();
    for (name, value) in members {
        let stand_in = match value {
            Value::Object(inner) if name == "additionalData" => inner.iter().collect(),
            _ => vec![],
        };
        let own = std::iter::once((name, value));
        for (name, value) in own.chain(stand_in.into_iter().map(|(name, value)| (name, value))) {
            if let Some(text) = word_or_boolean(Some(value)) {
                list.push(json!([name, text]));
            }
        }
    }
    list
}
