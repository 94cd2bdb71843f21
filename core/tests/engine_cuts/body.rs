//! Bodies by number: all that is to be known of one follows from its number, which is its tag as well.

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// For all queues.
    Event,
    /// Two of a key say different things.
    Response,
    Webhook {
        items: u32,
    },
    /// For the quarantine.
    Bad,
}

/// How many terminals there are.
const TERMINALS: u64 = 3;

pub(crate) fn sort(id: u64) -> Sort {
    match id / 2 % 8 {
        0..4 => Sort::Event,
        4 | 5 => Sort::Response,
        6 => Sort::Webhook { items: 1 + (id / 2 % 3) as u32 },
        _ => Sort::Bad,
    }
}

pub(crate) fn terminal(id: u64) -> u64 {
    id / 2 % TERMINALS
}

/// How many messages it becomes.
pub(crate) fn count(id: u64) -> u32 {
    match sort(id) {
        Sort::Event | Sort::Response => 1,
        Sort::Webhook { items } => items,
        Sort::Bad => 0,
    }
}

/// The queues that each of its messages goes to, by their place in [`crate::life::QUEUES`].
pub(crate) fn queues(id: u64) -> &'static [usize] {
    match sort(id) {
        Sort::Event => &[0, 1, 2],
        Sort::Response => &[0],
        Sort::Webhook { .. } => &[1],
        Sort::Bad => &[],
    }
}

/// The bytes; some are long, so that they lie on several pages.
pub(crate) fn text(id: u64) -> String {
    let poiid = format!("V400m-{}", terminal(id));
    let filler = "x".repeat(if id.is_multiple_of(11) { 9_000 } else { (id % 400) as usize });
    match sort(id) {
        Sort::Event => format!(
            r#"{{"SaleToPOIRequest":{{"EventNotification":{{"EventToNotify":"Shutdown","EventDetails":"{id} {filler}"}},"MessageHeader":{{"SaleID":"Till1","POIID":"{poiid}"}}}}}}"#
        ),
        Sort::Response => {
            let result = if id.is_multiple_of(2) { "Success" } else { "Failure" };
            let service = id / 2;
            format!(
                r#"{{"SaleToPOIResponse":{{"PaymentResponse":{{"Response":{{"Result":"{result}"}}}},"MessageHeader":{{"SaleID":"Till1","ServiceID":"{service}","MessageCategory":"Payment","POIID":"{poiid}"}}}}}}"#
            )
        }
        Sort::Webhook { items } => {
            let item = |item| {
                format!(
                    r#"{{"NotificationRequestItem":{{"eventCode":"AUTHORISATION","success":"true","pspReference":"{id}-{item}","merchantAccountCode":"Mine","additionalData":{{"terminalId":"{poiid}"}}}}}}"#
                )
            };
            let items: Vec<_> = (0..items).map(item).collect();
            format!(r#"{{"live":"false","notificationItems":[{}]}}"#, items.join(","))
        }
        Sort::Bad => format!("{{{id} {filler}"),
    }
}
