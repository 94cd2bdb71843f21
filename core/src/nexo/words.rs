//! The one table of vocabularies: it makes the enums, their ids, their words, their documents and their tests.
//!
//! Source: `MessageHeader`, `EventToNotify`, `Response` and `DisplayOutput` of nexo Retailer Protocol 3.0, in the union
//! of what the vendor's libraries and pages list. No list of theirs is complete, so every vocabulary here is open: a
//! word that is not in the table keeps its text and has the id 0.

/// Declares open vocabularies. An id is a number for ever: it is written down here, never derived from the order.
macro_rules! vocabularies {
    ($($(#[$about:meta])* $name:ident { $($id:literal $variant:ident $word:literal,)+ })+) => {
        $(
            $(#[$about])*
            ///
            /// Each variant is one word of the wire, spelled out in its document.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            #[non_exhaustive]
            #[repr(u8)]
            pub enum $name {
                $(#[doc = concat!("`", $word, "`")] $variant = $id,)+
            }

            impl Vocabulary for $name {
                const NAME: &'static str = stringify!($name);
                const ALL: &'static [Self] = &[$(Self::$variant,)+];

                #[inline]
                fn from_word(word: &[u8]) -> Option<Self> {
                    match word {
                        $(_ if word == $word.as_bytes() => Some(Self::$variant),)+
                        _ => None,
                    }
                }

                fn from_id(id: u8) -> Option<Self> {
                    match id {
                        $($id => Some(Self::$variant),)+
                        _ => None,
                    }
                }

                #[inline]
                fn id(self) -> u8 {
                    self as u8
                }

                fn word(self) -> &'static str {
                    match self {
                        $(Self::$variant => $word,)+
                    }
                }
            }
        )+

        /// Runs a check on every vocabulary of the table.
        #[cfg(test)]
        mod tests {
            $(
                #[allow(non_snake_case)]
                #[test]
                fn $name() {
                    super::check::<super::$name>();
                }
            )+
        }
    };
}

/// What every vocabulary can do: words to ids and back.
///
/// ```
/// use nexowire_core::nexo::{EventToNotify, Vocabulary};
///
/// let event = EventToNotify::from_word(b"Shutdown");
/// assert_eq!(event, Some(EventToNotify::Shutdown));
/// assert_eq!(EventToNotify::from_word(b"shutdown"), None); // Words are compared to the letter.
/// assert_eq!(EventToNotify::from_id(EventToNotify::Shutdown.id()), event);
/// ```
pub trait Vocabulary: Copy + Eq + std::fmt::Debug + 'static {
    /// The vocabulary's own name, as the standard spells it.
    const NAME: &'static str;

    /// Every known word, in the order of the table.
    const ALL: &'static [Self];

    /// The variant that is spelled `word` on the wire; `None` for a word that the table does not have.
    fn from_word(word: &[u8]) -> Option<Self>;

    /// The variant with this id; `None` for 0, which means unknown, and for numbers not given yet.
    fn from_id(id: u8) -> Option<Self>;

    /// The number that stands for this word in every language; never 0, never given to another word.
    fn id(self) -> u8;

    /// The word as it stands on the wire.
    fn word(self) -> &'static str;
}

vocabularies! {
    /// `MessageHeader.MessageClass`: who speaks to whom.
    MessageClass { 1 Service "Service", 2 Device "Device", 3 Event "Event", }

    /// `MessageHeader.MessageType`: a question, its answer, or news.
    MessageType { 1 Request "Request", 2 Response "Response", 3 Notification "Notification", }

    /// `MessageHeader.MessageCategory`: what the message is about.
    MessageCategory {
        1 Abort "Abort", 2 Admin "Admin", 3 BalanceInquiry "BalanceInquiry", 4 Batch "Batch",
        5 CardAcquisition "CardAcquisition", 6 CardReaderApdu "CardReaderAPDU", 7 CardReaderInit "CardReaderInit",
        8 CardReaderPowerOff "CardReaderPowerOff", 9 Diagnosis "Diagnosis", 10 Display "Display",
        11 EnableService "EnableService", 12 Event "Event", 13 GetTotals "GetTotals", 14 Input "Input",
        15 InputUpdate "InputUpdate", 16 Login "Login", 17 Logout "Logout", 18 Loyalty "Loyalty",
        19 Payment "Payment", 20 Pin "PIN", 21 Print "Print", 22 Reconciliation "Reconciliation",
        23 Reversal "Reversal", 24 Sound "Sound", 25 StoredValue "StoredValue",
        26 TransactionStatus "TransactionStatus", 27 Transmit "Transmit", 28 None "None",
    }

    /// `EventNotification.EventToNotify`: what happened at the terminal.
    EventToNotify {
        1 BeginMaintenance "BeginMaintenance", 2 EndMaintenance "EndMaintenance", 3 Shutdown "Shutdown",
        4 Initialised "Initialised", 5 OutOfOrder "OutOfOrder", 6 Reject "Reject", 7 SaleWakeUp "SaleWakeUp",
        8 NetworkConnected "NetworkConnected", 9 NetworkDisconnected "NetworkDisconnected",
        10 UseAnotherCardForPreauth "UseAnotherCardForPreauth", 11 ScanBarcodeResult "ScanBarcodeResult",
        12 Abort "Abort", 13 CardInserted "CardInserted", 14 CardRemoved "CardRemoved", 15 Completed "Completed",
        16 CustomerLanguage "CustomerLanguage", 17 KeyPressed "KeyPressed", 18 SaleAdmin "SaleAdmin",
        19 SecurityAlarm "SecurityAlarm", 20 StopAssistance "StopAssistance",
    }

    /// The `event` of a display notification's ReferenceID: one step of a payment.
    ///
    /// Numbers from 101 are the tender states of older terminals.
    DisplayEvent {
        1 TenderCreated "TENDER_CREATED", 2 CardInserted "CARD_INSERTED", 3 CardPresented "CARD_PRESENTED",
        4 CardSwiped "CARD_SWIPED", 5 WaitForAppSelection "WAIT_FOR_APP_SELECTION",
        6 ApplicationSelected "APPLICATION_SELECTED", 7 AskSignature "ASK_SIGNATURE",
        8 CheckSignature "CHECK_SIGNATURE", 9 SignatureChecked "SIGNATURE_CHECKED", 10 WaitForPin "WAIT_FOR_PIN",
        11 PinEntered "PIN_ENTERED", 12 PrintReceipt "PRINT_RECEIPT", 13 ReceiptPrinted "RECEIPT_PRINTED",
        14 CardRemoved "CARD_REMOVED", 15 TenderFinal "TENDER_FINAL", 16 AskDcc "ASK_DCC",
        17 DccAccepted "DCC_ACCEPTED", 18 DccRejected "DCC_REJECTED", 19 AskGratuity "ASK_GRATUITY",
        20 GratuityEntered "GRATUITY_ENTERED", 21 BalanceQueryStarted "BALANCE_QUERY_STARTED",
        22 BalanceQueryCompleted "BALANCE_QUERY_COMPLETED", 23 LoadStarted "LOAD_STARTED",
        24 LoadCompleted "LOAD_COMPLETED", 25 ProvideCardDetails "PROVIDE_CARD_DETAILS",
        26 CardDetailsProvided "CARD_DETAILS_PROVIDED", 27 Ready3rdParty "READY_3RD_PARTY",
        101 Initial "INITIAL", 102 AccountTypeSelected "ACCOUNT_TYPE_SELECTED",
        103 WaitForAmountAdjustment "WAIT_FOR_AMOUNT_ADJUSTMENT", 104 PinDigitEntered "PIN_DIGIT_ENTERED",
        105 AdditionalDataAvailable "ADDITIONAL_DATA_AVAILABLE", 106 Approved "APPROVED", 107 Declined "DECLINED",
        108 Cancelled "CANCELLED", 109 Error "ERROR", 110 Unknown "UNKNOWN",
    }

    /// `Response.Result`: how it ended.
    ResultWord { 1 Success "Success", 2 Failure "Failure", 3 Partial "Partial", }

    /// `Response.ErrorCondition`: why it did not succeed.
    ErrorCondition {
        1 Aborted "Aborted", 2 Busy "Busy", 3 Cancel "Cancel", 4 DeviceOut "DeviceOut", 5 InProgress "InProgress",
        6 InsertedCard "InsertedCard", 7 InvalidCard "InvalidCard", 8 LoggedOut "LoggedOut",
        9 MessageFormat "MessageFormat", 10 NotAllowed "NotAllowed", 11 NotFound "NotFound",
        12 PaymentRestriction "PaymentRestriction", 13 Refusal "Refusal", 14 UnavailableDevice "UnavailableDevice",
        15 UnavailableService "UnavailableService", 16 UnreachableHost "UnreachableHost", 17 WrongPin "WrongPIN",
    }

    /// `DisplayOutput.Device`: whose display or keyboard.
    Device {
        1 CashierDisplay "CashierDisplay", 2 CashierInput "CashierInput", 3 CustomerDisplay "CustomerDisplay",
        4 CustomerInput "CustomerInput",
    }

    /// `DisplayOutput.InfoQualify`: what the text is for.
    InfoQualify {
        1 CustomerAssistance "CustomerAssistance", 2 Display "Display", 3 Document "Document", 4 Error "Error",
        5 Input "Input", 6 PoiReplication "POIReplication", 7 Receipt "Receipt", 8 Sound "Sound", 9 Status "Status",
        10 Voucher "Voucher",
    }

    /// `OutputContent.OutputFormat`: how the text is written.
    OutputFormat { 1 MessageRef "MessageRef", 2 Text "Text", 3 Xhtml "XHTML", 4 BarCode "BarCode", }

    /// `NotificationRequestItem.eventCode`: what a standard webhook reports. These are the ones of card payments.
    EventCode {
        1 Authorisation "AUTHORISATION", 2 AuthorisationAdjustment "AUTHORISATION_ADJUSTMENT",
        3 Cancellation "CANCELLATION", 4 CancelOrRefund "CANCEL_OR_REFUND", 5 Capture "CAPTURE",
        6 CaptureFailed "CAPTURE_FAILED", 7 Expire "EXPIRE", 8 PostponedRefund "POSTPONED_REFUND", 9 Refund "REFUND",
        10 RefundFailed "REFUND_FAILED", 11 RefundedReversed "REFUNDED_REVERSED",
        12 RefundWithData "REFUND_WITH_DATA", 13 TechnicalCancel "TECHNICAL_CANCEL",
        14 VoidPendingRefund "VOID_PENDING_REFUND", 15 RecurringContract "RECURRING_CONTRACT",
        16 OfferClosed "OFFER_CLOSED", 17 Chargeback "CHARGEBACK", 18 ChargebackReversed "CHARGEBACK_REVERSED",
        19 NotificationOfChargeback "NOTIFICATION_OF_CHARGEBACK", 20 SecondChargeback "SECOND_CHARGEBACK",
        21 PrearbitrationWon "PREARBITRATION_WON", 22 PrearbitrationLost "PREARBITRATION_LOST",
        23 ReportAvailable "REPORT_AVAILABLE",
    }
}

/// Words and ids of one vocabulary lead to each other, are given once, and nothing else is known.
#[cfg(test)]
fn check<V: Vocabulary>() {
    let mut ids = std::collections::BTreeSet::new();
    for &variant in V::ALL {
        assert_ne!(variant.id(), 0, "{} {variant:?}: 0 means unknown", V::NAME);
        assert!(ids.insert(variant.id()), "{} {variant:?}: the id is given twice", V::NAME);
        assert_eq!(V::from_word(variant.word().as_bytes()), Some(variant));
        assert_eq!(V::from_id(variant.id()), Some(variant));
        let longer = format!("{} ", variant.word());
        assert_eq!(V::from_word(longer.as_bytes()), None);
    }
    assert_eq!(V::from_word(b""), None);
    assert_eq!(V::from_word(b"\xff"), None);
    assert_eq!((0..=u8::MAX).filter(|&id| V::from_id(id).is_some()).count(), ids.len());
}
