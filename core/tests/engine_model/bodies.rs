//! What arrives: few terminals, few keys, few variants.

use crate::Random;
use crate::setup::{A, B, Setup};

pub(crate) const TERMINALS: [&str; 3] = ["T1", "T2", "T3"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    Response,
    Event,
    Request,
    Item,
}

/// What makes a message the same as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) sort: Sort,
    pub(crate) terminal: usize,
    pub(crate) number: u64,
}

/// One message to be, and what tells it from others of its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) key: Key,
    pub(crate) digest: u64,
    pub(crate) item: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) text: String,
    /// Nothing if it is malformed.
    pub(crate) wanted: Vec<Wanted>,
}

impl Body {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut wanted = |sort| {
            let variants = if sort == Sort::Event { 1 } else { 2 };
            let key = Key { sort, terminal: random.below(3) as usize, number: random.below(2) };
            Wanted { key, digest: random.below(variants), item: None }
        };
        let one = [wanted(Sort::Response), wanted(Sort::Event), wanted(Sort::Request)];
        let items = [(); 3].map(|()| wanted(Sort::Item));
        match random.below(16) {
            0 => Self { text: "{".to_owned(), wanted: vec![] },
            1..=3 => Self::webhook(&items[..1 + random.below(3) as usize]),
            4..=9 => Self::of(one[0]),
            10..=13 => Self::of(one[1]),
            _ => Self::of(one[2]),
        }
    }

    fn of(wanted: Wanted) -> Self {
        let Wanted { key: Key { sort, terminal, number }, digest, .. } = wanted;
        let header = format!(
            r#""MessageHeader":{{"MessageCategory":"Payment","SaleID":"S","ServiceID":"{number}","DeviceID":"D","POIID":"{}"}}"#,
            TERMINALS[terminal]
        );
        let text = match sort {
            Sort::Response => {
                let result = ["Success", "Failure"][digest as usize];
                format!(
                    r#"{{"SaleToPOIResponse":{{"PaymentResponse":{{"Response":{{"Result":"{result}"}}}},{header}}}}}"#
                )
            }
            Sort::Event => {
                let event = format!(r#"{{"EventToNotify":"Shutdown","TimeStamp":"2026-03-02T08:00:0{number}Z"}}"#);
                format!(r#"{{"SaleToPOIRequest":{{"EventNotification":{event},{header}}}}}"#)
            }
            _ => {
                let amount = format!(r#"{{"AmountsReq":{{"Currency":"EUR","RequestedAmount":{digest}}}}}"#);
                let body = format!(r#"{{"PaymentTransaction":{amount}}}"#);
                format!(r#"{{"SaleToPOIRequest":{{"PaymentRequest":{body},{header}}}}}"#)
            }
        };
        Self { text, wanted: vec![wanted] }
    }

    fn webhook(wanted: &[Wanted]) -> Self {
        let item = |wanted: &Wanted| {
            let Wanted { key: Key { terminal, number, .. }, digest, .. } = wanted;
            format!(
                r#"{{"NotificationRequestItem":{{"eventCode":"AUTHORISATION","success":"true","merchantAccountCode":"M","pspReference":"P{number}{terminal}","reason":"{digest}","additionalData":{{"terminalId":"{}"}}}}}}"#,
                TERMINALS[*terminal]
            )
        };
        let items: Vec<_> = wanted.iter().map(item).collect();
        let text = format!(r#"{{"live":"false","notificationItems":[{}]}}"#, items.join(","));
        let wanted = (0..).zip(wanted).map(|(index, wanted)| Wanted { item: Some(index), ..*wanted });
        Self { text, wanted: wanted.collect() }
    }
}

impl Wanted {
    pub(crate) fn is_webhook(&self) -> bool {
        self.key.sort == Sort::Item
    }

    pub(crate) fn is_in_scope(&self, setup: &Setup) -> bool {
        !(setup.scope && self.key.terminal == 2)
    }

    pub(crate) fn queues(&self, setup: &Setup) -> Vec<usize> {
        match self.key.sort {
            Sort::Response if setup.has_b => vec![A, B],
            Sort::Event if setup.has_b => vec![B],
            _ => vec![A],
        }
    }
}
