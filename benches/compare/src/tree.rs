//! The walk over a parsed tree, the same for every parser that makes one.

use serde_json::Value;
use simd_json::prelude::ValueAsScalar;
use simd_json::tape;

use crate::typed::Reference;

/// A value of a tree.
pub(crate) trait Tree: Copy {
    /// Calls `each` for the members of an object.
    fn members(self, each: impl FnMut(&str, Self));
    /// Calls `each` for the items of an array.
    fn items(self, each: impl FnMut(Self));
    /// The text of a string.
    fn text(&self) -> Option<&str>;
}

impl Tree for &Value {
    #[inline]
    fn members(self, mut each: impl FnMut(&str, Self)) {
        self.as_object().into_iter().flatten().for_each(|(name, value)| each(name, value));
    }

    #[inline]
    fn items(self, each: impl FnMut(Self)) {
        self.as_array().into_iter().flatten().for_each(each);
    }

    #[inline]
    fn text(&self) -> Option<&str> {
        self.as_str()
    }
}

impl Tree for tape::Value<'_, '_> {
    #[inline]
    fn members(self, mut each: impl FnMut(&str, Self)) {
        if let Some(object) = self.as_object() {
            object.iter().for_each(|(name, value)| each(name, value));
        }
    }

    #[inline]
    fn items(self, each: impl FnMut(Self)) {
        if let Some(array) = self.as_array() {
            array.iter().for_each(each);
        }
    }

    #[inline]
    fn text(&self) -> Option<&str> {
        self.as_str()
    }
}

/// The sum of the lengths of all fields of a message.
#[inline]
pub(crate) fn sum(root: impl Tree) -> u64 {
    let mut sum = 0;
    root.members(|name, value| {
        if matches!(name, "SaleToPOIRequest" | "SaleToPOIResponse") {
            sum += envelope(value);
        }
    });
    sum
}

#[inline]
fn envelope<T: Tree>(members: T) -> u64 {
    let (mut sum, mut reference) = (0, Reference::default());
    members.members(|name, value| match name {
        "MessageHeader" => sum += texts(value, is_header_field),
        "EventNotification" => {
            sum += texts(value, |name| matches!(name, "EventToNotify" | "EventDetails" | "TimeStamp"));
        }
        "DisplayRequest" => within(value, "DisplayOutput", |outputs| {
            outputs.items(|output| {
                within(output, "OutputContent", |content| {
                    within(content, "PredefinedContent", |content| {
                        within(content, "ReferenceID", |text| {
                            text.text().into_iter().for_each(|text| reference.offer(text))
                        });
                    });
                });
            });
        }),
        _ if name.ends_with("Response") => sum += response(value),
        _ => {}
    });
    sum + reference.length()
}

#[inline]
fn response<T: Tree>(body: T) -> u64 {
    let mut sum = 0;
    body.members(|name, value| match name {
        "Response" => {
            sum += texts(value, |name| matches!(name, "Result" | "ErrorCondition" | "AdditionalResponse"));
        }
        "POIData" => within(value, "POITransactionID", |id| sum += texts(id, |name| name == "TransactionID")),
        _ => {}
    });
    sum
}

#[inline]
fn within<T: Tree>(object: T, wanted: &str, mut each: impl FnMut(T)) {
    object.members(|name, value| {
        if name == wanted {
            each(value);
        }
    });
}

#[inline]
fn texts<T: Tree>(object: T, wanted: impl Fn(&str) -> bool) -> u64 {
    let mut sum = 0;
    object.members(|name, value| {
        if wanted(name) {
            sum += value.text().map_or(0, str::len) as u64;
        }
    });
    sum
}

#[inline]
fn is_header_field(name: &str) -> bool {
    matches!(
        name,
        "MessageClass"
            | "MessageCategory"
            | "MessageType"
            | "ProtocolVersion"
            | "POIID"
            | "SaleID"
            | "ServiceID"
            | "DeviceID"
    )
}
