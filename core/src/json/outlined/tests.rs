//! What has been walked by its outline against what the cursor says.

use proptest::prelude::*;

use super::*;
use crate::error::Error;
use crate::json::Cursor;

/// Walks everything, or passes the members of the root.
struct Everything {
    deeply: bool,
    found: Vec<Value>,
}

impl Everything {
    fn value<'a, W: Walk<'a>>(&mut self, walker: &mut W, deeply: bool) -> Result<(), W::Error> {
        match walker.peek() {
            b'{' if deeply => {
                walker.object(|walker, name| {
                    self.found.push(Value::String(name.span));
                    self.value(walker, self.deeply)
                })?;
            }
            b'[' if deeply => drop(walker.array(|walker| self.value(walker, self.deeply))?),
            _ => {
                let value = walker.value()?;
                self.found.push(value);
            }
        }
        Ok(())
    }
}

impl<'a> WalkOutlined<'a> for &mut Everything {
    fn walk<O: Outliner>(self, mut walker: Outlined<'a, '_, O>) -> bool {
        self.value(&mut walker, true).is_ok() && walker.is_at_end()
    }
}

/// What is found by the outline, if it finds that the text is right.
fn by_outline(text: &[u8], limits: &Limits, deeply: bool) -> Option<Vec<Value>> {
    let mut everything = Everything { deeply, found: vec![] };
    let walked = walk_outlined(text, limits, Kernel::outlining(), &mut everything);
    (walked == Some(true)).then_some(everything.found)
}

fn by_cursor(text: &[u8], limits: &Limits, deeply: bool) -> Result<Vec<Value>, Error> {
    let mut everything = Everything { deeply, found: vec![] };
    let mut cursor = Cursor::new(text, limits, Kernel::SWAR);
    everything.value(&mut cursor, true)?;
    cursor.finish()?;
    Ok(everything.found)
}

/// Whether this machine makes outlines.
fn makes_outlines() -> bool {
    Kernel::outlining().name() != Kernel::SWAR.name()
}

/// Whatever is accepted must be right, and give the same values; a container of fair length must be accepted if it is.
fn check(text: &[u8], limits: &Limits) {
    for deeply in [false, true] {
        let (found, expected) = (by_outline(text, limits, deeply), by_cursor(text, limits, deeply));
        let is_container = matches!(text.trim_ascii_start().first(), Some(b'{' | b'['));
        if makes_outlines() && (64..32_768).contains(&text.trim_ascii_end().len()) && is_container {
            assert_eq!(found, expected.ok(), "{}", text.escape_ascii());
        } else if let Some(found) = found {
            assert_eq!(Ok(found), expected, "{}", text.escape_ascii());
        }
    }
}

/// What may stand in a container, or may not.
const INNER: &[&str] = &[
    "",
    "1",
    ",",
    ":",
    "[]",
    "{}",
    "[ ]",
    "{ \n}",
    "{]",
    "[}",
    "[,]",
    "{,}",
    "[1,]",
    "{\"a\":1,}",
    "{1}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\",\"b\":1}",
    "{\"a\":1,\"b\"}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":\"b\":1}",
    "[\"a\":1]",
    "[1,\"a\":1]",
    "[[1,\"a\":1]]",
    "{\"a\":[{\"b\":1},2,\"c\"]}",
    "{\"a\":{\"b\":1},\"c\":[\"d\",\"e\"]}",
    "1 2",
    "1\"a\"",
    "\"a\"1",
    "\"a\"\"b\"",
    "tru",
    "true",
    "truex",
    "[true,false , null]",
    "[-0.5e+7,01]",
    "[1,2]3",
    "{}{}",
    "{} []",
    "][",
    "\"\\u12x4\"",
    "\"\\ud800\"",
    "\"\\ud83c\\udf70\"",
    "\\",
    "\"a\u{1}\"",
    "\u{1}",
    "\u{c}",
    "[\u{1a}]",
    "\"\u{e9}\"",
    "\u{e9}",
    "{\"\\u0061\":\"\\\\\"}",
];

#[test]
fn what_is_wrong_is_found_and_what_is_right_is_not() {
    let long = format!("\"{}\"", "x".repeat(70));
    for inner in INNER {
        for text in [
            format!("[{long},{inner}]"),
            format!("[{inner},{long}]"),
            format!("{{\"a\":{inner},\"b\":{long}}}"),
            format!("{{\"a\":{long},\"b\":[{inner}]}}"),
            format!("{{\"a\":{long},\"b\":{{{inner}}}}}"),
            format!("{inner},[{long}]"),
            format!("{inner}[{long}]"),
            format!("[{long}]{inner}"),
            format!("[{long}],{inner}"),
            format!("{long}{inner}"),
        ] {
            for blanks in 0..70 {
                // The same at each place of a block.
                check(format!("{}{text}", " ".repeat(blanks)).as_bytes(), &Limits::MAX);
            }
            check(format!("{text}\u{c}").as_bytes(), &Limits::MAX);
        }
    }
}

#[test]
fn limits_are_kept() {
    for depth in 0..70 {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = format!("[\"{}\",{}1{}]", "x".repeat(70), open.repeat(depth), close.repeat(depth));
            for depth_max in [0, 1, 5, 63, 64, 65] {
                check(text.as_bytes(), &Limits { depth: depth_max, ..Limits::MAX });
            }
        }
    }
    for members in [0, 1, 2, 40, 41, 42] {
        let text = format!("{{{}\"\":1}}", "\"\":1,".repeat(40));
        check(text.as_bytes(), &Limits { members, ..Limits::MAX });
    }
}

#[test]
fn a_text_of_any_length() {
    for length in (0..300).chain(32_700..32_800) {
        check(format!("{{\"a\":\"{}\"}}", "x".repeat(length)).as_bytes(), &Limits::MAX);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_000_u32.max(ProptestConfig::default().cases)))]

    #[test]
    fn tokens_in_any_order(tokens in proptest::collection::vec(proptest::sample::select(&[
        "{", "}", "[", "]", ":", ",", "\"a\"", "1", "true", " ", "\n        ", "\"\\n\"", "{\"a\":", ",\"b\":", "[1,", "{}", "[]",
    ][..]), 0..12), blanks in 0_usize..130) {
        let text = format!("[\"{}\",{}{}]", "x".repeat(50), " ".repeat(blanks), tokens.concat());
        check(text.as_bytes(), &Limits::MAX);
        let text = format!("{{\"{}\":{}{}}}", "x".repeat(50), " ".repeat(blanks), tokens.concat());
        check(text.as_bytes(), &Limits::MAX);
    }
}
