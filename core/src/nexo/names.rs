//! Names of members, compared after unescaping.

use super::{Flags, MessageCategory, Vocabulary};
use crate::json::{Cursor, Name};
use crate::span::Encoding;
use crate::text::Text;

/// Every name that nexowire looks for, but the names of bodies.
const NAMES: &[&str] = &[
    "AdditionalResponse",
    "AmountsReq",
    "AmountsResp",
    "AuthorizedAmount",
    "ConfirmedFlag",
    "Currency",
    "Device",
    "DeviceID",
    "DigitInput",
    "DisplayOutput",
    "ErrorCondition",
    "EventDetails",
    "EventToNotify",
    "FunctionKey",
    "Input",
    "InputResult",
    "MaintenanceRequiredFlag",
    "MenuEntryNumber",
    "MessageCategory",
    "MessageClass",
    "MessageHeader",
    "MessageType",
    "NexoBlob",
    "NotificationRequestItem",
    "OutputContent",
    "OutputResult",
    "POIData",
    "POIID",
    "POITransactionID",
    "Password",
    "PaymentResult",
    "PaymentTransaction",
    "PredefinedContent",
    "ProtocolVersion",
    "ReferenceID",
    "RejectedMessage",
    "RepeatedMessageResponse",
    "RepeatedResponseMessageBody",
    "RequestedAmount",
    "Response",
    "Result",
    "ReversedAmount",
    "SaleData",
    "SaleID",
    "SaleToPOIRequest",
    "SaleToPOIResponse",
    "SaleTransactionID",
    "SecurityTrailer",
    "ServiceID",
    "TextInput",
    "TimeStamp",
    "TransactionID",
    "additionalData",
    "amount",
    "currency",
    "data",
    "errorCode",
    "errors",
    "eventCode",
    "eventDate",
    "hmacSignature",
    "live",
    "merchantAccountCode",
    "merchantReference",
    "message",
    "notificationItems",
    "originalReference",
    "pspReference",
    "reason",
    "success",
    "tenderReference",
    "terminalId",
    "type",
    "value",
];

/// Whether nexowire looks for this name somewhere; names of bodies are not asked for here.
pub(crate) fn is_looked_for(name: &[u8]) -> bool {
    NAMES.binary_search_by(|known| known.as_bytes().cmp(name)).is_ok()
}

/// Longer than any name that nexowire looks for.
const NAME_LENGTH_MAX: usize = 64;

/// The name without its escapes, if it is one that nexowire looks for; else something that equals none of them.
#[inline(always)]
pub(crate) fn canonical<'a>(name: Name<'a>) -> &'a [u8] {
    if name.span.encoding() == Encoding::Plain { name.raw } else { canonical_escaped(name) }
}

#[cold]
fn canonical_escaped<'a>(name: Name<'a>) -> &'a [u8] {
    let mut scratch = [0; NAME_LENGTH_MAX];
    let decoded = decoded(name, &mut scratch);
    // An escaped name as it stands equals none, for the backslash in it.
    NAMES.iter().map(|known| known.as_bytes()).find(|known| *known == decoded).unwrap_or(name.raw)
}

fn decoded<'b>(name: Name<'b>, scratch: &'b mut [u8; NAME_LENGTH_MAX]) -> &'b [u8] {
    Text::new(name.raw, Encoding::Json).decode_into(scratch)
}

/// What a body's name says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyName {
    pub(crate) category: MessageCategory,
    pub(crate) ending: Ending,
}

/// How a body's name ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Request,
    Response,
    Notification,
    /// `InputUpdate`, which fits any MessageType.
    Update,
}

impl BodyName {
    pub(crate) const EVENT: Self = Self { category: MessageCategory::Event, ending: Ending::Notification };
    pub(crate) const DISPLAY: Self = Self { category: MessageCategory::Display, ending: Ending::Request };
    pub(crate) const STATUS: Self = Self { category: MessageCategory::TransactionStatus, ending: Ending::Response };

    /// Reads `EventNotification`, `InputUpdate`, `<Category>Request` or `<Category>Response`.
    #[inline]
    pub(crate) fn of(name: Name<'_>) -> Option<Self> {
        if name.span.encoding() == Encoding::Plain {
            return Self::parse(name.raw);
        }
        Self::parse(decoded(name, &mut [0; NAME_LENGTH_MAX]))
    }

    #[inline]
    fn parse(name: &[u8]) -> Option<Self> {
        let (category, ending) = match name {
            b"EventNotification" => (Some(MessageCategory::Event), Ending::Notification),
            b"InputUpdate" => (Some(MessageCategory::InputUpdate), Ending::Update),
            _ => match (name.strip_suffix(b"Request"), name.strip_suffix(b"Response")) {
                (Some(category), _) => (MessageCategory::from_word(category), Ending::Request),
                (_, Some(category)) => (MessageCategory::from_word(category), Ending::Response),
                _ => return None,
            },
        };
        Some(Self { category: category?, ending })
    }

    /// The name that has this [`BodyName::bit`].
    #[cfg(test)]
    pub(crate) fn from_bit(bit: u8) -> Option<Self> {
        let (id, ending) = match bit {
            62 => return Some(Self::EVENT),
            63 => (MessageCategory::InputUpdate.id(), Ending::Update),
            30.. => (bit - 29, Ending::Response),
            _ => (bit, Ending::Request),
        };
        Some(Self { category: MessageCategory::from_id(id)?, ending })
    }

    /// A number below 64 of its own, to remember which names have been seen; never 0.
    pub(crate) fn bit(self) -> u32 {
        match self.ending {
            Ending::Request => u32::from(self.category.id()),
            Ending::Response => u32::from(self.category.id()) + 29,
            Ending::Notification => 62,
            Ending::Update => 63,
        }
    }
}

// Requests have the bits 1 to 28, responses 30 to 57.
const _: () = assert!(MessageCategory::ALL.len() == 28);

/// How many members of the object at `start` have this name, up to the one whose value begins at `end`; all of them if
/// none does.
///
/// For names that nobody expects, whose repetition cannot be noted on the way. What is wrong behind `end` is found by
/// the walk that goes on there.
#[cold]
pub(crate) fn namesakes(text: &[u8], start: usize, name: Name<'_>, end: usize) -> u32 {
    let (mut count, mut passed) = (0, false);
    let walked = Cursor::over_valid_from(text, start).object(|cursor, other| {
        count += u32::from(!passed && same(name, other));
        passed |= cursor.position() == end;
        cursor.skip().map(drop)
    });
    debug_assert!(walked.is_ok() || passed);
    count
}

/// Whether two names are the same, escapes resolved.
fn same(a: Name<'_>, b: Name<'_>) -> bool {
    let [a_text, b_text] = [a, b].map(|name| Text::new(name.raw, name.span.encoding()));
    a.raw == b.raw || a_text.bytes().eq(b_text.bytes())
}

/// Which of the looked-for names an object has had.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen(u64);

impl Seen {
    /// Whether this is the first member of the number `bit`; if not, the message is ambiguous.
    #[inline(always)]
    pub(crate) fn first(&mut self, bit: u32, flags: &mut Flags) -> bool {
        let first = self.0 >> bit & 1 == 0;
        self.0 |= 1 << bit;
        if !first {
            flags.insert(Flags::REPEATED_MEMBER);
        }
        first
    }

    /// The same for a name that does not count in every message: answers whether it came twice, and flags nothing.
    #[inline(always)]
    pub(crate) fn again(&mut self, bit: u32) -> bool {
        let again = self.0 >> bit & 1 == 1;
        self.0 |= 1 << bit;
        again
    }

    /// Whether any member has been seen.
    pub(crate) fn any(self) -> bool {
        self.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_body_name_has_a_bit_of_its_own() {
        let mut bits = BTreeSet::new();
        let composed = MessageCategory::ALL
            .iter()
            .flat_map(|category| ["Request", "Response"].map(|ending| format!("{}{ending}", category.word())));
        for name in composed.chain(["EventNotification".to_owned(), "InputUpdate".to_owned()]) {
            let body_name = BodyName::parse(name.as_bytes()).unwrap_or_else(|| panic!("{name}"));
            assert!((1..64).contains(&body_name.bit()) && bits.insert(body_name.bit()), "{name}");
            assert_eq!(BodyName::from_bit(body_name.bit() as u8), Some(body_name));
        }
        assert_eq!(bits.len(), 58);
        assert_eq!(BodyName::from_bit(0), None);
        for name in ["", "Request", "Payment", "PaymentRequestX", "paymentRequest", "EventNotifications"] {
            assert_eq!(BodyName::parse(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn names_are_sorted_and_short_enough() {
        assert!(NAMES.is_sorted());
        assert!(NAMES.iter().all(|name| name.len() < NAME_LENGTH_MAX));
    }
}
