//! Receipts: the lines that a terminal wants printed.

use std::borrow::Cow;

use super::View;
use crate::form;
use crate::json::{self, Cursor, unescape};

/// One receipt of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// `DocumentQualifier`: `CustomerReceipt`, `CashierReceipt` or another word.
    pub document_qualifier: String,
    /// `RequiredSignatureFlag`, if it is there.
    pub signature_required: bool,
    /// The lines in order.
    pub lines: Vec<ReceiptLine>,
}

/// One line of a receipt. A line that is not written as pairs is all name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptLine {
    /// What stands on the left.
    pub name: String,
    /// What stands on the right.
    pub value: String,
    /// What the line is, for programs: `pan`, `totalAmount`, `filler`.
    pub key: String,
    /// `CharacterStyle` is `Bold`.
    pub bold: bool,
    /// `EndOfLineFlag` is false: the next text goes on in this line.
    pub continues: bool,
}

impl View<'_> {
    /// The receipts of the message's body, decoded.
    pub fn receipts(self) -> Vec<Receipt> {
        self.body_json().map(receipts_of).unwrap_or_default()
    }

    /// The receipts of the message that a TransactionStatusResponse repeats, decoded.
    pub fn repeated_receipts(self) -> Vec<Receipt> {
        let repeated = "/RepeatedMessageResponse/RepeatedResponseMessageBody";
        let Some(bodies) = self.body_json().and_then(|body| json::pointer(body, repeated)) else { return vec![] };
        let mut receipts = vec![];
        let walked = Cursor::over_valid(bodies).object(|cursor, _| {
            let body = cursor.raw()?;
            if receipts.is_empty() {
                receipts = receipts_of(body);
            }
            Ok(())
        });
        debug_assert!(walked.is_ok());
        receipts
    }
}

/// The receipts of a body: `PaymentReceipt`, an array or one receipt.
fn receipts_of(body: &[u8]) -> Vec<Receipt> {
    let Some(raw) = json::pointer(body, "/PaymentReceipt") else { return vec![] };
    elements(raw).into_iter().filter(|raw| raw.starts_with(b"{")).map(receipt).collect()
}

fn receipt(raw: &[u8]) -> Receipt {
    let lines = json::pointer(raw, "/OutputContent/OutputText").map(elements).unwrap_or_default();
    Receipt {
        document_qualifier: member(raw, "/DocumentQualifier").unwrap_or_default(),
        signature_required: member(raw, "/RequiredSignatureFlag").is_some_and(|flag| flag == "true"),
        lines: lines.into_iter().filter_map(line).collect(),
    }
}

fn line(raw: &[u8]) -> Option<ReceiptLine> {
    let text = member(raw, "/Text")?;
    let mut line = ReceiptLine {
        bold: member(raw, "/CharacterStyle").is_some_and(|style| style == "Bold"),
        continues: member(raw, "/EndOfLineFlag").is_some_and(|flag| flag == "false"),
        ..ReceiptLine::default()
    };
    if !form::is_pairs(text.as_bytes()) {
        return Some(ReceiptLine { name: text, ..line });
    }
    for pair in form::pairs(text.as_bytes()) {
        match &*pair.key() {
            "name" => line.name = pair.value().into_owned(),
            "value" => line.value = pair.value().into_owned(),
            "key" => line.key = pair.value().into_owned(),
            _ => {}
        }
    }
    Some(line)
}

/// The raw elements of an array; of anything else, the value itself.
pub(super) fn elements(raw: &[u8]) -> Vec<&[u8]> {
    if !raw.starts_with(b"[") {
        return vec![raw];
    }
    let mut elements = vec![];
    let walked = Cursor::over_valid(raw).array(|cursor| {
        elements.push(cursor.raw()?);
        Ok(())
    });
    debug_assert!(walked.is_ok());
    elements
}

/// The text of a scalar at a pointer: a string's text, a number's literal, `true` or `false`.
pub(super) fn member(raw: &[u8], pointer: &str) -> Option<String> {
    scalar(json::pointer(raw, pointer)?)
}

/// The text of a raw scalar.
pub(super) fn scalar(raw: &[u8]) -> Option<String> {
    match raw {
        [b'"', text @ .., b'"'] => Some(form::lossy(unescape(text)).into_owned()),
        [b'{' | b'[', ..] | b"null" => None,
        _ => Some(form::lossy(Cow::Borrowed(raw)).into_owned()),
    }
}

impl Receipt {
    /// The receipt as plain text of `width` columns, a line feed behind each line.
    ///
    /// Names stand left and values right; a line too long for both is broken. A filler is an empty line. A column is
    /// one character (Unicode scalar value). A width of 0 counts as 1.
    ///
    /// ```
    /// use nexowire_core::nexo::{Receipt, ReceiptLine};
    ///
    /// let line = |name: &str, value: &str| ReceiptLine { name: name.into(), value: value.into(), ..Default::default() };
    /// let receipt = Receipt {
    ///     document_qualifier: "CustomerReceipt".into(),
    ///     signature_required: false,
    ///     lines: vec![line("TOTAL", "12.30 EUR"), line("Keep this receipt for your records", "")],
    /// };
    /// assert_eq!(receipt.to_text(20), "TOTAL      12.30 EUR\nKeep this receipt\nfor your records\n");
    /// ```
    pub fn to_text(&self, width: usize) -> String {
        let (mut text, mut open) = (String::new(), String::new());
        for line in &self.lines {
            if line.continues {
                open.push_str(&line.name);
                open.push_str(&line.value);
                continue;
            }
            let name = std::mem::take(&mut open) + &line.name;
            render(&mut text, &name, &line.value, width.max(1));
        }
        if !open.is_empty() {
            render(&mut text, &open, "", width.max(1));
        }
        text
    }
}

fn render(text: &mut String, name: &str, value: &str, width: usize) {
    let (left, right) = (name.chars().count(), value.chars().count());
    if right > 0 && left + 1 + right <= width {
        let gap = width - left - right;
        text.extend([name, &" ".repeat(gap), value, "\n"]);
        return;
    }
    for row in wrap(name, width) {
        text.extend([&row, "\n"]);
    }
    if right > 0 {
        for row in wrap(value, width) {
            let indent = width.saturating_sub(row.chars().count());
            text.extend([&" ".repeat(indent), &*row, "\n"]);
        }
    }
}

/// Rows of at most `width` characters, broken at blanks where there are any; one empty row of an empty text.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows = vec![];
    for paragraph in text.split('\n') {
        let mut row: Vec<char> = vec![];
        for word in paragraph.split(' ') {
            let mut word: Vec<char> = word.chars().collect();
            if !row.is_empty() && row.len() + 1 + word.len() > width {
                rows.push(std::mem::take(&mut row));
            } else if !row.is_empty() {
                row.push(' ');
            }
            while word.len() > width {
                rows.push(word.drain(..width).collect());
            }
            row.append(&mut word);
        }
        rows.push(row);
    }
    rows.into_iter().map(|row| row.into_iter().collect::<String>().trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"PaymentReceipt":[{"DocumentQualifier":"CashierReceipt","RequiredSignatureFlag":true,
        "OutputContent":{"OutputFormat":"Text","OutputText":[
            {"CharacterStyle":"Bold","EndOfLineFlag":true,"Text":"key=header&name=CASHIER+COPY"},
            {"EndOfLineFlag":true,"Text":"key=filler"},
            {"EndOfLineFlag":false,"Text":"name=Card"},
            {"EndOfLineFlag":true,"Text":"value=%2a%2a%2a%2a0001&key=pan"},
            {"Text":"caf\u00e9"}, {"NoText":1}]}},
        {"DocumentQualifier":"CustomerReceipt","OutputContent":{"OutputText":{"Text":"name=x"}}}, "no receipt"]}"#;

    #[test]
    fn receipts_are_read_line_by_line() {
        let receipts = receipts_of(BODY);
        assert_eq!(receipts.len(), 2);
        let cashier = &receipts[0];
        assert_eq!((&*cashier.document_qualifier, cashier.signature_required), ("CashierReceipt", true));
        assert_eq!(cashier.lines.len(), 5);
        assert!(cashier.lines[0].bold && cashier.lines[0].name == "CASHIER COPY");
        assert_eq!((&*cashier.lines[3].value, &*cashier.lines[3].key), ("****0001", "pan"));
        assert_eq!(cashier.to_text(14), "CASHIER COPY\n\nCard  ****0001\ncafé\n");
        assert_eq!(receipts[1].lines[0].name, "x");
    }

    #[test]
    fn any_width_renders_every_word() {
        for width in [0, 1, 2, 5, 200] {
            let text = receipts_of(BODY)[0].to_text(width);
            assert!(text.lines().all(|line| line.chars().count() <= width.max(1)), "{width}: {text:?}");
            let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            assert_eq!(letters(&text), "CASHIERCOPYCard****0001café", "{width}");
        }
    }
}
