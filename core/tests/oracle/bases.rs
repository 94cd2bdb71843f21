//! The messages that mutation starts from, one of each shape. Written here, from the facts of the reference.

/// Each with a name for the report of a failure.
pub const BASES: &[(&str, &str)] = &[
    (
        "event",
        r#"{"SaleToPOIRequest":{"EventNotification":{"TimeStamp":"2026-11-21T08:00:01.000Z","EventToNotify":"Shutdown",
        "EventDetails":"newstate=IDLE&oldstate=START","MaintenanceRequiredFlag":false},"MessageHeader":{
        "ProtocolVersion":"3.0","MessageClass":"Event","MessageCategory":"Event","MessageType":"Notification",
        "SaleID":"TillA","DeviceID":"811","POIID":"V400m-100200300"}}}"#,
    ),
    (
        "reject",
        r#"{"eventType":"REJECT","SaleToPOIRequest":{"MessageHeader":{"MessageClass":"Event","MessageCategory":"Event",
        "MessageType":"Notification","ProtocolVersion":"3.0","SaleID":"N\/A","POIID":"N\/A","ServiceID":"42a"},
        "EventNotification":{"EventToNotify":"Reject","EventDetails":"message=No+answer+from+the+terminal%2e",
        "RejectedMessage":"eyJTYWxlVG9QT0lSZXF1ZXN0Ijp7fX0=","TimeStamp":"2026-11-21T08:00:02+01:00"}}}"#,
    ),
    (
        "display",
        r#"{"SaleToPOIRequest":{"DisplayRequest":{"DisplayOutput":[{"Device":"CashierDisplay","InfoQualify":"Status",
        "OutputContent":{"OutputFormat":"MessageRef","PredefinedContent":{"ReferenceID":
        "TransactionID=ab12001732176001001.QWERTY12ZXCV3456&TimeStamp=2026-11-21T08%3a00%3a01Z&event=TENDER_FINAL"}},
        "ResponseRequiredFlag":false}]},"MessageHeader":{"ProtocolVersion":"3.0","MessageClass":"Device",
        "MessageCategory":"Display","MessageType":"Request","SaleID":"TillA","ServiceID":"77","DeviceID":"12",
        "POIID":"V400m-100200300"}}}"#,
    ),
    (
        "display for the customer",
        r#"{"SaleToPOIRequest":{"MessageHeader":{"ProtocolVersion":"3.0","MessageClass":"Device",
        "MessageCategory":"Display","MessageType":"Request","SaleID":"TillB","ServiceID":"78","POIID":"P400Plus-5"},
        "DisplayRequest":{"DisplayOutput":{"Device":"CustomerDisplay","InfoQualify":"Display","OutputContent":{
        "OutputFormat":"MessageRef","PredefinedContent":{"ReferenceID":"Idle"}}}}}}"#,
    ),
    (
        "payment request",
        r#"{"SaleToPOIRequest":{"MessageHeader":{"ProtocolVersion":"3.0","MessageClass":"Service",
        "MessageCategory":"Payment","MessageType":"Request","SaleID":"TillC","ServiceID":"79","POIID":"S1F2-9"},
        "PaymentRequest":{"SaleData":{"SaleTransactionID":{"TransactionID":"order-9","TimeStamp":
        "2026-11-21T08:00:00Z"}},
        "PaymentTransaction":{"AmountsReq":{"Currency":"EUR","RequestedAmount":12.50}}}}}"#,
    ),
    (
        "payment response",
        r#"{"SaleToPOIResponse":{"PaymentResponse":{"POIData":{"POITransactionID":{"TimeStamp":
        "2026-11-21T08:00:05.000Z","TransactionID":"ab12001732176001001.QWERTY12ZXCV3456"}},"PaymentReceipt":[{
        "DocumentQualifier":"CustomerReceipt","OutputContent":{"OutputFormat":"Text","OutputText":[{"CharacterStyle":
        "Bold","EndOfLineFlag":true,"Text":"name=Caf%c3%a9&key=header1"},{"Text":"key=filler"},{"Text":
        "name=TOTAL&value=%e2%82%ac+12%2c50&key=totalAmount"}]},"RequiredSignatureFlag":false}],"PaymentResult":{
        "AmountsResp":{"AuthorizedAmount":12.50,"Currency":"EUR"},"OnlineFlag":true},"Response":{"AdditionalResponse":
        "tid=1002003&pspReference=QWERTY12ZXCV3456&iso8601TxDate=2026-11-21T08%3a00%3a05%2b0000&cardBin=&message=a+b",
        "Result":"Success"},"SaleData":{"SaleTransactionID":{"TimeStamp":"2026-11-21T08:00:00Z","TransactionID":
        "order-9"}}},"MessageHeader":{"MessageCategory":"Payment","MessageClass":"Service","MessageType":"Response",
        "POIID":"S1F2-9","ProtocolVersion":"3.0","SaleID":"TillC","ServiceID":"79"}}}"#,
    ),
    (
        "refusal in Base64",
        r#"{"SaleToPOIResponse":{"MessageHeader":{"MessageCategory":"Payment","MessageClass":"Service",
        "MessageType":"Response","POIID":"S1F2-9","ProtocolVersion":"3.0","SaleID":"TillC","ServiceID":"80"},
        "PaymentResponse":{"Response":{"Result":"Failure","ErrorCondition":"Refusal","AdditionalResponse":
        "eyJhZGRpdGlvbmFsRGF0YSI6eyJ0aWQiOiIxIn0sInJlZnVzYWxSZWFzb24iOiIyMTAifQ=="},"PaymentResult":{"AmountsResp":{
        "Currency":"EUR"}}}}}"#,
    ),
    (
        "reversal response",
        r#"{"SaleToPOIResponse":{"MessageHeader":{"MessageCategory":"Reversal","MessageClass":"Service",
        "MessageType":"Response","POIID":"S1F2-9","ProtocolVersion":"3.0","SaleID":"TillC","ServiceID":"81"},
        "ReversalResponse":{"POIData":{"POITransactionID":{"TransactionID":"cd34001732176002002"}},
        "ReversedAmount":12.5,"Response":{"Result":"Partial","AdditionalResponse":""}}}}"#,
    ),
    (
        "transaction status response",
        r#"{"SaleToPOIResponse":{"TransactionStatusResponse":{"Response":{"Result":"Success"},
        "RepeatedMessageResponse":{"MessageHeader":{"MessageCategory":"Payment","MessageClass":"Service","MessageType":
        "Response","POIID":"S1F2-9","ProtocolVersion":"3.0","SaleID":"TillC","ServiceID":"79"},
        "RepeatedResponseMessageBody":{"PaymentResponse":{"POIData":{"POITransactionID":{"TransactionID":"x.y"}},
        "Response":{"Result":"Failure","ErrorCondition":"Cancel","AdditionalResponse":
        "message=108%20Shopper%20cancelled"}}}}},"MessageHeader":{"MessageCategory":"TransactionStatus","MessageClass":
        "Service","MessageType":"Response","POIID":"S1F2-9","ProtocolVersion":"3.0","SaleID":"TillC","ServiceID":
        "82"}}}"#,
    ),
    (
        "input response",
        r#"{"SaleToPOIResponse":{"MessageHeader":{"DeviceID":"13","MessageCategory":"Input","MessageClass":"Device",
        "MessageType":"Response","POIID":"S1F2-9","ProtocolVersion":"3.0","SaleID":"TillC","ServiceID":"83"},
        "InputResponse":{"OutputResult":[{"Device":"CustomerDisplay","InfoQualify":"Display","Response":{"Result":
        "Success"}}],"InputResult":{"Device":"CustomerInput","InfoQualify":"Input","Input":{"InputCommand":
        "GetConfirmation","ConfirmedFlag":true},"Response":{"ErrorCondition":"Busy","Result":"Failure",
        "AdditionalResponse":"101 Shopper walked away"}}}}}"#,
    ),
    (
        "encrypted",
        r#"{"SaleToPOIResponse":{"MessageHeader":{"MessageCategory":"Payment","MessageClass":"Service","MessageType":
        "Response","POIID":"S1F2-9","ProtocolVersion":"3.0","SaleID":"TillC","ServiceID":"84"},"NexoBlob":
        "AbCd\/efGH+0123==","SecurityTrailer":{"AdyenCryptoVersion":1,"KeyIdentifier":"till","KeyVersion":1,"Nonce":
        "AAECAwQFBgcICQoLDA0ODw==","Hmac":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}}"#,
    ),
    (
        "webhook",
        r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":
        "c2lnbmF0dXJl","tenderReference":"ab12001732176001001","terminalId":"S1F2-9"},"amount":{"currency":"EUR",
        "value":1250},"eventCode":"AUTHORISATION","eventDate":"2026-11-21T09:00:06+01:00","merchantAccountCode":"Shop",
        "merchantReference":"order-9","operations":["CANCEL","REFUND"],"paymentMethod":"mc","pspReference":
        "QWERTY12ZXCV3456","reason":"","success":"true"}},{"NotificationRequestItem":{"eventCode":"REFUND","success":
        false,"originalReference":"QWERTY12ZXCV3456","pspReference":"R","amount":{"value":"3"}}},{"Other":{}}]}"#,
    ),
    (
        "webhook as a form",
        "live=true&eventCode=CAPTURE&pspReference=QWERTY&originalReference=&merchantReference=order+9%2fB&value=1250\
         &currency=EUR&success=true&additionalData.hmacSignature=c2ln%3d&additionalData.terminalId=S1F2-9&reason",
    ),
    (
        "management webhook",
        r#"{"createdAt":"2026-11-21T08:00:00Z","environment":"test","type":"terminalSettings.modified",
        "data":{"id":"S"}}"#,
    ),
    ("errors", r#"{"errors":["Nexo Service: crypto error (6)"],"ServiceID":"-NULL-"}"#),
    ("an error of the API", r#"{"status":403,"errorCode":"010","message":"Not allowed","errorType":"security"}"#),
    ("error texts", r#"["Bad JSON:1: unexpected end"]"#),
    ("acknowledgement as JSON", r#""ok""#),
    ("acknowledgement", " [accepted]\r\n"),
    ("soap", "<?xml version=\"1.0\"?><soap:Envelope><soap:Body/></soap:Envelope>"),
];
