//! Answers to payments: two receipts, and an AdditionalResponse of some 45 pairs.

use super::receipt::{Slip, receipt};
use super::{percent, poi_id, psp_reference, sale_id, service_id, tender, texts, time_stamp};
use crate::layout::Node;
use crate::random::Random;

pub(crate) fn payment(random: &mut Random) -> Node {
    let (time, tender) = (time_stamp(random), tender(random));
    let transaction = format!("{tender}.{}", psp_reference(random));
    let cents = random.between(100, 99_999);
    let amount = format!("{}.{:02}", cents / 100, cents % 100);
    let shop = if random.percent(40) {
        random.pick(&["Coffee & Co", "Boulangerie Dupré", "Käsehaus Zürich", "Shop 42", "Bike Store"]).to_owned()
    } else {
        format!("Shop {}", random.between(1, 99))
    };
    let slip = Slip { time: &time, tender: &tender, shop: &shop, amount: &amount };
    let receipts = vec![
        receipt("CashierReceipt", "name=YOUR%20RECEIPT&key=merchantTitle", &slip, random),
        receipt("CustomerReceipt", "name=CARDHOLDER%20RECEIPT&key=cardholderHeader", &slip, random),
    ];
    let number = random.between(100, 99_999).to_string();
    let body = Node::Object(vec![
        ("POIData", poi_data(&time, transaction)),
        ("PaymentReceipt", Node::Array(receipts)),
        ("PaymentResult", result(&time, amount, random)),
        ("Response", response(&time, cents, random)),
        ("SaleData", Node::Object(vec![("SaleTransactionID", transaction_id(&time, number))])),
    ]);
    let header = texts([
        ("MessageCategory", "Payment".to_owned()),
        ("MessageClass", "Service".to_owned()),
        ("MessageType", "Response".to_owned()),
        ("POIID", poi_id(random)),
        ("ProtocolVersion", "3.0".to_owned()),
        ("SaleID", sale_id(random)),
        ("ServiceID", service_id(random)),
    ]);
    let mut members = vec![("MessageHeader", header), ("PaymentResponse", body)];
    if random.percent(50) {
        members.reverse();
    }
    Node::Object(vec![("SaleToPOIResponse", Node::Object(members))])
}

fn poi_data(time: &str, transaction: String) -> Node {
    Node::Object(vec![
        ("POIReconciliationID", Node::text("1000")),
        ("POITransactionID", transaction_id(time, transaction)),
    ])
}

fn transaction_id(time: &str, id: String) -> Node {
    texts([("TimeStamp", time.to_owned()), ("TransactionID", id)])
}

fn result(time: &str, amount: String, random: &mut Random) -> Node {
    let acquirer = Node::Object(vec![
        ("AcquirerPOIID", Node::Text(poi_id(random))),
        ("AcquirerTransactionID", transaction_id(time, psp_reference(random))),
        ("ApprovalCode", Node::Text(random.between(100_000, 999_999).to_string())),
        ("MerchantID", Node::text("TestMerchant")),
    ]);
    let card = Node::Object(vec![
        ("CardCountryCode", Node::text("528")),
        ("EntryMode", Node::Array(vec![Node::text("Tapped")])),
        ("MaskedPan", Node::text("491761 **** 0011")),
        ("PaymentBrand", Node::text("visa")),
        ("SensitiveCardData", texts([("CardSeqNumb", "01".to_owned()), ("ExpiryDate", "1229".to_owned())])),
    ]);
    let amounts = vec![("AuthorizedAmount", Node::Plain(amount)), ("Currency", Node::text("EUR"))];
    Node::Object(vec![
        ("AmountsResp", Node::Object(amounts)),
        ("OnlineFlag", Node::Plain("true".to_owned())),
        ("PaymentAcquirerData", acquirer),
        (
            "PaymentInstrumentData",
            Node::Object(vec![("CardData", card), ("PaymentInstrumentType", Node::text("Card"))]),
        ),
    ])
}

fn response(time: &str, cents: u64, random: &mut Random) -> Node {
    let pairs = additional_response(time, cents, random);
    let kept = pairs.into_iter().filter(|_| random.percent(95));
    let pairs: Vec<String> = kept.map(|(key, value)| format!("{key}={}", percent(&value))).collect();
    let additional = ("AdditionalResponse", Node::Text(pairs.join("&")));
    let approved = random.percent(90);
    Node::Object(if approved {
        vec![additional, ("Result", Node::text("Success"))]
    } else {
        vec![additional, ("ErrorCondition", Node::text("Refusal")), ("Result", Node::text("Failure"))]
    })
}

fn additional_response(time: &str, cents: u64, random: &mut Random) -> Vec<(&'static str, String)> {
    let shopper = random.pick(&["J. de Tester", "José Núñez", "A SMITH"]);
    let mut pairs = vec![
        ("AID", format!("A000000003{:04}", random.below(10_000))),
        ("adjustAuthorisationData", format!("BQABAQ{}{}==", psp_reference(random), psp_reference(random))),
        ("alias", format!("M{:015}", random.below(1_000_000_000_000_000))),
        ("authCode", random.between(100_000, 999_999).to_string()),
        ("authorisedAmountValue", cents.to_string()),
        ("cardBin", format!("4917{:02}", random.below(100))),
        ("cardHolderName", shopper.to_owned()),
        ("cardSummary", format!("{:04}", random.below(10_000))),
        ("iso8601TxDate", time.to_owned()),
        ("merchantReference", format!("MR-{}", random.between(1_000_000, 10_000_000))),
        ("posAuthAmountValue", cents.to_string()),
        ("pspReference", psp_reference(random)),
        ("tid", format!("{:08}", random.below(100_000_000))),
        ("transactionReferenceNumber", psp_reference(random)),
        ("txdate", time[..10].to_owned()),
        ("txtime", time[11..19].to_owned()),
        ("unconfirmedBatchCount", random.between(1, 20).to_string()),
    ];
    pairs.extend(SAME_EVERYWHERE.map(|(key, value)| (key, value.to_owned())));
    // As terminals do it; capitals come before small letters.
    pairs.sort_by_key(|(key, _)| *key);
    pairs
}

/// The pairs that say the same in every payment of a shop.
const SAME_EVERYWHERE: [(&str, &str); 30] = [
    ("acquirerAccountCode", "TestPmmAcquirerAccount"),
    ("acquirerCode", "TestPmmAcquirer"),
    ("acquirerResponseCode", "APPROVED"),
    ("aliasType", "Default"),
    ("applicationLabel", "VISA DEBIT"),
    ("applicationPreferredName", "VISA DEBIT"),
    ("authorisationMid", "1000"),
    ("authorisedAmountCurrency", "EUR"),
    ("avsResult", "0 Unknown"),
    ("backendGiftcardIndicator", "false"),
    ("cardHolderVerificationMethodResults", "1F0302"),
    ("cardIssueNumber", "33"),
    ("cardScheme", "visa"),
    ("cardType", "visa"),
    ("cvcResult", "0 Unknown"),
    ("expiryDate", "12/2029"),
    ("expiryMonth", "12"),
    ("expiryYear", "2029"),
    ("fundingSource", "DEBIT"),
    ("giftcardIndicator", "false"),
    ("issuerCountry", "NL"),
    ("mid", "1000"),
    ("offline", "false"),
    ("paymentMethod", "visa"),
    ("paymentMethodVariant", "visadebit"),
    ("posAmountCashbackValue", "0"),
    ("posAmountGratuityValue", "0"),
    ("posAuthAmountCurrency", "EUR"),
    ("posEntryMode", "CLESS_CHIP"),
    ("shopperCountry", "NL"),
];
