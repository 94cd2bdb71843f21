//! JSON, byte at a time: RFC 8259 and UTF-8, strictly, into a tree that keeps order and repeats.

use std::collections::BTreeSet;

/// What a body may not go beyond: bytes, nested containers (the root's included), members of all objects together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub body: usize,
    pub depth: usize,
    pub members: usize,
}

/// Design, section 14, written out again: a slip in the crate's own table shows.
pub const LIMITS: Limits = Limits { body: 1_048_576, depth: 64, members: 65_536 };

/// Any JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// The literal, as it stands in the text.
    Number(String),
    /// Unescaped.
    String(String),
    Array(Vec<Value>),
    /// In the order of the text, repeats kept, names unescaped.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The first member of this name, if this is an object that has one. Later ones do not count.
    pub fn first(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// The members of an object; none for any other value.
    pub fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The text of a string; numbers are not strings.
    pub fn string(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// The members that count: of each name the first, in order.
    pub fn firsts(&self) -> Vec<(&str, &Self)> {
        let mut met = BTreeSet::new();
        let members = self.members().iter().map(|(name, value)| (name.as_str(), value));
        members.filter(|(name, _)| met.insert(*name)).collect()
    }
}

/// Why a body is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// More bytes than the limit.
    Size,
    /// A container that is nested too deep.
    Depth,
    /// One member too many.
    Members,
    /// At this byte, and not before, a reader from left to right knows; at the length if the text ends too early.
    Syntax(usize),
}

/// Reads a whole body.
pub fn parse(body: &[u8], limits: &Limits) -> Result<Value, Failure> {
    if body.len() > limits.body {
        return Err(Failure::Size);
    }
    let mut reader = Reader { body, at: 0, members: 0, limits };
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    if reader.at == body.len() { Ok(value) } else { Err(Failure::Syntax(reader.at)) }
}

struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    members: usize,
    limits: &'a Limits,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    /// Takes one byte that has to fit.
    fn take(&mut self, fits: impl Fn(u8) -> bool) -> Result<u8, Failure> {
        match self.peek() {
            Some(byte) if fits(byte) => {
                self.at += 1;
                Ok(byte)
            }
            _ => Err(Failure::Syntax(self.at)),
        }
    }

    fn expect(&mut self, text: &[u8]) -> Result<(), Failure> {
        for &byte in text {
            self.take(|found| found == byte)?;
        }
        Ok(())
    }

    /// `ws = *( space / tab / LF / CR )`
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// `value = false / null / true / object / array / number / string`, inside of `outer` containers.
    fn value(&mut self, outer: usize) -> Result<Value, Failure> {
        match self.peek() {
            Some(b'n') => self.expect(b"null").map(|()| Value::Null),
            Some(b't') => self.expect(b"true").map(|()| Value::Bool(true)),
            Some(b'f') => self.expect(b"false").map(|()| Value::Bool(false)),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b'[' | b'{') if outer == self.limits.depth => Err(Failure::Depth),
            Some(b'[') => self.array(outer + 1).map(Value::Array),
            Some(b'{') => self.object(outer + 1).map(Value::Object),
            _ => Err(Failure::Syntax(self.at)),
        }
    }

    /// `array = "[" [ value *( "," value ) ] "]"`, with white space around every token.
    fn array(&mut self, depth: usize) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        self.expect(b"[")?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(items);
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            if self.take(|byte| byte == b',' || byte == b']')? == b']' {
                return Ok(items);
            }
            self.space();
        }
    }

    /// `object = "{" [ member *( "," member ) ] "}"`, with white space around every token.
    fn object(&mut self, depth: usize) -> Result<Vec<(String, Value)>, Failure> {
        let mut members = Vec::new();
        self.expect(b"{")?;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(members);
        }
        loop {
            members.push(self.member(depth)?);
            self.space();
            if self.take(|byte| byte == b',' || byte == b'}')? == b'}' {
                return Ok(members);
            }
            self.space();
        }
    }

    /// `member = string ":" value`. It counts from the quote that opens its name.
    fn member(&mut self, depth: usize) -> Result<(String, Value), Failure> {
        if self.peek() == Some(b'"') {
            if self.members == self.limits.members {
                return Err(Failure::Members);
            }
            self.members += 1;
        }
        let name = self.string()?;
        self.space();
        self.expect(b":")?;
        self.space();
        Ok((name, self.value(depth)?))
    }

    /// `number = [ "-" ] int [ "." 1*DIGIT ] [ ("e" / "E") [ "-" / "+" ] 1*DIGIT ]`, `int` without leading zeros.
    fn number(&mut self) -> Result<String, Failure> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.body[start..self.at].iter().copied().map(char::from).collect())
    }

    fn digits(&mut self) -> Result<(), Failure> {
        self.take(|byte| byte.is_ascii_digit())?;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    /// `string = quotation-mark *char quotation-mark`
    fn string(&mut self) -> Result<String, Failure> {
        let mut text = Vec::new();
        self.expect(b"\"")?;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => text.extend(self.escape()?.encode_utf8(&mut [0; 4]).bytes()),
                _ => self.character(&mut text)?,
            }
        }
        self.at += 1;
        // OK because `character` lets only well-formed UTF-8 pass, and `escape` makes characters.
        Ok(String::from_utf8(text).expect("well-formed"))
    }

    /// One character of UTF-8 that is neither a quote, a backslash nor a control: Unicode 16, table 3-7, row by row.
    fn character(&mut self, text: &mut Vec<u8>) -> Result<(), Failure> {
        let lead = self.take(|byte| matches!(byte, 0x20..=0x7f | 0xc2..=0xf4))?;
        text.push(lead);
        let (second, more) = match lead {
            0x20..=0x7f => return Ok(()),
            0xc2..=0xdf => (0x80..=0xbf, 0),
            0xe0 => (0xa0..=0xbf, 1),
            0xed => (0x80..=0x9f, 1),
            0xe1..=0xef => (0x80..=0xbf, 1),
            0xf0 => (0x90..=0xbf, 2),
            0xf4 => (0x80..=0x8f, 2),
            _ => (0x80..=0xbf, 2),
        };
        text.push(self.take(|byte| second.contains(&byte))?);
        for _ in 0..more {
            text.push(self.take(|byte| matches!(byte, 0x80..=0xbf))?);
        }
        Ok(())
    }

    /// `\" \\ \/ \b \f \n \r \t \uXXXX`, and two of the last for a character beyond the first plane.
    fn escape(&mut self) -> Result<char, Failure> {
        self.expect(b"\\")?;
        let letter = self.take(|byte| b"\"\\/bfnrtu".contains(&byte))?;
        Ok(match letter {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            itself => char::from(itself),
        })
    }

    /// The digits of `\uXXXX`. A low surrogate alone shows in its second digit (`DC` to `DF`), a high one alone in
    /// whatever stands where `\u`, `D` and `C` to `F` have to follow.
    fn unicode(&mut self) -> Result<char, Failure> {
        let first = self.hex(|_| true)?;
        let second = self.hex(|digit| first != 0xd || digit < 0xc)?;
        let unit = (first << 12) | (second << 8) | (self.hex(|_| true)? << 4) | self.hex(|_| true)?;
        if !(0xd800..0xdc00).contains(&unit) {
            return Ok(char::from_u32(unit).expect("no surrogate"));
        }
        self.expect(b"\\u")?;
        self.hex(|digit| digit == 0xd)?;
        let low = (self.hex(|digit| digit >= 0xc)? << 8) | (self.hex(|_| true)? << 4) | self.hex(|_| true)?;
        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xc00);
        Ok(char::from_u32(code).expect("a pair is below 0x110000"))
    }

    fn hex(&mut self, fits: impl Fn(u32) -> bool) -> Result<u32, Failure> {
        let byte = self.take(|byte| char::from(byte).to_digit(16).is_some_and(&fits))?;
        Ok(char::from(byte).to_digit(16).expect("taken as a digit"))
    }
}
