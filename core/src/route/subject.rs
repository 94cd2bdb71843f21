//! What a rule can ask about a message.

use crate::nexo::{Envelope, Kind};

/// A word of a vocabulary: its id, and how it is spelled.
///
/// ```
/// use nexowire_core::nexo::{EventToNotify, Vocabulary};
/// use nexowire_core::route::Word;
///
/// let known = Word::of::<EventToNotify>(b"Shutdown");
/// assert_eq!(known.id, EventToNotify::Shutdown.id());
/// assert_eq!(Word::of::<EventToNotify>(b"Sneezed").id, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// The vocabulary's number for it; 0 if, and only if, the vocabulary does not have the word.
    pub id: u8,
    /// The word, decoded. Read only if the id is 0.
    pub text: &'a [u8],
}

impl<'a> Word<'a> {
    /// The word `text` of the vocabulary `V`.
    #[inline]
    pub fn of<V: crate::nexo::Vocabulary>(text: &'a [u8]) -> Self {
        Self { id: V::from_word(text).map_or(0, V::id), text }
    }
}

/// All that routing looks at. Whoever has parsed a message fills it in; what the message lacks is `None`.
///
/// ```
/// use nexowire_core::nexo::Kind;
/// use nexowire_core::route::{Configuration, Subject, Table};
///
/// let configuration = Configuration::embedded();
/// let table = Table::compile(&configuration);
/// let subject = Subject { poiid: Some(b"V400m-324688179"), ..Subject::new(Kind::Event) };
/// let queue = table.route(&subject).iter().next().unwrap();
/// assert_eq!(configuration.queues()[usize::from(queue)].name, "terminals");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// What the message is.
    pub kind: Kind,
    /// Where it came in: an index into [`Configuration::endpoints`](super::Configuration::endpoints); 0 is `default`.
    pub endpoint: u16,
    /// Which of the two envelopes it has.
    pub envelope: Envelope,
    /// `MessageClass`
    pub class: Option<Word<'a>>,
    /// `MessageCategory`; of a time-out, its request's.
    pub category: Option<Word<'a>>,
    /// `MessageType`
    pub message_type: Option<Word<'a>>,
    /// `EventToNotify`
    pub event: Option<Word<'a>>,
    /// The `event` of a display notification.
    pub display_event: Option<Word<'a>>,
    /// `Result`
    pub result: Option<Word<'a>>,
    /// `ErrorCondition`
    pub error_condition: Option<Word<'a>>,
    /// A webhook's `eventCode`.
    pub event_code: Option<Word<'a>>,
    /// A webhook's `merchantAccountCode`.
    pub merchant_account: Option<&'a [u8]>,
    /// `POIID`; of a time-out, its request's.
    pub poiid: Option<&'a [u8]>,
    /// `SaleID`; of a time-out, its request's.
    pub sale_id: Option<&'a [u8]>,
    /// A webhook's `success`; of a response, whether its Result is Success.
    pub success: Option<bool>,
    /// A webhook's `live`.
    pub live: Option<bool>,
}

impl Subject<'_> {
    /// A message of this kind of which nothing else is known, from the endpoint `default`.
    #[inline]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            endpoint: 0,
            envelope: Envelope::Other,
            class: None,
            category: None,
            message_type: None,
            event: None,
            display_event: None,
            result: None,
            error_condition: None,
            event_code: None,
            merchant_account: None,
            poiid: None,
            sale_id: None,
            success: None,
            live: None,
        }
    }
}
