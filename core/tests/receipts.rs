//! Receipts as a printer gets them: any width, any text.

use nexowire_core::limits::Limits;
use nexowire_core::message::Message;
use nexowire_core::nexo::{Receipt, ReceiptLine};

fn line(name: &str, value: &str) -> ReceiptLine {
    ReceiptLine { name: name.into(), value: value.into(), ..ReceiptLine::default() }
}

fn text(lines: Vec<ReceiptLine>, width: usize) -> String {
    Receipt { document_qualifier: "CustomerReceipt".into(), signature_required: false, lines }.to_text(width)
}

#[test]
fn lines_are_laid_out_in_columns() {
    for (name, value, width, expected) in [
        ("TOTAL", "12.30", 11, "TOTAL 12.30\n"),
        ("TOTAL", "12.30", 10, "TOTAL\n     12.30\n"),
        ("", "12.30", 5, "12.30\n"),
        ("", "12.30", 7, "  12.30\n"),
        ("", "123456", 4, "1234\n  56\n"),
        ("", "", 5, "\n"),
        ("  MIDDLE", "", 10, "  MIDDLE\n"),
        ("two  blanks", "", 20, "two  blanks\n"),
        ("one two", "", 3, "one\ntwo\n"),
        ("a\nb", "", 9, "a\nb\n"),
        ("a\nb", "c", 9, "a\nb\n        c\n"),
        ("日本語のレシート", "", 3, "日本語\nのレシ\nート\n"),
    ] {
        assert_eq!(text(vec![line(name, value)], width), expected, "{name:?} {value:?} {width}");
    }
    let goes_on = ReceiptLine { continues: true, ..line("Card", "VISA") };
    assert_eq!(text(vec![goes_on.clone(), line(" credit", "")], 20), "Card VISA credit\n");
    assert_eq!(text(vec![goes_on], 20), "Card VISA\n");
}

/// An escape sequence in a receipt could open the drawer of the printer that it is sent to.
#[test]
fn control_characters_do_not_reach_the_printer() {
    assert_eq!(text(vec![line("\u{1b}p0\r\n\u{9b}x\ty", "")], 20), " p0\n x y\n");
    assert_eq!(text(vec![line("a\u{7}", "b\u{0}c")], 6), "a  b c\n");
}

#[test]
fn no_width_is_too_wide() {
    for width in [257, 1 << 20, usize::MAX] {
        assert_eq!(text(vec![line("a", "b")], width), text(vec![line("a", "b")], 256));
    }
}

/// With the square of its letters this takes hours, as nobody needs a clock to see.
#[test]
fn a_long_word_costs_no_more_than_its_letters() {
    for width in [0, 1, 20] {
        let rows = text(vec![line(&"é".repeat(1 << 20), "")], width).lines().count();
        assert_eq!(rows, (1_usize << 20).div_ceil(width.max(1)));
    }
}

#[test]
fn of_a_repeated_key_the_first_counts() {
    let body = br#"{"SaleToPOIResponse":{"PaymentResponse":{"PaymentReceipt":[{"OutputContent":{"OutputText":[
        {"Text":"name=TOTAL&value=12.30&name=TIP&value=99.00&key=a&key=b"}]}}]}}}"#;
    let receipts = Message::classify(body, &Limits::default()).view().receipts();
    let line = &receipts[0].lines[0];
    assert_eq!((&*line.name, &*line.value, &*line.key), ("TOTAL", "12.30", "a"));
}
