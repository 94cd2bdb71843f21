//! A message that somebody owns: the bytes that arrived and what is known of them, behind one word.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use triomphe::ThinArc;

use crate::classify::{Classified, classify};
use crate::limits::Limits;
use crate::nexo::{Fields, Flags, ItemSpans, Kind, Texts, View, webhook};

/// A classified message and its bytes. Cloning it counts a reference; all of it is one allocation.
///
/// ```
/// use nexowire_core::limits::Limits;
/// use nexowire_core::message::Message;
/// use nexowire_core::nexo::Kind;
///
/// let message = Message::classify(br#"{"SaleToPOIRequest":{"EventNotification":{},"MessageHeader":{}}}"#, &Limits::default());
/// assert_eq!(message.kind(), Kind::Event);
/// assert_eq!(size_of::<Message>(), size_of::<usize>());
/// ```
#[derive(Clone)]
pub struct Message(ThinArc<Head, u8>);

/// What stands in front of the bytes.
struct Head {
    fields: Fields,
    origin: Origin,
    body: Body,
    /// Most messages have none.
    story: Option<Arc<Story>>,
}

/// Where the bytes are.
enum Body {
    /// Behind the head.
    Inline,
    /// Where the host has them.
    Shared(Bytes),
    /// With another item of the same body.
    With(Message),
}

/// What a message owes to its arrival rather than to its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The number that the engine gave it; 0 outside of an engine.
    pub seq: u64,
    /// When it arrived, in whole milliseconds since 1970.
    pub received_at: u64,
    /// The host's own mark.
    pub tag: Option<u64>,
    /// The index of the endpoint among the engine's names.
    pub endpoint: u16,
    /// The index of a webhook's item in its body's list, counted from 0.
    pub item: Option<u32>,
}

/// What a message went through before it got its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Story {
    /// The number of the message or entry that it repeats: it was replayed, or moved out of dead letters.
    pub origin_seq: Option<u64>,
    /// Where it died, if it stands in a queue for dead letters.
    pub dead: Option<Dead>,
}

/// Where and why a message could not be delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dead {
    /// The queue whose consumers could not do with it.
    pub queue: String,
    /// What they said, `nack` or `ack_wait`.
    pub reason: String,
    /// How often it had been handed out.
    pub attempts: u32,
}

/// The body of a message that is to be made.
#[derive(Clone, Debug)]
pub enum BodySource<'a> {
    /// Copied into the message.
    Copied(&'a [u8]),
    /// Shared with the host, without a copy.
    Shared(Bytes),
}

impl BodySource<'_> {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }

    /// The bytes, for a longer life than the host's; shared if they are already.
    pub(crate) fn to_bytes(&self) -> Bytes {
        match self {
            Self::Copied(bytes) => Bytes::copy_from_slice(bytes),
            Self::Shared(bytes) => bytes.clone(),
        }
    }
}

impl Message {
    /// Classifies `body` and keeps a copy of it. What cannot be parsed is a message too, of the kind `Malformed`.
    pub fn classify(body: &[u8], limits: &Limits) -> Self {
        let Classified { fields, .. } = classify(body, limits);
        Self::new(&fields, BodySource::Copied(body), Origin::default())
    }

    /// A message of a body that has been classified.
    pub(crate) fn new(fields: &Fields, body: BodySource<'_>, origin: Origin) -> Self {
        Self::with_story(fields, body, origin, None)
    }

    /// The same, of a message that has been through something.
    pub(crate) fn with_story(fields: &Fields, body: BodySource<'_>, origin: Origin, story: Option<Arc<Story>>) -> Self {
        let head = |body| Head { fields: *fields, origin, body, story };
        match body {
            BodySource::Copied(bytes) => Self(ThinArc::from_header_and_slice(head(Body::Inline), bytes)),
            BodySource::Shared(bytes) => Self(ThinArc::from_header_and_slice(head(Body::Shared(bytes)), &[])),
        }
    }

    /// Gives a message that nobody else has yet its number, and flags.
    #[inline]
    pub(crate) fn set_number(&mut self, seq: u64, flags: Flags) {
        self.0.with_arc_mut(|message| {
            if let Some(message) = triomphe::Arc::get_mut(message) {
                let head = message.header_mut();
                head.origin.seq = seq;
                head.fields.flags.insert(flags);
            }
        });
    }

    /// Another message about the same bytes: a further item of a webhook.
    pub(crate) fn sibling(&self, fields: &Fields, origin: Origin) -> Self {
        let head = Head { fields: *fields, origin, body: Body::With(self.clone()), story: None };
        Self(ThinArc::from_header_and_slice(head, &[]))
    }

    /// The same message with another number and another story, in another queue: how it got into its own is over.
    pub(crate) fn again(&self, origin: Origin, story: Option<Arc<Story>>) -> Self {
        let mut fields = *self.fields();
        fields.flags.remove(Flags::SPILLED);
        fields.flags.remove(Flags::QUEUE_GONE);
        let head = Head { fields, origin, body: Body::With(self.clone()), story };
        Self(ThinArc::from_header_and_slice(head, &[]))
    }

    /// The bytes that arrived, for a longer life than the message's; shared if they are already.
    pub(crate) fn shared(&self) -> Bytes {
        match &self.0.header.header.body {
            Body::Inline => Bytes::copy_from_slice(&self.0.slice),
            Body::Shared(bytes) => bytes.clone(),
            Body::With(message) => message.shared(),
        }
    }

    /// What the body is.
    pub fn kind(&self) -> Kind {
        self.fields().kind
    }

    /// Kind, flags, ids and spans.
    pub fn fields(&self) -> &Fields {
        &self.0.header.header.fields
    }

    /// Number, time, tag and endpoint.
    pub fn origin(&self) -> Origin {
        self.0.header.header.origin
    }

    /// What it went through before, if anything.
    pub fn story(&self) -> Option<&Story> {
        self.0.header.header.story.as_deref()
    }

    /// The bytes that the fields refer to.
    pub fn body(&self) -> &[u8] {
        match &self.0.header.header.body {
            Body::Inline => &self.0.slice,
            Body::Shared(bytes) => bytes,
            Body::With(message) => message.body(),
        }
    }

    /// The bytes that arrived.
    pub fn received(&self) -> &[u8] {
        self.body()
    }

    /// The fields, readable.
    pub fn view(&self) -> View<'_> {
        View::new(self.body(), self.fields())
    }

    /// One sentence that a cashier understands, in the built-in texts.
    pub fn summary(&self) -> String {
        self.view().summary(&Texts::default())
    }

    /// The whole body as a type of the host's, read by simd-json from a copy.
    ///
    /// simd-json reads all numbers, also those that the type does not ask for, and a repeated member by its own rules:
    /// a struct refuses it, a map keeps the last. What nexowire's own fields say is what was routed.
    ///
    /// # Errors
    /// When the body is not JSON, does not fit the type, or holds a number beyond 64 bits.
    ///
    /// ```
    /// # use nexowire_core::{limits::Limits, message::Message};
    /// #[derive(serde::Deserialize)]
    /// struct Hook { r#type: String }
    ///
    /// let message = Message::classify(br#"{"type":"terminalSettings.modified","data":{}}"#, &Limits::default());
    /// assert_eq!(message.deserialize::<Hook>().unwrap().r#type, "terminalSettings.modified");
    /// ```
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, DeserializeError> {
        if !self.fields().is_json() {
            return Err(DeserializeError("the body is not JSON".to_owned()));
        }
        // It writes into its input, which is validated, and may not see ours.
        let mut scratch = self.body().to_vec();
        simd_json::serde::from_slice(&mut scratch).map_err(|error| DeserializeError(error.to_string()))
    }

    /// The whole body as a tree, read by simd-json from a copy. Of repeated members the last counts here.
    ///
    /// # Errors
    /// When the body is not JSON, or holds a number beyond 64 bits.
    pub fn value(&self) -> Result<simd_json::OwnedValue, DeserializeError> {
        self.deserialize()
    }

    /// The request that a Reject carries, classified; `None` if it carries nothing, or what is not Base64.
    ///
    /// Its header is the key to the request that was rejected. What is not JSON is of the kind `Malformed`.
    pub fn rejected_request(&self) -> Option<Message> {
        self.view().rejected_request().map(|request| Self::classify(&request, &Limits::MAX))
    }
}

/// The items of a body: how many, and the fields of each, `None` for one that is no item. A form has one.
pub(crate) fn for_each_item(body: &[u8], fields: &Fields, mut each: impl FnMut(Option<Fields>)) {
    match fields.get_webhook(crate::nexo::WebhookField::Items) {
        None => each(Some(*fields)),
        Some(span) => webhook::for_each_item(body, span, |whole, item: Option<&ItemSpans>| {
            each(item.map(|item| {
                let mut fields = *fields;
                fields.set_item(item);
                fields.set_item_span(whole);
                fields
            }));
        }),
    }
}

impl fmt::Debug for Message {
    /// Shows no bytes of the body: they may be anybody's card or name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, origin, bytes) = (self.kind(), self.origin(), self.received().len());
        f.debug_struct("Message").field("kind", &kind).field("seq", &origin.seq).field("bytes", &bytes).finish()
    }
}

/// Why a body did not become a host's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeserializeError(String);

impl fmt::Display for DeserializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DeserializeError {}
