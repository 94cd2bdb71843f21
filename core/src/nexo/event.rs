//! What an event and a display notification say, decoded.

use std::borrow::Cow;

use super::{DisplayEvent, EventToNotify, Field, View, Vocabulary, Word};
use crate::form;
use crate::text::Text;

impl<'a> View<'a> {
    /// `EventNotification.EventToNotify`
    pub fn event_to_notify(self) -> Option<Word<'a, EventToNotify>> {
        self.word(Field::EventToNotify, self.fields.words.event)
    }

    /// `EventNotification.EventDetails`, as it came.
    pub fn event_details(self) -> Option<Text<'a>> {
        self.text(Field::EventDetails)
    }

    /// The pairs of EventDetails; `None` if it is plain text or absent.
    pub fn event_pairs(self) -> Option<Vec<(String, String)>> {
        let details = self.event_details()?.to_bytes();
        let owned = |pair: form::Pair<'_>| (pair.key().into_owned(), pair.value().into_owned());
        form::is_pairs(&details).then(|| form::pairs(&details).map(owned).collect())
    }

    /// What EventDetails says to people: the value of `message`, else all of it as plain text, else `None`.
    pub fn event_message(self) -> Option<Cow<'a, str>> {
        let details = self.event_details()?;
        if form::is_pairs(&details.to_bytes()) { value_of(details, b"message") } else { Some(details.to_str()) }
    }

    /// The reference that was typed on the terminal to wake up the till: `0123456789`, or `reference_id=9876`.
    ///
    /// `None` for any event but SaleWakeUp, and if nothing was typed.
    pub fn sale_wake_up_reference(self) -> Option<Cow<'a, str>> {
        if self.event_to_notify()?.known() != Some(EventToNotify::SaleWakeUp) {
            return None;
        }
        let details = self.event_details()?;
        let reference =
            if form::is_pairs(&details.to_bytes()) { value_of(details, b"reference_id")? } else { details.to_str() };
        Some(reference).filter(|reference| !reference.trim().is_empty())
    }

    /// `EventNotification.RejectedMessage`: the request in Base64, or whatever the terminal put there.
    pub fn rejected_message(self) -> Option<Text<'a>> {
        self.text(Field::RejectedMessage)
    }

    /// The rejected request's bytes, whatever they are; `None` if there are none, or they are not written in Base64.
    pub fn rejected_request(self) -> Option<Vec<u8>> {
        let text = self.rejected_message()?.to_bytes();
        base64_simd::forgiving_decode_to_vec(&text).ok().filter(|request| !request.is_empty())
    }

    /// `EventNotification.MaintenanceRequiredFlag`; `None` if it is absent or neither `true` nor `false`.
    pub fn maintenance_required(self) -> Option<bool> {
        boolean(self.text(Field::MaintenanceRequiredFlag)?)
    }

    /// `PredefinedContent.ReferenceID`, as it came.
    pub fn reference_id(self) -> Option<Text<'a>> {
        self.text(Field::ReferenceId)
    }

    /// The step of the payment that a display notification reports.
    pub fn display_event(self) -> Option<DisplayWord<'a>> {
        let text = self.reference_value("event")?;
        Some(DisplayWord { known: DisplayEvent::from_id(self.fields.words.display_event), text })
    }

    /// The first value of a ReferenceID that holds pairs.
    pub(crate) fn reference_value(self, key: &str) -> Option<Cow<'a, str>> {
        let reference = self.reference_id().filter(|reference| super::is_pairs(*reference))?;
        value_of(reference, key.as_bytes())
    }
}

/// The event of a display notification: what it is, if that is known, and in any case its text.
///
/// Unlike a [`Word`] it may be encoded twice, so that its text can be owned.
#[derive(Clone, Debug)]
pub struct DisplayWord<'a> {
    known: Option<DisplayEvent>,
    text: Cow<'a, str>,
}

impl<'a> DisplayWord<'a> {
    /// The event, if the vocabulary has it.
    pub fn known(&self) -> Option<DisplayEvent> {
        self.known
    }

    /// The id of the event; 0 if the vocabulary does not have it.
    pub fn id(&self) -> u8 {
        self.known.map_or(0, DisplayEvent::id)
    }

    /// The word as it came, decoded.
    pub fn into_text(self) -> Cow<'a, str> {
        self.text
    }
}

/// `true` or `false` as text.
pub(crate) fn boolean(text: Text<'_>) -> Option<bool> {
    if text.equals(b"true") {
        Some(true)
    } else if text.equals(b"false") {
        Some(false)
    } else {
        None
    }
}

/// The decoded value of the first pair with this key; borrowed where nothing had to be decoded.
fn value_of<'a>(text: Text<'a>, key: &[u8]) -> Option<Cow<'a, str>> {
    match text.to_bytes() {
        Cow::Borrowed(bytes) => form::find(bytes, key).map(form::Pair::value),
        Cow::Owned(bytes) => {
            form::find(&bytes, key).map(|pair| form::lossy(Cow::Owned(form::decode(pair.raw_value()).into_owned())))
        }
    }
}
