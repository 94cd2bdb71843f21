//! What a rule asks of a message: a list of matchers, all of which must fit.

use std::sync::Arc;

use super::pattern::Patterns;
use super::subject::{Subject, Word};
use crate::nexo::{Envelope, Kind};

/// A member of a rule that holds words of an open vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum WordMember {
    Class,
    Category,
    Type,
    Event,
    DisplayEvent,
    Result,
    ErrorCondition,
    EventCode,
}

impl WordMember {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Category => "category",
            Self::Type => "type",
            Self::Event => "event",
            Self::DisplayEvent => "display_event",
            Self::Result => "result",
            Self::ErrorCondition => "error_condition",
            Self::EventCode => "event_code",
        }
    }

    #[inline]
    pub(super) fn of<'a>(self, subject: &Subject<'a>) -> Option<Word<'a>> {
        match self {
            Self::Class => subject.class,
            Self::Category => subject.category,
            Self::Type => subject.message_type,
            Self::Event => subject.event,
            Self::DisplayEvent => subject.display_event,
            Self::Result => subject.result,
            Self::ErrorCondition => subject.error_condition,
            Self::EventCode => subject.event_code,
        }
    }
}

/// A member of a rule that holds free texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum TextMember {
    MerchantAccount,
    Poiid,
    SaleId,
}

impl TextMember {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::MerchantAccount => "merchant_account",
            Self::Poiid => "poiid",
            Self::SaleId => "sale_id",
        }
    }

    #[inline]
    pub(super) fn of<'a>(self, subject: &Subject<'a>) -> Option<&'a [u8]> {
        match self {
            Self::MerchantAccount => subject.merchant_account,
            Self::Poiid => subject.poiid,
            Self::SaleId => subject.sale_id,
        }
    }
}

/// A word in a rule: by number if the vocabulary has it, else by its letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RuleWord {
    Known(u8),
    Unknown(Box<[u8]>),
}

impl RuleWord {
    #[inline]
    pub(super) fn fits(&self, word: Word<'_>) -> bool {
        match self {
            Self::Known(id) => *id == word.id,
            Self::Unknown(text) => word.id == 0 && **text == *word.text,
        }
    }
}

/// One member of a rule. It fits if any of its values does, and never if the message lacks what it asks for.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Kind(Vec<Kind>),
    /// Indexes of endpoints. Names that are not declared have none.
    Endpoint(Vec<u16>),
    Envelope(Vec<Envelope>),
    Word(WordMember, Vec<RuleWord>),
    Success(Vec<bool>),
    Live(Vec<bool>),
    Text(TextMember, Arc<Patterns>),
}

impl Matcher {
    /// The member's name in the configuration.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Kind(_) => "kind",
            Self::Endpoint(_) => "endpoint",
            Self::Envelope(_) => "envelope",
            Self::Word(member, _) => member.name(),
            Self::Success(_) => "success",
            Self::Live(_) => "live",
            Self::Text(member, _) => member.name(),
        }
    }

    /// Whether it fits.
    #[inline]
    pub(super) fn fits(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Kind(kinds) => kinds.contains(&subject.kind),
            Self::Endpoint(endpoints) => endpoints.contains(&subject.endpoint),
            Self::Envelope(envelopes) => envelopes.contains(&subject.envelope),
            Self::Word(member, words) => {
                member.of(subject).is_some_and(|word| words.iter().any(|rule_word| rule_word.fits(word)))
            }
            Self::Success(values) => subject.success.is_some_and(|success| values.contains(&success)),
            Self::Live(values) => subject.live.is_some_and(|live| values.contains(&live)),
            Self::Text(member, patterns) => member.of(subject).is_some_and(|text| patterns.contains(text)),
        }
    }
}
