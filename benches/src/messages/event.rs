//! Event notifications: what happened at a terminal.

use super::{device_id, poi_id, sale_id, texts, time_stamp};
use crate::layout::Node;
use crate::random::Random;

const EVENTS: [[&str; 2]; 9] = [
    ["Shutdown", "newstate=IDLE&oldstate=START"],
    ["BeginMaintenance", "newstate=IDLE&oldstate=START"],
    ["EndMaintenance", "newstate=IDLE&oldstate=START"],
    ["SaleWakeUp", "wakeup=true"],
    ["SaleAdmin", "adminevent=MENU&button=3"],
    ["CardInserted", "newstate=IDLE&oldstate=CARD_INSERTED&cardpresent=true"],
    ["CardRemoved", "newstate=START&oldstate=CARD_INSERTED"],
    ["NetworkDisconnected", "reason=LINK_DOWN&iface=eth0"],
    ["NetworkConnected", "iface=wlan0&ssid=store"],
];

pub(crate) fn event(random: &mut Random) -> Node {
    let [event, details] = random.pick(&EVENTS);
    let notification = texts([
        ("EventDetails", details.to_owned()),
        ("EventToNotify", event.to_owned()),
        ("TimeStamp", time_stamp(random)),
    ]);
    let header = texts([
        ("SaleID", sale_id(random)),
        ("ProtocolVersion", "3.0".to_owned()),
        ("MessageType", "Notification".to_owned()),
        ("POIID", poi_id(random)),
        ("MessageClass", "Event".to_owned()),
        ("MessageCategory", "Event".to_owned()),
        ("DeviceID", device_id(random)),
    ]);
    let request = Node::Object(vec![("EventNotification", notification), ("MessageHeader", header)]);
    Node::Object(vec![("SaleToPOIRequest", request)])
}
