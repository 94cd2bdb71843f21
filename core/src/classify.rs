//! What a body is, by its structure; and which of its words are known. Never fails: what is not JSON is a kind too.

use crate::error::Error;
use crate::limits::Limits;
use crate::nexo::{Draft, Fields, Kind, webhook};
use crate::parse::parse_with;
use crate::simd::Kernel;

/// A classified body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified {
    /// What was found.
    pub fields: Fields,
    /// Why it is not JSON, if it is not.
    pub error: Option<Error>,
}

/// An empty body, which is an acknowledgement.
impl Default for Classified {
    #[inline]
    fn default() -> Self {
        Self { fields: Fields::of_kind(Kind::Acknowledgement), error: None }
    }
}

/// Validates and classifies `body`, without allocating.
///
/// ```
/// use nexowire_core::classify::classify;
/// use nexowire_core::limits::Limits;
/// use nexowire_core::nexo::{EventToNotify, Kind, Vocabulary};
///
/// let body = br#"{"SaleToPOIRequest":{"EventNotification":{"EventToNotify":"Shutdown"},"MessageHeader":{}}}"#;
/// let fields = classify(body, &Limits::default()).fields;
/// assert_eq!(fields.kind, Kind::Event);
/// assert_eq!(EventToNotify::from_id(fields.words.event), Some(EventToNotify::Shutdown));
/// assert_eq!(classify(b" ok\n", &Limits::default()).fields.kind, Kind::Acknowledgement);
/// ```
#[inline]
pub fn classify(body: &[u8], limits: &Limits) -> Classified {
    classify_with(Kernel::fastest(), body, limits)
}

/// The same by one kernel; every kernel gives the same.
pub fn classify_with(kernel: Kernel, body: &[u8], limits: &Limits) -> Classified {
    let mut draft = Draft::new();
    match parse_with(kernel, body, limits, &mut draft) {
        Ok(()) => Classified { fields: draft.fields, error: None },
        Err(error) => Classified { fields: not_json(body), error: Some(error) },
    }
}

/// What a body that is not valid is, also one that is too long: its sender can still be told what it was.
#[cold]
fn not_json(body: &[u8]) -> Fields {
    let blank = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = body.iter().position(blank).unwrap_or(body.len());
    let end = body.iter().rposition(blank).map_or(start, |last| last + 1);
    if matches!(&body[start..end], b"" | b"ok" | b"[accepted]") {
        return Fields::of_kind(Kind::Acknowledgement);
    }
    webhook::form_post(body).unwrap_or(Fields::of_kind(Kind::Malformed))
}

/// Whether a malformed body is SOAP, which the vendor can be configured to send: told apart so that people see why.
pub fn is_soap(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<") && memchr::memmem::find(body, b"Envelope").is_some()
}
