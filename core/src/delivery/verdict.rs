//! The verdict on a body, and the HTTP answer that it advises. Source: design, section 10; `drive.md`, Verdict.

/// Declares reasons and their words.
macro_rules! reasons {
    ($($(#[$about:meta])* $name:ident { $($(#[$each:meta])* $variant:ident $word:literal,)+ })+) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            #[non_exhaustive]
            pub enum $name {
                $($(#[$each])* $variant,)+
            }

            impl $name {
                /// The word for this reason in reports.
                pub const fn word(self) -> &'static str {
                    match self { $(Self::$variant => $word,)+ }
                }

                /// The reason of this word.
                pub fn from_word(word: &str) -> Option<Self> {
                    match word {
                        $($word => Some(Self::$variant),)+
                        _ => None,
                    }
                }
            }
        )+
    };
}

reasons! {
    /// Why bytes are kept in the quarantine.
    QuarantineReason {
        /// Neither JSON nor a form nor an acknowledgement; or a webhook's item that is no item.
        Malformed "malformed",
        /// The same, in SOAP's clothes: the account is configured for it.
        Soap "soap",
        /// JSON of somebody else.
        Foreign "foreign",
        /// A report of an error, where a message was expected.
        ErrorBody "error_body",
        /// A name occurs twice where nexowire looks for it.
        RepeatedMember "repeated_member",
        /// Both envelopes are there.
        BothEnvelopes "both_envelopes",
        /// Two bodies are there.
        TwoBodies "two_bodies",
        /// More webhook items than the limit.
        TooManyItems "too_many_items",
        /// Decryption or signature fails, or a plain success came where encryption is required.
        Untrusted "untrusted",
        /// Outside of what the endpoint may speak for.
        OutOfScope "out_of_scope",
    }

    /// Why a body is answered and forgotten.
    IgnoredReason {
        /// It only acknowledges.
        Acknowledgement "acknowledgement",
        /// A webhook without items.
        NoItems "no_items",
    }

    /// Why a body must be sent again.
    BusyReason {
        /// A queue that may refuse has no room.
        Full "full",
        /// The store failed.
        Store "store",
        /// The wait for another's commit took too long.
        Late "late",
        /// The engine is shutting down.
        Closing "closing",
    }

    /// Why the sender is not believed.
    UnauthorizedReason {
        /// Wrong or missing credentials.
        Credentials "credentials",
        /// Untrusted content on an endpoint without credentials.
        Untrusted "untrusted",
    }

    /// What the answer to a request of the host's own did.
    ReplyOutcome {
        /// It ended the wait.
        Matched "matched",
        /// It acknowledged; the wait goes on.
        Acknowledged "acknowledged",
        /// It failed; the wait falls due at once.
        Failed "failed",
        /// Nobody waits for it.
        Unknown "unknown",
    }
}

/// What the engine has done with a body. Every verdict is final: the host answers it and forgets the body.
///
/// ```
/// use nexowire_core::delivery::{BusyReason, Verdict};
///
/// let verdict = Verdict::Busy { reason: BusyReason::Full };
/// assert_eq!((verdict.word(), verdict.status(), verdict.body()), ("busy", Some(503), Some("busy")));
/// assert!(!verdict.is_kept());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// New: stored, if there is a store, and on its way to its queues.
    Accepted {
        /// The number of the first new message.
        first_seq: u64,
        /// How many new messages; their numbers follow each other.
        count: u32,
        /// It is in a store.
        stored: bool,
    },
    /// Seen before.
    Duplicate {
        /// The number of the first one.
        seq: u64,
    },
    /// Kept where nobody polls it.
    Quarantined {
        /// The number of the (first) entry.
        seq: u64,
        /// It is in a store.
        stored: bool,
        /// Why.
        reason: QuarantineReason,
    },
    /// Nothing to keep.
    Ignored {
        /// Why.
        reason: IgnoredReason,
    },
    /// Not kept, to be sent again.
    Busy {
        /// Why.
        reason: BusyReason,
    },
    /// The sender is not believed.
    Unauthorized {
        /// Why.
        reason: UnauthorizedReason,
    },
    /// A third party sent a request that it may not send.
    NotAllowed,
    /// Over the limit of size.
    TooLarge,
    /// Compressed or otherwise encoded.
    Encoded,
    /// The answer to a request of the host's own, which gets no answer itself.
    Reply(ReplyOutcome),
}

impl Verdict {
    /// The word for this verdict in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Duplicate { .. } => "duplicate",
            Self::Quarantined { .. } => "quarantined",
            Self::Ignored { .. } => "ignored",
            Self::Busy { .. } => "busy",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotAllowed => "not_allowed",
            Self::TooLarge => "too_large",
            Self::Encoded => "encoded",
            Self::Reply(_) => "reply",
        }
    }

    /// The HTTP status to answer; `None` for a reply.
    ///
    /// Only a 5xx is ever sent again, so that what is kept is answered 200, whatever is wrong with it, and only what
    /// is not kept and must not be lost is answered 503.
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Accepted { .. } | Self::Duplicate { .. } | Self::Quarantined { .. } | Self::Ignored { .. } => {
                Some(200)
            }
            Self::Busy { .. } => Some(503),
            Self::Unauthorized { .. } => Some(401),
            Self::NotAllowed => Some(403),
            Self::TooLarge => Some(413),
            Self::Encoded => Some(415),
            Self::Reply(_) => None,
        }
    }

    /// The body to answer, as `text/plain`; `None` for a reply.
    pub const fn body(self) -> Option<&'static str> {
        match self {
            Self::Accepted { .. } | Self::Duplicate { .. } | Self::Quarantined { .. } | Self::Ignored { .. } => {
                Some("[accepted]")
            }
            Self::Busy { .. } => Some("busy"),
            Self::Unauthorized { .. } => Some("unauthorized"),
            Self::NotAllowed => Some("010 Not Allowed"),
            Self::TooLarge => Some("too large"),
            Self::Encoded => Some("encoded"),
            Self::Reply(_) => None,
        }
    }

    /// The number of the first new message, of the entry, or of the one seen before.
    pub const fn seq(self) -> Option<u64> {
        match self {
            Self::Accepted { first_seq: seq, .. } | Self::Duplicate { seq } | Self::Quarantined { seq, .. } => {
                Some(seq)
            }
            _ => None,
        }
    }

    /// How many new messages there are.
    pub const fn count(self) -> u32 {
        match self {
            Self::Accepted { count, .. } => count,
            _ => 0,
        }
    }

    /// Whether a store has it.
    pub const fn is_stored(self) -> bool {
        matches!(self, Self::Accepted { stored: true, .. } | Self::Quarantined { stored: true, .. })
    }

    /// Whether the engine has the body, in a queue or in the quarantine.
    pub const fn is_kept(self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::Quarantined { .. })
    }

    /// The word for the reason, where there is one.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Quarantined { reason, .. } => Some(reason.word()),
            Self::Ignored { reason } => Some(reason.word()),
            Self::Busy { reason } => Some(reason.word()),
            Self::Unauthorized { reason } => Some(reason.word()),
            Self::NotAllowed => Some("third_party"),
            Self::Reply(outcome) => Some(outcome.word()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `drive.md`, row by row.
    #[test]
    fn every_verdict_has_its_row() {
        let accepted = Verdict::Accepted { first_seq: 7, count: 2, stored: false };
        let quarantined = Verdict::Quarantined { seq: 3, stored: false, reason: QuarantineReason::Soap };
        let ignored = Verdict::Ignored { reason: IgnoredReason::NoItems };
        let unauthorized = Verdict::Unauthorized { reason: UnauthorizedReason::Credentials };
        for (verdict, word, answer, seq, count, reason) in [
            (accepted, "accepted", Some((200, "[accepted]")), Some(7), 2, None),
            (Verdict::Duplicate { seq: 1 }, "duplicate", Some((200, "[accepted]")), Some(1), 0, None),
            (quarantined, "quarantined", Some((200, "[accepted]")), Some(3), 0, Some("soap")),
            (ignored, "ignored", Some((200, "[accepted]")), None, 0, Some("no_items")),
            (Verdict::Busy { reason: BusyReason::Late }, "busy", Some((503, "busy")), None, 0, Some("late")),
            (unauthorized, "unauthorized", Some((401, "unauthorized")), None, 0, Some("credentials")),
            (Verdict::NotAllowed, "not_allowed", Some((403, "010 Not Allowed")), None, 0, Some("third_party")),
            (Verdict::TooLarge, "too_large", Some((413, "too large")), None, 0, None),
            (Verdict::Encoded, "encoded", Some((415, "encoded")), None, 0, None),
            (Verdict::Reply(ReplyOutcome::Matched), "reply", None, None, 0, Some("matched")),
        ] {
            assert_eq!(verdict.word(), word);
            assert_eq!(verdict.status().zip(verdict.body()), answer, "{word}");
            assert_eq!((verdict.seq(), verdict.count(), verdict.reason()), (seq, count, reason), "{word}");
            assert_eq!((verdict.is_stored(), verdict.is_kept()), (false, ["accepted", "quarantined"].contains(&word)));
        }
    }
}
