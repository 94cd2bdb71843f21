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

/// Wider than any paper.
const WIDTH_MAX: usize = 256;

/// One line of a receipt, decoded. A line that is not written as pairs is all name; of a repeated key the first counts.
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
    let line = ReceiptLine {
        bold: member(raw, "/CharacterStyle").is_some_and(|style| style == "Bold"),
        continues: member(raw, "/EndOfLineFlag").is_some_and(|flag| flag == "false"),
        ..ReceiptLine::default()
    };
    if !form::is_pairs(text.as_bytes()) {
        return Some(ReceiptLine { name: text, ..line });
    }
    let value = |key: &[u8]| form::find(text.as_bytes(), key).map(|pair| pair.value().into_owned()).unwrap_or_default();
    Some(ReceiptLine { name: value(b"name"), value: value(b"value"), key: value(b"key"), ..line })
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
    /// one character (Unicode scalar value), also where a printer makes it wider. A width of 0 counts as 1, one above
    /// 256 as 256. Control characters become blanks, so that no receipt can command a printer; a line feed in a text
    /// begins a line.
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
        let width = width.clamp(1, WIDTH_MAX);
        let (mut text, mut open) = (String::new(), String::new());
        for line in &self.lines {
            let (name, value) = (printable(&line.name), printable(&line.value));
            if !line.continues {
                render(&mut text, &(std::mem::take(&mut open) + &name), &value, width);
                continue;
            }
            let both = !name.is_empty() && !value.is_empty();
            open.extend([&*name, if both { " " } else { "" }, &value]);
        }
        if !open.is_empty() {
            render(&mut text, &open, "", width);
        }
        text
    }
}

fn render(text: &mut String, name: &str, value: &str, width: usize) {
    let (left, right) = (name.chars().count(), value.chars().count());
    let gap = width.checked_sub(left + right).filter(|gap| *gap > 0 || left == 0);
    if let Some(gap) = gap.filter(|_| right > 0 && !name.contains('\n') && !value.contains('\n')) {
        text.extend([name, &" ".repeat(gap), value, "\n"]);
        return;
    }
    if left > 0 || right == 0 {
        wrap(name, width, |row| text.extend([row, "\n"]));
    }
    if right > 0 {
        wrap(value, width, |row| {
            let indent = width.saturating_sub(row.chars().count());
            text.extend([&" ".repeat(indent), row, "\n"]);
        });
    }
}

/// Calls `each` with rows of at most `width` characters, broken at blanks where there are any; with one empty row of an
/// empty text.
fn wrap(text: &str, width: usize, mut each: impl FnMut(&str)) {
    for paragraph in text.split('\n') {
        if paragraph.chars().nth(width).is_none() {
            each(paragraph.trim_end());
            continue;
        }
        let (mut row, mut columns) = (String::new(), 0);
        let mut end = |row: &mut String, columns: &mut usize| {
            each(row.trim_end());
            row.clear();
            *columns = 0;
        };
        for word in paragraph.split(' ') {
            if columns > 0 && columns + 1 + word.chars().count() > width {
                end(&mut row, &mut columns);
            } else if columns > 0 {
                row.push(' ');
                columns += 1;
            }
            for letter in word.chars() {
                if columns == width {
                    end(&mut row, &mut columns);
                }
                row.push(letter);
                columns += 1;
            }
        }
        end(&mut row, &mut columns);
    }
}

/// Text without control characters, which a printer would obey; line feeds stay.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter }).collect()
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
