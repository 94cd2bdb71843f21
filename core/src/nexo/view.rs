//! The fields of a message, read from its bytes when somebody asks.

use std::borrow::Cow;
use std::fmt;

use super::{
    ErrorCondition, Field, Fields, MessageCategory, MessageClass, MessageType, ResultWord, Vocabulary, WebhookField,
};
use crate::additional::AdditionalResponse;
use crate::json;
use crate::text::Text;

/// A body and what is known of it; two references, copied freely.
///
/// ```
/// use nexowire_core::classify::classify;
/// use nexowire_core::limits::Limits;
/// use nexowire_core::nexo::{ErrorCondition, View};
///
/// let body = br#"{"SaleToPOIResponse":{"PaymentResponse":{"Response":{"Result":"Failure","ErrorCondition":"Busy",
///     "AdditionalResponse":"message=In%20use"}},"MessageHeader":{"POIID":"V400m-346403161"}}}"#;
/// let classified = classify(body, &Limits::default());
/// let view = View::new(body, &classified.fields);
/// assert_eq!(view.poi_id().unwrap().to_str(), "V400m-346403161");
/// assert_eq!(view.error_condition().unwrap().known(), Some(ErrorCondition::Busy));
/// assert_eq!(view.additional_response().unwrap().find("message").unwrap(), "In use");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) fields: &'a Fields,
}

/// A word of an open vocabulary: what it is, if that is known, and in any case its text.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a, V> {
    known: Option<V>,
    text: Text<'a>,
}

impl<'a, V: Vocabulary> Word<'a, V> {
    /// A word whose id was found before.
    pub(crate) fn new(id: u8, text: Text<'a>) -> Self {
        Self { known: V::from_id(id), text }
    }

    /// The word, if the vocabulary has it.
    pub fn known(self) -> Option<V> {
        self.known
    }

    /// The id of the word; 0 if the vocabulary does not have it.
    pub fn id(self) -> u8 {
        self.known.map_or(0, V::id)
    }

    /// The word as it came.
    pub fn text(self) -> Text<'a> {
        self.text
    }
}

impl<V: Vocabulary> fmt::Display for Word<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.to_str())
    }
}

impl<'a> View<'a> {
    /// Looks at `body` through the fields that a parse of it has found. Through those of another body every text can be
    /// wrong or missing, but nothing panics.
    pub fn new(body: &'a [u8], fields: &'a Fields) -> Self {
        Self { body, fields }
    }

    /// The bytes that the fields refer to.
    pub fn body(self) -> &'a [u8] {
        self.body
    }

    /// Kind, flags, ids and spans.
    pub fn fields(self) -> &'a Fields {
        self.fields
    }

    /// The text of a field of an envelope's message.
    #[inline]
    pub fn text(self, field: Field) -> Option<Text<'a>> {
        self.fields.get(field).map(|span| Text::at(self.body, span))
    }

    /// The text of a field of a webhook's item.
    #[inline]
    pub fn webhook_text(self, field: WebhookField) -> Option<Text<'a>> {
        self.fields.get_webhook(field).map(|span| Text::at(self.body, span))
    }

    pub(crate) fn word<V: Vocabulary>(self, field: Field, id: u8) -> Option<Word<'a, V>> {
        self.text(field).map(|text| Word::new(id, text))
    }

    /// `MessageHeader.MessageClass`
    pub fn message_class(self) -> Option<Word<'a, MessageClass>> {
        self.word(Field::MessageClass, self.fields.words.class)
    }

    /// `MessageHeader.MessageCategory`
    pub fn message_category(self) -> Option<Word<'a, MessageCategory>> {
        self.word(Field::MessageCategory, self.fields.words.category)
    }

    /// `MessageHeader.MessageType`
    pub fn message_type(self) -> Option<Word<'a, MessageType>> {
        self.word(Field::MessageType, self.fields.words.message_type)
    }

    /// `MessageHeader.ProtocolVersion`
    pub fn protocol_version(self) -> Option<Text<'a>> {
        self.text(Field::ProtocolVersion)
    }

    /// `MessageHeader.POIID`: the terminal.
    pub fn poi_id(self) -> Option<Text<'a>> {
        self.text(Field::PoiId)
    }

    /// `MessageHeader.SaleID`: the till.
    pub fn sale_id(self) -> Option<Text<'a>> {
        self.text(Field::SaleId)
    }

    /// `MessageHeader.ServiceID`: the request that this belongs to.
    pub fn service_id(self) -> Option<Text<'a>> {
        self.text(Field::ServiceId)
    }

    /// `MessageHeader.DeviceID`: this notification.
    pub fn device_id(self) -> Option<Text<'a>> {
        self.text(Field::DeviceId)
    }

    /// The name of the body, as `PaymentResponse`.
    pub fn body_member(self) -> Option<Text<'a>> {
        self.text(Field::BodyMember)
    }

    /// The raw JSON of the body.
    pub fn body_json(self) -> Option<&'a [u8]> {
        let start = self.fields.get(Field::Body)?.start();
        json::Cursor::over_valid_from(self.body, start).raw().ok()
    }

    /// The message's own `Response.Result`.
    pub fn result(self) -> Option<Word<'a, ResultWord>> {
        self.word(Field::Result, self.fields.words.result)
    }

    /// The message's own `Response.ErrorCondition`.
    pub fn error_condition(self) -> Option<Word<'a, ErrorCondition>> {
        self.word(Field::ErrorCondition, self.fields.words.error_condition)
    }

    /// The message's own `Response.AdditionalResponse`, its format found out.
    pub fn additional_response(self) -> Option<AdditionalResponse<'a>> {
        self.text(Field::AdditionalResponse).map(AdditionalResponse::decode)
    }

    /// The category of the message that a TransactionStatusResponse repeats.
    pub fn repeated_category(self) -> Option<Word<'a, MessageCategory>> {
        self.late_word(Field::RepeatedCategory)
    }

    /// How the message ended that a TransactionStatusResponse repeats: the outer `Success` does not mean paid.
    pub fn repeated_result(self) -> Option<Word<'a, ResultWord>> {
        self.late_word(Field::RepeatedResult)
    }

    /// Why the message did not succeed that a TransactionStatusResponse repeats.
    pub fn repeated_error_condition(self) -> Option<Word<'a, ErrorCondition>> {
        self.late_word(Field::RepeatedErrorCondition)
    }

    /// The AdditionalResponse of the message that a TransactionStatusResponse repeats.
    pub fn repeated_additional_response(self) -> Option<AdditionalResponse<'a>> {
        self.text(Field::RepeatedAdditionalResponse).map(AdditionalResponse::decode)
    }

    /// A word whose id no route asks for, so that it is looked up only here.
    fn late_word<V: Vocabulary>(self, field: Field) -> Option<Word<'a, V>> {
        self.text(field).map(|text| Word { known: V::from_word(&text.to_bytes()), text })
    }

    /// `SaleData.SaleTransactionID.TransactionID`: the shop's own number.
    pub fn sale_transaction_id(self) -> Option<Text<'a>> {
        self.text(Field::SaleTransactionId)
    }

    /// The amount as it is written, never through a floating-point number.
    pub fn amount(self) -> Option<Text<'a>> {
        self.text(Field::Amount)
    }

    /// The currency of the amount.
    pub fn currency(self) -> Option<Text<'a>> {
        self.text(Field::Currency)
    }

    /// The terminal's id of the transaction: that of the body, else that of the display notification.
    pub fn poi_transaction_id(self) -> Option<Cow<'a, str>> {
        match self.text(Field::PoiTransactionId) {
            Some(id) => Some(id.to_str()),
            None => self.reference_value("TransactionID"),
        }
    }

    /// The tender reference: the transaction's id up to its first dot.
    pub fn tender_reference(self) -> Option<String> {
        self.poi_transaction_id().map(|id| id.split_once('.').map_or(&*id, |(tender, _)| tender).to_owned())
    }

    /// The PSP reference: the transaction's id behind its first dot, if it has one.
    pub fn psp_reference(self) -> Option<String> {
        self.poi_transaction_id().and_then(|id| id.split_once('.').map(|(_, psp)| psp.to_owned()))
    }

    /// When it happened, as text: of an event, of a display notification, else of the transaction.
    pub fn time_stamp(self) -> Option<Cow<'a, str>> {
        match self.text(Field::EventTimeStamp) {
            Some(text) => Some(text.to_str()),
            None => self.reference_value("TimeStamp").or_else(|| self.text(Field::PoiTimeStamp).map(Text::to_str)),
        }
    }

    /// The raw JSON at an RFC 6901 pointer, as `/SaleToPOIResponse/PaymentResponse/POIData`.
    pub fn pointer(self, pointer: &str) -> Option<&'a [u8]> {
        if self.fields.is_json() { json::pointer(self.body, pointer) } else { None }
    }
}
