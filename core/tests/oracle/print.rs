//! A tree back into JSON text: in as many spellings as a seed wants, all of which mean the same.

use super::json::Value;
use super::mutate::Random;

/// How much of what JSON leaves open is used, each in percent.
#[derive(Clone, Copy, Debug)]
pub struct Spelling {
    /// White space around a token.
    pub space: u64,
    /// An escape for a character that needs none.
    pub escape: u64,
}

impl Spelling {
    /// The shortest text.
    pub const PLAIN: Self = Self { space: 0, escape: 0 };

    /// Mostly plain, as real messages are; sometimes odd, rarely nothing but oddities.
    pub fn random(random: &mut Random) -> Self {
        let mut percent = || [0, 0, 0, 3, 20, 100][random.below(6)];
        Self { space: percent(), escape: percent() }
    }
}

/// Prints a value.
pub fn print(value: &Value, spelling: Spelling, random: &mut Random) -> Vec<u8> {
    let mut printer = Printer { text: Vec::new(), spelling, random };
    printer.space();
    printer.value(value);
    printer.space();
    printer.text
}

struct Printer<'a> {
    text: Vec<u8>,
    spelling: Spelling,
    random: &'a mut Random,
}

impl Printer<'_> {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.text.extend(b"null"),
            Value::Bool(value) => self.text.extend(value.to_string().bytes()),
            Value::Number(literal) => self.text.extend(literal.bytes()),
            Value::String(text) => self.string(text),
            Value::Array(items) => self.list(b"[]", items.len(), |printer, at| printer.value(&items[at])),
            Value::Object(members) => self.list(b"{}", members.len(), |printer, at| {
                printer.string(&members[at].0);
                printer.space();
                printer.text.push(b':');
                printer.space();
                printer.value(&members[at].1);
            }),
        }
    }

    fn list(&mut self, brackets: &[u8; 2], len: usize, mut element: impl FnMut(&mut Self, usize)) {
        self.text.push(brackets[0]);
        self.space();
        for at in 0..len {
            if at > 0 {
                self.text.push(b',');
                self.space();
            }
            element(self, at);
            self.space();
        }
        self.text.push(brackets[1]);
    }

    fn space(&mut self) {
        if self.random.percent(self.spelling.space) {
            for _ in 0..=self.random.below(4) {
                self.text.push(self.random.pick(b" \t\n\r"));
            }
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push(b'"');
        for character in text.chars() {
            let must = matches!(character, '"' | '\\' | '\0'..='\u{1f}');
            if must || self.random.percent(self.spelling.escape) {
                self.escape(character);
            } else {
                self.text.extend(character.encode_utf8(&mut [0; 4]).bytes());
            }
        }
        self.text.push(b'"');
    }

    /// The short escape if there is one and chance wants it, else the digits of each UTF-16 unit in either case.
    fn escape(&mut self, character: char) {
        let short = "\"\\/\u{8}\u{c}\n\r\t".chars().position(|known| known == character);
        if let Some(at) = short.filter(|_| self.random.percent(70)) {
            self.text.extend([b'\\', b"\"\\/bfnrt"[at]]);
            return;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let digits = if self.random.percent(50) { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") };
            self.text.extend(digits.bytes());
        }
    }
}
