//! Display notifications: the steps of a payment.

use super::{device_id, poi_id, psp_reference, sale_id, service_id, tender, texts, time_stamp};
use crate::layout::Node;
use crate::random::Random;

const STEPS: [&str; 9] = [
    "TENDER_CREATED",
    "CARD_INSERTED",
    "PIN_ENTERED",
    "PIN_DIGIT_ENTERED",
    "TENDER_FINAL",
    "APPLICATION_SELECTED",
    "CARD_PRESENTED",
    "WAIT_FOR_PIN",
    "ASK_DCC",
];

pub(crate) fn display(random: &mut Random) -> Node {
    let output = output(random);
    // Two of a hundred say it twice.
    let outputs = if random.percent(2) { vec![output.clone(), output] } else { vec![output] };
    let header = texts([
        ("SaleID", sale_id(random)),
        ("ProtocolVersion", "3.0".to_owned()),
        ("MessageType", "Request".to_owned()),
        ("POIID", poi_id(random)),
        ("ServiceID", service_id(random)),
        ("MessageClass", "Device".to_owned()),
        ("MessageCategory", "Display".to_owned()),
        ("DeviceID", device_id(random)),
    ]);
    let display = Node::Object(vec![("DisplayOutput", Node::Array(outputs))]);
    let request = Node::Object(vec![("DisplayRequest", display), ("MessageHeader", header)]);
    Node::Object(vec![("SaleToPOIRequest", request)])
}

fn output(random: &mut Random) -> Node {
    let step = random.pick(&STEPS);
    let psp = if step == "TENDER_FINAL" { format!(".{}", psp_reference(random)) } else { String::new() };
    let time = time_stamp(random).replace(':', "%3a");
    let reference = format!("TransactionID={}{psp}&TimeStamp={time}&event={step}", tender(random));
    let content = Node::Object(vec![
        ("OutputFormat", Node::text("MessageRef")),
        ("PredefinedContent", texts([("ReferenceID", reference)])),
    ]);
    Node::Object(vec![
        ("Device", Node::text("CashierDisplay")),
        ("InfoQualify", Node::text("Status")),
        ("OutputContent", content),
        ("ResponseRequiredFlag", Node::Plain("false".to_owned())),
    ])
}
