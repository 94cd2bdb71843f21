//! What a body is: its [`Kind`], its [`Envelope`] and its [`Flags`].

/// The kinds of body that arrive at one notification address.
///
/// Kind follows the structure of the body, never what its header claims. Source: reference, section 13.
///
/// ```
/// use nexowire_core::nexo::Kind;
///
/// assert_eq!(Kind::StandardWebhook.word(), "standard_webhook");
/// assert_eq!(Kind::from_word("standard_webhook"), Some(Kind::StandardWebhook));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// `SaleToPOIRequest` with an EventNotification: something happened at the terminal.
    Event = 1,
    /// `SaleToPOIRequest` with a DisplayRequest for the cashier: one step of a payment.
    Display = 2,
    /// Any other `SaleToPOIRequest`.
    Request = 3,
    /// `SaleToPOIResponse`: an answer.
    Response = 4,
    /// An envelope with a NexoBlob: encrypted.
    Secured = 5,
    /// `notificationItems`, or a form with eventCode and pspReference.
    StandardWebhook = 6,
    /// `{"type":"...","data":{...}}`.
    ManagementWebhook = 7,
    /// An empty body, `ok`, `"ok"` or `[accepted]`: somebody's answer to a request.
    Acknowledgement = 8,
    /// `{"errors":[...]}`, `["..."]` or an API error.
    ErrorBody = 9,
    /// Other JSON.
    Foreign = 10,
    /// Not JSON, not a form, not an acknowledgement.
    Malformed = 11,
    /// Made by the engine itself when an expected answer did not come.
    Timeout = 12,
}

impl Kind {
    /// Every kind, by number.
    pub const ALL: [Self; 12] = [
        Self::Event,
        Self::Display,
        Self::Request,
        Self::Response,
        Self::Secured,
        Self::StandardWebhook,
        Self::ManagementWebhook,
        Self::Acknowledgement,
        Self::ErrorBody,
        Self::Foreign,
        Self::Malformed,
        Self::Timeout,
    ];

    /// The kinds that a rule can ask for, which are those that reach a queue.
    pub const ROUTED: [Self; 8] = [
        Self::Event,
        Self::Display,
        Self::Request,
        Self::Response,
        Self::Secured,
        Self::StandardWebhook,
        Self::ManagementWebhook,
        Self::Timeout,
    ];

    /// The word for this kind in configurations and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Display => "display",
            Self::Request => "request",
            Self::Response => "response",
            Self::Secured => "secured",
            Self::StandardWebhook => "standard_webhook",
            Self::ManagementWebhook => "management_webhook",
            Self::Acknowledgement => "acknowledgement",
            Self::ErrorBody => "error_body",
            Self::Foreign => "foreign",
            Self::Malformed => "malformed",
            Self::Timeout => "timeout",
        }
    }

    /// The kind of this word; `None` for any other text.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The root member that holds the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Envelope {
    /// Neither of the two.
    Other = 0,
    /// `SaleToPOIRequest`
    Request = 1,
    /// `SaleToPOIResponse`
    Response = 2,
}

impl Envelope {
    /// `request`, `response` or `other`.
    ///
    /// ```
    /// assert_eq!(nexowire_core::nexo::Envelope::Request.word(), "request");
    /// ```
    pub const fn word(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// What is odd about a message: a set of the words of reference, section 13.
///
/// ```
/// use nexowire_core::nexo::Flags;
///
/// let mut flags = Flags::NONE;
/// flags.insert(Flags::UNKNOWN_WORD);
/// flags.insert(Flags::REPEATED_MEMBER);
/// assert_eq!(flags.words().collect::<Vec<_>>(), ["repeated_member", "unknown_word"]);
/// assert_eq!(flags.ambiguity(), Some("repeated_member"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u16);

impl Flags {
    /// Nothing is odd.
    pub const NONE: Self = Self(0);
    /// A name occurs twice in an object where nexowire looks for it.
    pub const REPEATED_MEMBER: Self = Self(1 << 0);
    /// Both envelope names are there with an object each.
    pub const BOTH_ENVELOPES: Self = Self(1 << 1);
    /// Two different body names in one envelope.
    pub const TWO_BODIES: Self = Self(1 << 2);
    /// MessageCategory and the body's name disagree.
    pub const CATEGORY_MISMATCH: Self = Self(1 << 3);
    /// MessageType and the ending of the body's name disagree.
    pub const TYPE_MISMATCH: Self = Self(1 << 4);
    /// No object MessageHeader.
    pub const HEADER_MISSING: Self = Self(1 << 5);
    /// A header field is a number.
    pub const HEADER_NUMBER: Self = Self(1 << 6);
    /// A header field is an object, an array or a boolean.
    pub const HEADER_OTHER: Self = Self(1 << 7);
    /// A word that the vocabulary does not have.
    pub const UNKNOWN_WORD: Self = Self(1 << 8);
    /// Delivery: an item of a webhook whose key is known and that says something else.
    pub const UPDATE: Self = Self(1 << 9);
    /// Delivery: a terminal's message whose key is known and that says something else.
    pub const CONFLICT: Self = Self(1 << 10);
    /// Delivery: somebody asked for it again.
    pub const REPLAYED: Self = Self(1 << 11);
    /// Delivery: it waited in the store for room in its lane.
    pub const SPILLED: Self = Self(1 << 12);
    /// Delivery: its queue is not configured any more.
    pub const QUEUE_GONE: Self = Self(1 << 13);

    /// Every flag with its word, sorted by word.
    const WORDS: [(Self, &'static str); 14] = [
        (Self::BOTH_ENVELOPES, "both_envelopes"),
        (Self::CATEGORY_MISMATCH, "category_mismatch"),
        (Self::CONFLICT, "conflict"),
        (Self::HEADER_MISSING, "header_missing"),
        (Self::HEADER_NUMBER, "header_number"),
        (Self::HEADER_OTHER, "header_other"),
        (Self::QUEUE_GONE, "queue_gone"),
        (Self::REPEATED_MEMBER, "repeated_member"),
        (Self::REPLAYED, "replayed"),
        (Self::SPILLED, "spilled"),
        (Self::TWO_BODIES, "two_bodies"),
        (Self::TYPE_MISMATCH, "type_mismatch"),
        (Self::UNKNOWN_WORD, "unknown_word"),
        (Self::UPDATE, "update"),
    ];

    /// The flags as bits, as a store keeps them.
    #[inline]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The flags of these bits; bits that are no flag are dropped.
    #[inline]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & ((1 << 14) - 1))
    }

    /// Adds what `other` holds.
    #[inline]
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether all of `other` is here.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is odd.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Takes out what `other` holds.
    #[inline]
    pub const fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// Those that delivery adds, which no body tells.
    #[inline]
    pub const fn delivery(self) -> Self {
        Self(self.0 & !(Self::UPDATE.0 - 1))
    }

    /// The words of the flags that are set, sorted.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::WORDS.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, word)| word)
    }

    /// Why the message belongs into the quarantine, if it does: two parsers could read it differently.
    ///
    /// Of several reasons the first in the order of the reference: `repeated_member`, `both_envelopes`, `two_bodies`.
    pub const fn ambiguity(self) -> Option<&'static str> {
        if self.contains(Self::REPEATED_MEMBER) {
            Some("repeated_member")
        } else if self.contains(Self::BOTH_ENVELOPES) {
            Some("both_envelopes")
        } else if self.contains(Self::TWO_BODIES) {
            Some("two_bodies")
        } else {
            None
        }
    }
}
