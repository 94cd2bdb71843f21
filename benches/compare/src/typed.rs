//! The fields as types of serde: texts are borrowed where they have no escapes, all else is skipped.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// A text, borrowed if it can be. `Option<Cow<str>>` never is, as serde sees it.
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;

        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Borrow)
    }
}

impl Text<'_> {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }
}

#[derive(Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow, rename = "SaleToPOIRequest")]
    request: Option<Request<'a>>,
    #[serde(borrow, rename = "SaleToPOIResponse")]
    response: Option<Response<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    #[serde(borrow)]
    message_header: Option<Header<'a>>,
    #[serde(borrow)]
    event_notification: Option<Event<'a>>,
    #[serde(borrow)]
    display_request: Option<Display<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response<'a> {
    #[serde(borrow)]
    message_header: Option<Header<'a>>,
    #[serde(
        borrow,
        alias = "AbortResponse",
        alias = "CardAcquisitionResponse",
        alias = "DiagnosisResponse",
        alias = "EnableServiceResponse",
        alias = "LoginResponse",
        alias = "LogoutResponse",
        alias = "ReconciliationResponse",
        alias = "ReversalResponse",
        alias = "StoredValueResponse",
        alias = "TransactionStatusResponse"
    )]
    payment_response: Option<Body<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Header<'a> {
    #[serde(borrow)]
    message_class: Text<'a>,
    #[serde(borrow)]
    message_category: Text<'a>,
    #[serde(borrow)]
    message_type: Text<'a>,
    #[serde(borrow)]
    protocol_version: Text<'a>,
    #[serde(borrow, rename = "POIID")]
    poi_id: Text<'a>,
    #[serde(borrow, rename = "SaleID")]
    sale_id: Text<'a>,
    #[serde(borrow, rename = "ServiceID")]
    service_id: Text<'a>,
    #[serde(borrow, rename = "DeviceID")]
    device_id: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Event<'a> {
    #[serde(borrow)]
    event_to_notify: Text<'a>,
    #[serde(borrow)]
    event_details: Text<'a>,
    #[serde(borrow)]
    time_stamp: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Display<'a> {
    #[serde(borrow)]
    display_output: Vec<Output<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    #[serde(borrow)]
    output_content: Option<Content<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content<'a> {
    #[serde(borrow)]
    predefined_content: Option<Predefined<'a>>,
}

#[derive(Deserialize)]
struct Predefined<'a> {
    #[serde(borrow, rename = "ReferenceID")]
    reference_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, rename = "Response")]
    response: Option<Answer<'a>>,
    #[serde(borrow, rename = "POIData")]
    poi_data: Option<PoiData<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Answer<'a> {
    #[serde(borrow)]
    result: Text<'a>,
    #[serde(borrow)]
    error_condition: Text<'a>,
    #[serde(borrow)]
    additional_response: Text<'a>,
}

#[derive(Deserialize)]
struct PoiData<'a> {
    #[serde(borrow, rename = "POITransactionID")]
    transaction: Option<Transaction<'a>>,
}

#[derive(Deserialize)]
struct Transaction<'a> {
    #[serde(borrow, rename = "TransactionID", default)]
    id: Text<'a>,
}

impl Message<'_> {
    /// The sum of the lengths of all fields.
    #[inline]
    pub(crate) fn sum(&self) -> u64 {
        let request = self.request.as_ref().map_or(0, |request| {
            let event = request.event_notification.as_ref().map_or(0, Event::sum);
            let display = request.display_request.as_ref().map_or(0, Display::sum);
            request.message_header.as_ref().map_or(0, Header::sum) + event + display
        });
        let response = self.response.as_ref().map_or(0, |response| {
            let body = response.payment_response.as_ref().map_or(0, Body::sum);
            response.message_header.as_ref().map_or(0, Header::sum) + body
        });
        request + response
    }
}

impl Header<'_> {
    fn sum(&self) -> u64 {
        let words = self.message_class.length() + self.message_category.length() + self.message_type.length();
        let ids = self.poi_id.length() + self.sale_id.length() + self.service_id.length() + self.device_id.length();
        words + ids + self.protocol_version.length()
    }
}

impl Event<'_> {
    fn sum(&self) -> u64 {
        self.event_to_notify.length() + self.event_details.length() + self.time_stamp.length()
    }
}

impl Display<'_> {
    fn sum(&self) -> u64 {
        let mut reference = Reference::default();
        for output in &self.display_output {
            let content = output.output_content.as_ref().and_then(|content| content.predefined_content.as_ref());
            if let Some(text) = content.and_then(|content| content.reference_id.as_ref()) {
                reference.offer(&text.0);
            }
        }
        reference.length()
    }
}

impl Body<'_> {
    fn sum(&self) -> u64 {
        let answer = self.response.as_ref().map_or(0, |answer| {
            answer.result.length() + answer.error_condition.length() + answer.additional_response.length()
        });
        let transaction = self.poi_data.as_ref().and_then(|data| data.transaction.as_ref());
        answer + transaction.map_or(0, |transaction| transaction.id.length())
    }
}

/// Of several references the first that holds pairs counts, else the first.
#[derive(Default)]
pub(crate) struct Reference {
    found: Option<(u64, bool)>,
}

impl Reference {
    pub(crate) fn offer(&mut self, text: &str) {
        let has_pairs = text.contains('=');
        if self.found.is_none_or(|(_, had_pairs)| has_pairs && !had_pairs) {
            self.found = Some((text.len() as u64, has_pairs));
        }
    }

    pub(crate) fn length(&self) -> u64 {
        self.found.map_or(0, |(length, _)| length)
    }
}
