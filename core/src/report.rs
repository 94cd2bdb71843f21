//! Messages for people and scripts: one JSON object a message, the same in every language.

use serde::Serialize;

use crate::classify::classify;
use crate::error::Error;
use crate::limits::Limits;
use crate::message::for_each_item;
use crate::nexo::{Field, Fields, Kind, Texts, View, WebhookField};
use crate::text::Text;

/// The members of an `inspect` line but `file`, in its order.
///
/// ```
/// use nexowire_core::limits::Limits;
/// use nexowire_core::nexo::Texts;
/// use nexowire_core::report::Report;
///
/// let report = Report::of_body(b"[accepted]", &Limits::default(), &Texts::default());
/// assert_eq!((report.kind, report.valid_json, report.bytes), ("acknowledgement", Some(false), Some(10)));
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "The members are those of the command, documented in its help.")]
pub struct Report {
    pub valid_json: Option<bool>,
    pub kind: &'static str,
    pub envelope: &'static str,
    pub body_member: Option<String>,
    pub message_class: Option<String>,
    pub message_category: Option<String>,
    pub message_type: Option<String>,
    pub protocol_version: Option<String>,
    pub poiid: Option<String>,
    pub sale_id: Option<String>,
    pub service_id: Option<String>,
    pub device_id: Option<String>,
    pub event_to_notify: Option<String>,
    pub event_details_raw: Option<String>,
    pub event_details: Option<Vec<(String, String)>>,
    pub display_event: Option<String>,
    pub reference_id_raw: Option<String>,
    pub result: Option<String>,
    pub error_condition: Option<String>,
    pub additional_response_raw: Option<String>,
    pub additional_response_format: Option<&'static str>,
    pub additional_response: Option<Vec<(String, String)>>,
    pub poi_transaction_id: Option<String>,
    pub tender_reference: Option<String>,
    pub psp_reference: Option<String>,
    pub sale_transaction_id: Option<String>,
    pub time_stamp: Option<String>,
    pub amount: Option<String>,
    pub currency: Option<String>,
    pub repeated_category: Option<String>,
    pub repeated_result: Option<String>,
    pub repeated_error_condition: Option<String>,
    pub repeated_additional_response_raw: Option<String>,
    pub encrypted: Option<bool>,
    pub rejected_message_len: Option<usize>,
    pub live: Option<String>,
    pub items: Option<Vec<Option<Item>>>,
    pub flags: Vec<&'static str>,
    pub summary: Option<String>,
    pub bytes: Option<usize>,
    pub error: Option<ErrorReport>,
}

/// One item of a standard webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "The members are those of the wire.")]
pub struct Item {
    pub event_code: Option<String>,
    pub success: Option<String>,
    pub psp_reference: Option<String>,
    pub original_reference: Option<String>,
    pub merchant_account_code: Option<String>,
    pub merchant_reference: Option<String>,
    pub event_date: Option<String>,
    pub reason: Option<String>,
    pub value: Option<String>,
    pub currency: Option<String>,
    pub hmac_signature: Option<String>,
    pub tender_reference: Option<String>,
    pub terminal_id: Option<String>,
}

/// Why a body is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// The word of [`crate::ErrorKind`].
    pub kind: &'static str,
    /// The first byte that is not as expected.
    pub offset: usize,
    /// What was expected.
    pub message: String,
}

impl From<Error> for ErrorReport {
    fn from(error: Error) -> Self {
        Self { kind: error.kind().word(), offset: error.offset(), message: error.to_string() }
    }
}

impl Report {
    /// Classifies a body and reports all of it. Only a malformed one has an error.
    pub fn of_body(body: &[u8], limits: &Limits, texts: &Texts) -> Self {
        let classified = classify(body, limits);
        let mut report = Self::of_view(View::new(body, &classified.fields), texts);
        if classified.fields.kind == Kind::StandardWebhook {
            let mut items = vec![];
            for_each_item(body, &classified.fields, |fields| {
                items.push(fields.map(|fields| item(View::new(body, &fields))))
            });
            report.items = Some(items);
        }
        report.error = classified.error.filter(|_| classified.fields.kind == Kind::Malformed).map(ErrorReport::from);
        report
    }

    /// Reports a message; of a webhook, its one item.
    pub fn of_view(view: View<'_>, texts: &Texts) -> Self {
        let fields: &Fields = view.fields();
        let is_webhook = fields.kind == Kind::StandardWebhook;
        let mut report = Self {
            valid_json: Some(fields.is_json()),
            kind: fields.kind.word(),
            envelope: fields.envelope.word(),
            encrypted: Some(fields.kind == Kind::Secured),
            live: owned(view.webhook_text(WebhookField::Live)),
            items: is_webhook.then(|| vec![Some(item(view))]),
            flags: fields.flags.words().collect(),
            summary: Some(view.summary(texts)),
            bytes: Some(view.body().len()),
            ..Self::default()
        };
        report.header(view);
        report.notification(view);
        report.answer(view);
        report.transaction(view);
        report
    }

    fn header(&mut self, view: View<'_>) {
        self.body_member = owned(view.body_member());
        self.message_class = owned(view.text(Field::MessageClass));
        self.message_category = owned(view.text(Field::MessageCategory));
        self.message_type = owned(view.text(Field::MessageType));
        self.protocol_version = owned(view.protocol_version());
        self.poiid = owned(view.poi_id());
        self.sale_id = owned(view.sale_id());
        self.service_id = owned(view.service_id());
        self.device_id = owned(view.device_id());
    }

    fn notification(&mut self, view: View<'_>) {
        self.event_to_notify = owned(view.text(Field::EventToNotify));
        self.event_details_raw = owned(view.event_details());
        self.event_details = view.event_pairs();
        self.rejected_message_len = view.rejected_message().map(|text| text.to_str().chars().count());
        self.reference_id_raw = owned(view.reference_id());
        self.display_event = view.display_event().map(|event| event.into_text().into_owned());
    }

    fn answer(&mut self, view: View<'_>) {
        self.result = owned(view.text(Field::Result));
        self.error_condition = owned(view.text(Field::ErrorCondition));
        self.additional_response_raw = owned(view.text(Field::AdditionalResponse));
        if let Some(additional) = view.additional_response() {
            let pairs = additional.pairs().into_iter();
            self.additional_response_format = Some(additional.format().word());
            self.additional_response = Some(pairs.map(|(key, value)| (key.into_owned(), value.into_owned())).collect());
        }
        self.repeated_category = owned(view.text(Field::RepeatedCategory));
        self.repeated_result = owned(view.text(Field::RepeatedResult));
        self.repeated_error_condition = owned(view.text(Field::RepeatedErrorCondition));
        self.repeated_additional_response_raw = owned(view.text(Field::RepeatedAdditionalResponse));
    }

    fn transaction(&mut self, view: View<'_>) {
        self.poi_transaction_id = view.poi_transaction_id().map(Into::into);
        self.tender_reference = view.tender_reference();
        self.psp_reference = view.psp_reference();
        self.sale_transaction_id = owned(view.sale_transaction_id());
        self.time_stamp = view.time_stamp().map(Into::into);
        self.amount = owned(view.amount());
        self.currency = owned(view.currency());
    }
}

fn item(view: View<'_>) -> Item {
    let text = |field| owned(view.webhook_text(field));
    Item {
        event_code: text(WebhookField::EventCode),
        success: text(WebhookField::Success),
        psp_reference: text(WebhookField::PspReference),
        original_reference: text(WebhookField::OriginalReference),
        merchant_account_code: text(WebhookField::MerchantAccountCode),
        merchant_reference: text(WebhookField::MerchantReference),
        event_date: text(WebhookField::EventDate),
        reason: text(WebhookField::Reason),
        value: text(WebhookField::Value),
        currency: text(WebhookField::Currency),
        hmac_signature: text(WebhookField::HmacSignature),
        tender_reference: text(WebhookField::TenderReference),
        terminal_id: text(WebhookField::TerminalId),
    }
}

fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.map(|text| text.to_str().into_owned())
}
