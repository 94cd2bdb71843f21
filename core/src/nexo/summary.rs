//! One plain sentence for cashiers and staff, as the vendor's pages ask for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{
    DisplayEvent, ErrorCondition, EventToNotify, Field, Kind, MessageCategory, ResultWord, View, Vocabulary,
    WebhookField, Word,
};
use crate::text::Text;

/// Longer details are cut: a summary is one sentence.
const DETAILS_LENGTH_MAX: usize = 200;

/// The sentences, by the word that they explain: an event, a display event, a result or an error condition.
///
/// `{poiid}`, `{sale_id}`, `{details}`, `{result}`, `{condition}` and `{category}` are filled in. A word without a text
/// of its own has the built-in one.
///
/// ```
/// use nexowire_core::classify::classify;
/// use nexowire_core::limits::Limits;
/// use nexowire_core::nexo::{Texts, View};
///
/// let body = br#"{"SaleToPOIRequest":{"EventNotification":{"EventToNotify":"NetworkDisconnected"},
///     "MessageHeader":{"POIID":"V400m-346403161"}}}"#;
/// let classified = classify(body, &Limits::default());
/// let view = View::new(body, &classified.fields);
/// assert_eq!(view.summary(&Texts::default()), "Terminal V400m-346403161 lost its network connection");
/// let texts = Texts::new([("NetworkDisconnected".into(), "{poiid} ist offline".into())].into());
/// assert_eq!(view.summary(&texts), "V400m-346403161 ist offline");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    by_word: BTreeMap<String, String>,
}

impl Texts {
    /// These texts in place of the built-in ones.
    pub fn new(by_word: BTreeMap<String, String>) -> Self {
        Self { by_word }
    }

    /// The text for a word, if it is not the built-in one.
    fn own(&self, word: &str) -> Option<&str> {
        self.by_word.get(word).map(String::as_str)
    }
}

impl<'a> View<'a> {
    /// One sentence that a cashier understands, unknown words included.
    ///
    /// Control characters, line separators and what turns the direction of writing become blanks; long parts are cut.
    pub fn summary(self, texts: &Texts) -> String {
        let sentence = match self.fields.kind {
            Kind::Event => self.event_sentence(texts),
            Kind::Display => self.display_sentence(texts),
            Kind::Response => self.response_sentence(texts),
            Kind::Request => self.fill("Terminal {poiid} sent a request: {category}"),
            Kind::Secured => self.fill("Terminal {poiid} sent an encrypted message"),
            Kind::StandardWebhook => self.webhook_sentence(),
            Kind::ManagementWebhook => {
                let kind = self.pointer("/type").and_then(super::receipt::scalar).unwrap_or_default();
                format!("The account's settings changed: {kind}")
            }
            Kind::Acknowledgement => "An acknowledgement without a message".to_owned(),
            Kind::ErrorBody => "The payment platform reported an error".to_owned(),
            Kind::Foreign => "Not a terminal's message".to_owned(),
            Kind::Malformed => "Not a readable message".to_owned(),
            Kind::Timeout => self.fill("Terminal {poiid} did not answer in time: {category}"),
        };
        sentence.chars().map(|letter| if commands(letter) { ' ' } else { letter }).collect()
    }

    fn event_sentence(self, texts: &Texts) -> String {
        let Some(word) = self.event_to_notify().filter(|word| !word.text().raw().is_empty()) else {
            return self.fill("Terminal {poiid} sent an event without a name");
        };
        match (texts.own(&word.text().to_str()), word.known()) {
            (Some(text), _) => self.fill(text),
            (None, Some(event)) => self.fill(event_text(event, self.has_details())),
            (None, None) => self.fill("Terminal {poiid} reports ") + &short(word.text().to_str()),
        }
    }

    fn display_sentence(self, texts: &Texts) -> String {
        let word = self.display_event().map(|word| (word.known(), word.into_text()));
        let Some((known, text)) = word.filter(|(_, text)| !text.is_empty()) else {
            return self.fill("Terminal {poiid} shows a step of the payment");
        };
        match (texts.own(&text), known) {
            (Some(text), _) => self.fill(text),
            (None, Some(event)) => self.fill(display_text(event)),
            (None, None) => self.fill("Terminal {poiid} shows ") + &short(text),
        }
    }

    /// Result and condition. Of an answer to a status question it is the answer inside that matters.
    fn outcome(self) -> (Option<Word<'a, ResultWord>>, Option<Word<'a, ErrorCondition>>) {
        match self.repeated_result() {
            Some(result) => (Some(result), self.repeated_error_condition()),
            None => (self.result(), self.error_condition()),
        }
    }

    fn response_sentence(self, texts: &Texts) -> String {
        let (Some(result), condition) = self.outcome() else {
            return self.fill("Terminal {poiid} answered: {category}");
        };
        let is_said = |word: &Word<'_, _>| result.known() != Some(ResultWord::Success) && !word.text().raw().is_empty();
        let condition = condition.filter(is_said);
        let word = condition.map_or(result.text(), Word::text);
        if let Some(text) = texts.own(&word.to_str()) {
            return self.fill(text);
        }
        let sentence = self.fill("{category} on terminal {poiid} ")
            + &match result.known() {
                Some(ResultWord::Success) => "succeeded".to_owned(),
                Some(ResultWord::Failure) => "failed".to_owned(),
                Some(ResultWord::Partial) => "succeeded in part".to_owned(),
                None if result.text().raw().is_empty() => "ended without a result".to_owned(),
                None => format!("ended with {}", short(result.text().to_str())),
            };
        let Some(condition) = condition else { return sentence };
        let reason =
            condition.known().map_or_else(|| short(condition.text().to_str()), |known| condition_text(known).into());
        match self.details() {
            Some(details) => format!("{sentence}: {reason} ({details})"),
            None => format!("{sentence}: {reason}"),
        }
    }

    fn webhook_sentence(self) -> String {
        let text = |field| self.webhook_text(field).map(Text::to_str).map(short);
        let code = text(WebhookField::EventCode).unwrap_or_else(|| "A webhook".to_owned());
        let what = match text(WebhookField::MerchantReference).filter(|reference| !reference.is_empty()) {
            Some(reference) => format!("{code} for {reference}"),
            None => code,
        };
        match text(WebhookField::Success).as_deref() {
            Some("true") => format!("{what} succeeded"),
            Some("false") => format!("{what} failed"),
            _ => what,
        }
    }

    fn has_details(self) -> bool {
        self.details().is_some()
    }

    /// What the message itself says to people.
    fn details(self) -> Option<String> {
        let additional = || {
            let (own, repeated) = (self.additional_response(), self.repeated_additional_response());
            let additional = if self.fields.get(Field::RepeatedResult).is_some() { repeated } else { own }?;
            let text = ["refusalReason", "message", "status"].iter().find_map(|key| additional.find(key));
            let plain = || Some(additional.text()).filter(|_| additional.format().word() == "text");
            text.or_else(plain).map(Cow::into_owned)
        };
        let details = match self.fields.kind {
            Kind::Event => self.sale_wake_up_reference().or_else(|| self.event_message()).map(Cow::into_owned),
            _ => additional(),
        };
        details.map(|details| short(details.into())).filter(|details| !details.trim().is_empty())
    }

    /// Fills in the names in braces; what the message does not have is left out. A terminal without a name is "a terminal",
    /// also where the vendor's backend speaks for it and calls it `N/A`.
    fn fill(self, text: &str) -> String {
        let name = |field| self.text(field).map(|text| short(text.to_str()));
        let poi_id = name(Field::PoiId).filter(|name| !matches!(name.trim(), "" | "N/A"));
        let mut text = Cow::Borrowed(text);
        if poi_id.is_none() {
            text = text.replace("Terminal {poiid}", "A terminal").replace("terminal {poiid}", "a terminal").into();
        }
        let mut filled = String::with_capacity(text.len() + 32);
        let mut rest = &*text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((word, after_word)) = after.split_once('}') else {
                filled.push('{');
                rest = after;
                continue;
            };
            let value = match word {
                "poiid" => poi_id.clone(),
                "sale_id" => name(Field::SaleId),
                "details" => self.details(),
                "result" => self.outcome().0.map(|word| short(word.text().to_str())),
                "condition" => self.outcome().1.map(|word| short(word.text().to_str())),
                "category" => Some(self.category_name()),
                other => Some(format!("{{{other}}}")),
            };
            filled.push_str(&value.unwrap_or_default());
            rest = after_word;
        }
        filled + rest
    }

    /// What was asked for, in words. That of a repeated message only if it has a result of its own to go with.
    fn category_name(self) -> String {
        let repeated = self.repeated_category().filter(|_| self.fields.get(Field::RepeatedResult).is_some());
        let word = repeated.or_else(|| self.message_category());
        match word.map(|word| (word.known(), word)) {
            Some((Some(category), _)) => category_text(category).to_owned(),
            Some((None, word)) => short(word.text().to_str()),
            None => self.body_member().map_or("Request".to_owned(), |name| short(name.to_str())),
        }
    }
}

/// Whether a character changes how others are shown: such a sentence could read as another one (CVE-2021-42574).
fn commands(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// At most the first part of a text.
fn short(text: Cow<'_, str>) -> String {
    match text.char_indices().nth(DETAILS_LENGTH_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into_owned(),
    }
}

fn category_text(category: MessageCategory) -> &'static str {
    use MessageCategory as Category;
    match category {
        Category::BalanceInquiry => "Balance inquiry",
        Category::CardAcquisition => "Reading a card",
        Category::CardReaderApdu | Category::CardReaderInit | Category::CardReaderPowerOff => "Card reader command",
        Category::EnableService => "Enabling a service",
        Category::GetTotals => "Totals",
        Category::InputUpdate => "Input update",
        Category::Pin => "PIN entry",
        Category::StoredValue => "Gift card transaction",
        Category::TransactionStatus => "Status of a transaction",
        Category::None => "Request",
        other => other.word(),
    }
}

/// The text of an event; some say more when the event has details.
fn event_text(event: EventToNotify, has_details: bool) -> &'static str {
    use EventToNotify as Event;
    match event {
        Event::BeginMaintenance => "Terminal {poiid} begins maintenance",
        Event::EndMaintenance => "Terminal {poiid} has finished maintenance",
        Event::Shutdown => "Terminal {poiid} is shutting down",
        Event::Initialised => "Terminal {poiid} is ready",
        Event::OutOfOrder => "Terminal {poiid} is out of order",
        Event::Reject if has_details => "Terminal {poiid} rejected a request: {details}",
        Event::Reject => "Terminal {poiid} rejected a request",
        Event::SaleWakeUp if has_details => "Terminal {poiid} wants to start a sale for {details}",
        Event::SaleWakeUp => "Terminal {poiid} wants to start a sale",
        Event::NetworkConnected => "Terminal {poiid} is connected to the network",
        Event::NetworkDisconnected => "Terminal {poiid} lost its network connection",
        Event::UseAnotherCardForPreauth => "Terminal {poiid} asks for another card: this one cannot be pre-authorised",
        Event::ScanBarcodeResult if has_details => "Terminal {poiid} scanned a barcode: {details}",
        Event::ScanBarcodeResult => "Terminal {poiid} scanned a barcode",
        Event::Abort => "Terminal {poiid} aborted what it was doing",
        Event::CardInserted => "A card was inserted into terminal {poiid}",
        Event::CardRemoved => "The card was removed from terminal {poiid}",
        Event::Completed => "Terminal {poiid} has completed its work",
        Event::CustomerLanguage => "The customer chose a language on terminal {poiid}",
        Event::KeyPressed if has_details => "A key was pressed on terminal {poiid}: {details}",
        Event::KeyPressed => "A key was pressed on terminal {poiid}",
        Event::SaleAdmin if has_details => "Terminal {poiid} asks the till for {details}",
        Event::SaleAdmin => "Terminal {poiid} asks the till for a service",
        Event::SecurityAlarm => "Terminal {poiid} raised a security alarm",
        Event::StopAssistance => "Terminal {poiid} needs no more assistance",
    }
}

fn display_text(event: DisplayEvent) -> &'static str {
    use DisplayEvent as Event;
    match event {
        Event::TenderCreated => "A payment has started on terminal {poiid}",
        Event::CardInserted => "The customer inserted a card into terminal {poiid}",
        Event::CardPresented => "The customer held a card to terminal {poiid}",
        Event::CardSwiped => "The customer swiped a card on terminal {poiid}",
        Event::WaitForAppSelection => "Terminal {poiid} waits for the customer to choose a card application",
        Event::ApplicationSelected => "The customer chose a card application on terminal {poiid}",
        Event::AskSignature => "Terminal {poiid} asks for a signature",
        Event::CheckSignature => "Check the signature for terminal {poiid}",
        Event::SignatureChecked => "The signature was checked for terminal {poiid}",
        Event::WaitForPin => "Terminal {poiid} waits for the PIN",
        Event::PinEntered => "The customer entered the PIN on terminal {poiid}",
        Event::PrintReceipt => "Terminal {poiid} prints a receipt",
        Event::ReceiptPrinted => "Terminal {poiid} has printed the receipt",
        Event::CardRemoved => "The customer took the card out of terminal {poiid}",
        Event::TenderFinal => "The payment on terminal {poiid} has ended",
        Event::AskDcc => "Terminal {poiid} offers the customer to pay in another currency",
        Event::DccAccepted => "The customer pays in another currency on terminal {poiid}",
        Event::DccRejected => "The customer keeps the shop's currency on terminal {poiid}",
        Event::AskGratuity => "Terminal {poiid} asks for a tip",
        Event::GratuityEntered => "The customer entered a tip on terminal {poiid}",
        Event::BalanceQueryStarted => "Terminal {poiid} asks for a card's balance",
        Event::BalanceQueryCompleted => "Terminal {poiid} has a card's balance",
        Event::LoadStarted => "Terminal {poiid} loads a card",
        Event::LoadCompleted => "Terminal {poiid} has loaded a card",
        Event::ProvideCardDetails => "Terminal {poiid} waits for card details",
        Event::CardDetailsProvided => "Card details were entered on terminal {poiid}",
        Event::Ready3rdParty => "Terminal {poiid} is ready for other applications",
        Event::Initial => "A payment is being prepared on terminal {poiid}",
        Event::AccountTypeSelected => "The customer chose an account on terminal {poiid}",
        Event::WaitForAmountAdjustment => "Terminal {poiid} waits for the amount to be adjusted",
        Event::PinDigitEntered => "The customer is entering the PIN on terminal {poiid}",
        Event::AdditionalDataAvailable => "Terminal {poiid} has more data about the payment",
        Event::Approved => "The payment on terminal {poiid} was approved",
        Event::Declined => "The payment on terminal {poiid} was declined",
        Event::Cancelled => "The payment on terminal {poiid} was cancelled",
        Event::Error => "The payment on terminal {poiid} ended with an error",
        Event::Unknown => "The payment on terminal {poiid} ended in an unknown state",
    }
}

fn condition_text(condition: ErrorCondition) -> &'static str {
    use ErrorCondition as Condition;
    match condition {
        Condition::Aborted => "it was aborted by the till",
        Condition::Busy => "the terminal is busy",
        Condition::Cancel => "it was cancelled",
        Condition::DeviceOut => "the device is out of service",
        Condition::InProgress => "it is still in progress",
        Condition::InsertedCard => "a card is still inserted",
        Condition::InvalidCard => "the card is not valid",
        Condition::LoggedOut => "the till is not logged in",
        Condition::MessageFormat => "the till's message was not understood",
        Condition::NotAllowed => "it is not allowed",
        Condition::NotFound => "the transaction was not found",
        Condition::PaymentRestriction => "the card cannot pay for these goods",
        Condition::Refusal => "it was refused",
        Condition::UnavailableDevice => "the device is not available",
        Condition::UnavailableService => "the service is not available",
        Condition::UnreachableHost => "the terminal or the payment platform could not be reached",
        Condition::WrongPin => "the PIN was wrong",
    }
}
