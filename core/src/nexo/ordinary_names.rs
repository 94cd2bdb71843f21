//! The tables by which ordinary messages are walked: what each name means where.

use super::Field;
use super::MessageCategory as Category;
use super::names::{BodyName, Ending};
use crate::json::NameTable;

/// An object in which names are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Level {
    Root,
    Envelope,
    Header,
    /// Any body but an event's and a display's.
    Body,
    Event,
    Display,
    Response,
    PoiData,
    PoiTransaction,
    SaleData,
    SaleTransaction,
    PaymentResult,
    AmountsResp,
    PaymentTransaction,
    AmountsReq,
    Output,
    OutputContent,
    PredefinedContent,
}

impl Level {
    const ALL: [Self; 18] = [
        Self::Root,
        Self::Envelope,
        Self::Header,
        Self::Body,
        Self::Event,
        Self::Display,
        Self::Response,
        Self::PoiData,
        Self::PoiTransaction,
        Self::SaleData,
        Self::SaleTransaction,
        Self::PaymentResult,
        Self::AmountsResp,
        Self::PaymentTransaction,
        Self::AmountsReq,
        Self::Output,
        Self::OutputContent,
        Self::PredefinedContent,
    ];

    /// The level with this number.
    #[inline(always)]
    pub(super) fn of(number: u8) -> Self {
        // Room for a power of two, so that no number is out of bounds.
        static ALL: [Level; 32] = {
            let (mut all, mut at) = ([Level::Root; 32], 0);
            while at < Level::ALL.len() {
                all[at] = Level::ALL[at];
                at += 1;
            }
            all
        };
        ALL[usize::from(number) % ALL.len()]
    }

    /// The level of a body's members.
    pub(super) fn of_body(name: BodyName) -> Self {
        match name {
            BodyName::EVENT => Self::Event,
            BodyName::DISPLAY => Self::Display,
            _ => Self::Body,
        }
    }
}

/// What to do with a member that is not just a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Its text is a field, the commonest of all.
    Field(Field),
    /// Nobody looks into it, but it may not come twice.
    Once,
    /// Its members are looked at.
    Enter(Level),
    /// ReversedAmount.
    Amount,
    /// DisplayOutput.
    Output,
    Device,
    /// To be left to the exact walk.
    Odd,
}

const fn body(category: Category, ending: Ending) -> BodyName {
    BodyName { category, ending }
}

/// The bodies that most messages have.
pub(super) static BODIES: [BodyName; 5] = [
    BodyName::EVENT,
    BodyName::DISPLAY,
    body(Category::Payment, Ending::Response),
    body(Category::Payment, Ending::Request),
    body(Category::Reversal, Ending::Response),
];

/// A field, or what else to do: a place in [`MEANINGS`] or one of the two below.
type Step = (Option<Field>, u8);

/// Nobody looks for the name.
pub(super) const SKIP: u8 = 255;
/// Perhaps the name of a body.
pub(super) const UNKNOWN: u8 = 254;

/// The bits by which names are remembered that are no fields; fields have those of their slots. Names with the same bit
/// exclude each other.
pub(super) const HEADER: u8 = 32;
const AMOUNT: u8 = 61;
pub(super) const REQUEST: u8 = 48;
pub(super) const RESPONSE: u8 = 49;
/// The first of [`BODIES`]; the others follow, and behind them any other body.
pub(super) const FIRST_BODY: u8 = 50;
pub(super) const OTHER_BODY: u8 = FIRST_BODY + BODIES.len() as u8;

/// Of each of these an ordinary message has one.
pub(super) const ENVELOPE_BITS: u64 = 1 << REQUEST | 1 << RESPONSE;
pub(super) const BODY_BITS: u64 = (2 << OTHER_BODY) - (1 << FIRST_BODY);

/// The names that are looked for: where, and what for. With the bit by which it is remembered that it came, if it is no
/// field.
const MEANINGS: &[(Level, &str, Action, u8)] = &[
    (Level::Root, "SaleToPOIRequest", Action::Enter(Level::Envelope), REQUEST),
    (Level::Root, "SaleToPOIResponse", Action::Enter(Level::Envelope), RESPONSE),
    (Level::Envelope, "MessageHeader", Action::Enter(Level::Header), HEADER),
    (Level::Envelope, "NexoBlob", Action::Field(Field::NexoBlob), 0),
    (Level::Envelope, "SecurityTrailer", Action::Once, 33),
    (Level::Envelope, "EventNotification", Action::Enter(Level::Event), FIRST_BODY),
    (Level::Envelope, "DisplayRequest", Action::Enter(Level::Display), FIRST_BODY + 1),
    (Level::Envelope, "PaymentResponse", Action::Enter(Level::Body), FIRST_BODY + 2),
    (Level::Envelope, "PaymentRequest", Action::Enter(Level::Body), FIRST_BODY + 3),
    (Level::Envelope, "ReversalResponse", Action::Enter(Level::Body), FIRST_BODY + 4),
    (Level::Header, "MessageClass", Action::Field(Field::MessageClass), 0),
    (Level::Header, "MessageCategory", Action::Field(Field::MessageCategory), 0),
    (Level::Header, "MessageType", Action::Field(Field::MessageType), 0),
    (Level::Header, "ProtocolVersion", Action::Field(Field::ProtocolVersion), 0),
    (Level::Header, "POIID", Action::Field(Field::PoiId), 0),
    (Level::Header, "SaleID", Action::Field(Field::SaleId), 0),
    (Level::Header, "ServiceID", Action::Field(Field::ServiceId), 0),
    (Level::Header, "DeviceID", Action::Field(Field::DeviceId), 0),
    (Level::Event, "TimeStamp", Action::Field(Field::EventTimeStamp), 0),
    (Level::Event, "EventToNotify", Action::Field(Field::EventToNotify), 0),
    (Level::Event, "EventDetails", Action::Field(Field::EventDetails), 0),
    (Level::Event, "RejectedMessage", Action::Field(Field::RejectedMessage), 0),
    (Level::Event, "MaintenanceRequiredFlag", Action::Field(Field::MaintenanceRequiredFlag), 0),
    (Level::Body, "Response", Action::Enter(Level::Response), 34),
    (Level::Body, "InputResult", Action::Odd, 35),
    (Level::Body, "OutputResult", Action::Odd, 36),
    (Level::Body, "RepeatedMessageResponse", Action::Odd, 37),
    (Level::Body, "POIData", Action::Enter(Level::PoiData), 38),
    (Level::Body, "SaleData", Action::Enter(Level::SaleData), 39),
    (Level::Body, "PaymentResult", Action::Enter(Level::PaymentResult), AMOUNT),
    (Level::Body, "PaymentTransaction", Action::Enter(Level::PaymentTransaction), AMOUNT),
    (Level::Body, "ReversedAmount", Action::Amount, AMOUNT),
    (Level::Display, "DisplayOutput", Action::Output, 40),
    (Level::Response, "Result", Action::Field(Field::Result), 0),
    (Level::Response, "ErrorCondition", Action::Field(Field::ErrorCondition), 0),
    (Level::Response, "AdditionalResponse", Action::Field(Field::AdditionalResponse), 0),
    (Level::PoiData, "POITransactionID", Action::Enter(Level::PoiTransaction), 41),
    (Level::PoiTransaction, "TransactionID", Action::Field(Field::PoiTransactionId), 0),
    (Level::PoiTransaction, "TimeStamp", Action::Field(Field::PoiTimeStamp), 0),
    (Level::SaleData, "SaleTransactionID", Action::Enter(Level::SaleTransaction), 42),
    (Level::SaleTransaction, "TransactionID", Action::Field(Field::SaleTransactionId), 0),
    (Level::PaymentResult, "AmountsResp", Action::Enter(Level::AmountsResp), 43),
    (Level::AmountsResp, "AuthorizedAmount", Action::Field(Field::Amount), 0),
    (Level::AmountsResp, "Currency", Action::Field(Field::Currency), 0),
    (Level::PaymentTransaction, "AmountsReq", Action::Enter(Level::AmountsReq), 44),
    (Level::AmountsReq, "RequestedAmount", Action::Field(Field::Amount), 0),
    (Level::AmountsReq, "Currency", Action::Field(Field::Currency), 0),
    (Level::Output, "Device", Action::Device, 45),
    (Level::Output, "OutputContent", Action::Enter(Level::OutputContent), 46),
    (Level::OutputContent, "PredefinedContent", Action::Enter(Level::PredefinedContent), 47),
    (Level::PredefinedContent, "ReferenceID", Action::Field(Field::ReferenceId), 0),
];

/// With this factor all names have a slot of their own.
const FACTOR: u64 = 0x08e1_f7ed_d987_a0c1;

/// The names, and for each level and slot what to do; the last slot is for all other names.
const TABLES: (NameTable, [[Step; NameTable::SLOT_COUNT + 1]; Level::ALL.len()]) = {
    let mut names = NameTable::new(FACTOR);
    let mut steps = [[(None, SKIP); NameTable::SLOT_COUNT + 1]; Level::ALL.len()];
    steps[Level::Envelope as usize] = [(None, UNKNOWN); NameTable::SLOT_COUNT + 1];
    let mut at = 0;
    while at < MEANINGS.len() {
        let (level, name, action, _) = MEANINGS[at];
        let step = match action {
            Action::Field(field) => (Some(field), 0),
            _ => (None, at as u8),
        };
        let slot = names.add(name);
        steps[level as usize][slot] = step;
        if matches!(level, Level::Body) {
            steps[Level::Event as usize][slot] = step;
            steps[Level::Display as usize][slot] = step;
        }
        at += 1;
    }
    (names, steps)
};

/// The names that are looked for.
pub(super) static NAMES: NameTable = TABLES.0;

/// What to do on each level with the name of each slot.
pub(super) static STEPS: [[Step; NameTable::SLOT_COUNT + 1]; Level::ALL.len()] = TABLES.1;

// Fields and other meanings are remembered by bits of one word.
const _: () = assert!(Field::ALL.len() <= 32);

/// What the number of a step that is no field stands for, and the bit by which it is remembered.
#[inline(always)]
pub(super) fn meaning(step: u8) -> (Action, u8) {
    // Room for a power of two, so that no number is out of bounds.
    static ALL: [(Action, u8); 64] = {
        let (mut all, mut at) = ([(Action::Odd, OTHER_BODY); 64], 0);
        while at < MEANINGS.len() {
            all[at] = (MEANINGS[at].2, MEANINGS[at].3);
            at += 1;
        }
        all
    };
    ALL[usize::from(step) % ALL.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_hold_the_amount_share_a_bit() {
        let mut seen = 0_u64;
        for (_, name, action, bit) in MEANINGS {
            assert!(matches!(action, Action::Field(_)) == (*bit == 0), "{name}");
            if *bit != 0 && *bit != AMOUNT {
                assert!(usize::from(*bit) >= Field::ALL.len() && *bit != OTHER_BODY, "{name}");
                assert_eq!(seen >> bit & 1, 0, "{name}");
                seen |= 1 << bit;
            }
        }
        assert_eq!(seen & BODY_BITS, BODY_BITS & !(1 << OTHER_BODY));
        assert_eq!(seen >> AMOUNT & 1, 0);
    }
}
