//! What a parse leaves behind: a fixed number of spans, and a few small numbers.

use super::{Envelope, Flags, Kind};
use crate::span::{RawSpan, Span};

/// Declares the fields of one family and their slots.
macro_rules! fields {
    ($(#[$about:meta])* $name:ident { $($slot:literal $variant:ident $path:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name {
            $(#[doc = concat!("`", $path, "`")] $variant = $slot,)+
        }

        impl $name {
            /// Every field, by slot.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
        }
    };
}

fields! {
    /// The fields of a message in an envelope.
    Field {
        0 MessageClass "MessageHeader.MessageClass", 1 MessageCategory "MessageHeader.MessageCategory",
        2 MessageType "MessageHeader.MessageType", 3 ProtocolVersion "MessageHeader.ProtocolVersion",
        4 PoiId "MessageHeader.POIID", 5 SaleId "MessageHeader.SaleID", 6 ServiceId "MessageHeader.ServiceID",
        7 DeviceId "MessageHeader.DeviceID", 8 BodyMember "the name of the body", 9 Body "the first byte of the body",
        10 EventToNotify "EventNotification.EventToNotify", 11 EventDetails "EventNotification.EventDetails",
        12 EventTimeStamp "EventNotification.TimeStamp", 13 RejectedMessage "EventNotification.RejectedMessage",
        14 MaintenanceRequiredFlag "EventNotification.MaintenanceRequiredFlag",
        15 ReferenceId "DisplayOutput[].OutputContent.PredefinedContent.ReferenceID", 16 Result "Response.Result",
        17 ErrorCondition "Response.ErrorCondition", 18 AdditionalResponse "Response.AdditionalResponse",
        19 PoiTransactionId "POIData.POITransactionID.TransactionID",
        20 PoiTimeStamp "POIData.POITransactionID.TimeStamp",
        21 SaleTransactionId "SaleData.SaleTransactionID.TransactionID",
        22 Amount "AuthorizedAmount, ReversedAmount or RequestedAmount", 23 Currency "the amount's Currency",
        24 RepeatedCategory "RepeatedMessageResponse.MessageHeader.MessageCategory",
        25 RepeatedResult "the repeated message's Result",
        26 RepeatedErrorCondition "the repeated message's ErrorCondition",
        27 RepeatedAdditionalResponse "the repeated message's AdditionalResponse",
        28 NexoBlob "NexoBlob", 29 Input "the first byte of InputResult.Input",
    }
}

fields! {
    /// The fields of one item of a standard webhook, and the body's `live`.
    WebhookField {
        0 EventCode "eventCode", 1 Success "success", 2 PspReference "pspReference",
        3 OriginalReference "originalReference", 4 MerchantAccountCode "merchantAccountCode",
        5 MerchantReference "merchantReference", 6 EventDate "eventDate", 7 Reason "reason", 8 Value "amount.value",
        9 Currency "amount.currency", 10 HmacSignature "additionalData.hmacSignature",
        11 TenderReference "additionalData.tenderReference", 12 TerminalId "additionalData.terminalId",
        13 Live "live", 14 Items "the first byte of notificationItems",
    }
}

/// Slots that every message has: those of the fields, and one more.
const SLOTS: usize = Field::ALL.len() + 1;

/// The slot of what is not a field: whatever is written there, nobody reads.
const NO_FIELD: usize = Field::ALL.len();

/// Slots that belong to an item; those behind them belong to the body of a webhook.
const ITEM_SLOTS: usize = 13;

/// A slot that no field of a webhook has.
const ITEM_SPAN: usize = WebhookField::ALL.len();

/// Spans of one item, by [`WebhookField`].
pub(crate) type ItemSpans = [Option<Span>; ITEM_SLOTS];

/// The ids of the words of a message; 0 where the word is unknown or absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WordIds {
    /// Of [`super::MessageClass`].
    pub class: u8,
    /// Of [`super::MessageCategory`].
    pub category: u8,
    /// Of [`super::MessageType`].
    pub message_type: u8,
    /// Of [`super::EventToNotify`].
    pub event: u8,
    /// Of [`super::ResultWord`].
    pub result: u8,
    /// Of [`super::ErrorCondition`].
    pub error_condition: u8,
    /// Of [`super::DisplayEvent`].
    pub display_event: u8,
}

/// The fields whose text is a word with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordField {
    Class,
    Category,
    MessageType,
    Event,
    Result,
    ErrorCondition,
}

impl WordField {
    /// The word of a field, if it is one.
    pub(crate) fn of(field: Field) -> Option<Self> {
        let words = [Self::Class, Self::Category, Self::MessageType, Self::Event, Self::Result, Self::ErrorCondition];
        words.into_iter().find(|word| word.field() == field)
    }

    pub(crate) fn field(self) -> Field {
        match self {
            Self::Class => Field::MessageClass,
            Self::Category => Field::MessageCategory,
            Self::MessageType => Field::MessageType,
            Self::Event => Field::EventToNotify,
            Self::Result => Field::Result,
            Self::ErrorCondition => Field::ErrorCondition,
        }
    }

    pub(crate) fn get(self, words: &WordIds) -> u8 {
        match self {
            Self::Class => words.class,
            Self::Category => words.category,
            Self::MessageType => words.message_type,
            Self::Event => words.event,
            Self::Result => words.result,
            Self::ErrorCondition => words.error_condition,
        }
    }
}

/// What is known of a body: its kind, its flags, its words and where its fields are.
///
/// It owns no text and refers to none: it goes with the bytes that it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// What the body is.
    pub kind: Kind,
    /// The root member that holds it.
    pub envelope: Envelope,
    /// What is odd about it.
    pub flags: Flags,
    /// The ids of its words.
    pub words: WordIds,
    /// Items of a standard webhook.
    pub items: u32,
    /// The whole body has been validated as JSON.
    pub(crate) is_json: bool,
    /// By [`WebhookField`] in a standard webhook, by [`Field`] in everything else.
    spans: [RawSpan; SLOTS],
}

impl Fields {
    /// A body of this kind in which nothing has been found.
    pub(crate) const fn of_kind(kind: Kind) -> Self {
        let words = WordIds {
            class: 0,
            category: 0,
            message_type: 0,
            event: 0,
            display_event: 0,
            result: 0,
            error_condition: 0,
        };
        Self {
            kind,
            envelope: Envelope::Other,
            flags: Flags::NONE,
            words,
            items: 0,
            is_json: false,
            spans: [RawSpan::NONE; SLOTS],
        }
    }

    /// A body that is JSON, of this kind, in which nothing has been found.
    #[inline]
    pub(crate) const fn of_json(kind: Kind) -> Self {
        Self { is_json: true, ..Self::of_kind(kind) }
    }

    /// Where the field is; `None` if the message has no such text, and in a standard webhook.
    #[inline]
    pub fn get(&self, field: Field) -> Option<Span> {
        if self.kind == Kind::StandardWebhook { None } else { self.spans[field as usize].get() }
    }

    /// Where the item's field is; `None` if it has no such text, and in everything but a standard webhook.
    #[inline]
    pub fn get_webhook(&self, field: WebhookField) -> Option<Span> {
        if self.kind == Kind::StandardWebhook { self.spans[field as usize].get() } else { None }
    }

    /// Whether the body is JSON; a form, an acknowledgement that is plain text and a malformed body are not.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    #[inline]
    pub(crate) fn set(&mut self, field: Field, span: Option<Span>) {
        debug_assert_ne!(self.kind, Kind::StandardWebhook);
        self.spans[field as usize] = RawSpan::of(span);
    }

    /// The same of any text, also of one that is no field, until [`Fields::forget_others`]: without a branch, as `None`
    /// stands for a slot like the others.
    #[inline(always)]
    pub(crate) fn set_any(&mut self, field: Option<Field>, span: RawSpan) {
        self.spans[field.map_or(NO_FIELD, |field| field as usize)] = span;
    }

    /// Clears what was noted of what is not a field, so that equal messages have equal fields.
    #[inline(always)]
    pub(crate) fn forget_others(&mut self) {
        self.spans[NO_FIELD] = RawSpan::NONE;
    }

    #[inline]
    pub(crate) fn set_webhook(&mut self, field: WebhookField, span: Option<Span>) {
        debug_assert_eq!(self.kind, Kind::StandardWebhook);
        self.spans[field as usize] = RawSpan::of(span);
    }

    /// Takes on the fields of an item; those of the body stay.
    pub(crate) fn set_item(&mut self, item: &ItemSpans) {
        for (kept, span) in self.spans.iter_mut().zip(item) {
            *kept = RawSpan::of(*span);
        }
    }

    /// Where the item as a whole is, if it is one of a JSON body and has been walked to by itself.
    pub(crate) fn item_span(&self) -> Option<Span> {
        if self.kind == Kind::StandardWebhook { self.spans[ITEM_SPAN].get() } else { None }
    }

    pub(crate) fn set_item_span(&mut self, span: Option<Span>) {
        debug_assert_eq!(self.kind, Kind::StandardWebhook);
        self.spans[ITEM_SPAN] = RawSpan::of(span);
    }
}

const _: () = assert!(ITEM_SPAN < SLOTS && WebhookField::Live as usize == ITEM_SLOTS);
