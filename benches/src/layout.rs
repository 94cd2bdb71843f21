//! JSON values, and the many ways in which terminals and backends write the same one.

use std::fmt::Write;

use crate::random::{Random, mixed};

/// A JSON value whose members have an order.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Text(String),
    /// A number, or `true` or `false`.
    Plain(String),
    Object(Vec<(&'static str, Node)>),
    Array(Vec<Node>),
}

impl Node {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// White space and the order of members.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Begins a line; empty: all of it is one line.
    newline: &'static str,
    indent: String,
    /// Behind the colon in front of a number or a literal, and in front of anything else.
    behind_colon: [&'static str; 2],
    behind_comma: &'static str,
    /// Members are sorted by this seed and their name; `None`: they stay as they are.
    order: Option<u64>,
    /// Of a hundred places where white space may stand, how many get one blank more.
    stray_blanks: u64,
}

impl Layout {
    /// No white space.
    pub(crate) fn minified() -> Self {
        Self::one_line(["", ""], "")
    }

    /// Lines that begin with tabs, as display notifications of terminals have them.
    pub(crate) fn tabs() -> Self {
        Self::lines("\n", "\t", [" ", " "])
    }

    /// Three blanks, and texts right behind their colon, as event notifications of terminals have them.
    pub(crate) fn terminal() -> Self {
        Self::lines("\n", "   ", [" ", ""])
    }

    /// The twelve layouts of one kind of message in `varied`: six ways to write white space, each in two orders.
    pub(crate) fn twelve(kind: u64) -> Vec<Self> {
        let white_space = [
            Self::minified(),
            Self::tabs(),
            Self::terminal(),
            Self::lines("\n", "  ", [" ", " "]),
            Self::lines("\r\n", "    ", [" ", " "]),
            Self::one_line([" ", " "], " "),
        ];
        let mut layouts = white_space.to_vec();
        let shuffled = |(layout, seed): (&Self, u64)| Self { order: Some(mixed(kind << 32 | seed)), ..layout.clone() };
        layouts.extend(white_space.iter().zip(1..).map(shuffled));
        layouts
    }

    /// A layout that no other message has.
    pub(crate) fn of_its_own(random: &mut Random) -> Self {
        let (newline, indent) = (random.pick(&["\n", "\r\n", ""]), random.pick(&[" ", "\t"]));
        Self {
            newline,
            indent: indent.repeat(random.below(5) as usize),
            behind_colon: random.pick(&[[" ", " "], ["", ""], [" ", ""]]),
            behind_comma: random.pick(&["", " "]),
            order: Some(random.number()),
            stray_blanks: 10,
        }
    }

    fn lines(newline: &'static str, indent: &str, behind_colon: [&'static str; 2]) -> Self {
        Self { newline, indent: indent.to_owned(), ..Self::one_line(behind_colon, "") }
    }

    fn one_line(behind_colon: [&'static str; 2], behind_comma: &'static str) -> Self {
        Self { newline: "", indent: String::new(), behind_colon, behind_comma, order: None, stray_blanks: 0 }
    }

    /// The text of `node`.
    pub(crate) fn write(&self, node: &Node, random: &mut Random) -> String {
        let mut writer = Writer { layout: self, random, text: String::new(), depth: 0 };
        writer.node(node);
        writer.text
    }
}

struct Writer<'a> {
    layout: &'a Layout,
    random: &'a mut Random,
    text: String,
    depth: usize,
}

impl Writer<'_> {
    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(text) => self.string(text),
            Node::Plain(text) => self.text += text,
            Node::Array(items) => self.container(['[', ']'], items, |writer, item| writer.node(item)),
            Node::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if let Some(seed) = self.layout.order {
                    members
                        .sort_by_key(|(name, _)| name.bytes().fold(seed, |hash, byte| mixed(hash ^ u64::from(byte))));
                }
                self.container(['{', '}'], &members, |writer, (name, value)| writer.member(name, value));
            }
        }
    }

    fn member(&mut self, name: &str, value: &Node) {
        self.string(name);
        self.stray_blank();
        self.text.push(':');
        self.text += self.layout.behind_colon[usize::from(!matches!(value, Node::Plain(_)))];
        self.stray_blank();
        self.node(value);
    }

    fn container<T>(&mut self, brackets: [char; 2], items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.text.push(brackets[0]);
        self.depth += 1;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
                self.text += self.layout.behind_comma;
            }
            self.line();
            write(self, item);
        }
        self.depth -= 1;
        self.line();
        self.text.push(brackets[1]);
    }

    fn line(&mut self) {
        if !self.layout.newline.is_empty() {
            self.text += self.layout.newline;
            (0..self.depth).for_each(|_| self.text += &self.layout.indent);
        }
        self.stray_blank();
    }

    fn stray_blank(&mut self) {
        if self.layout.stray_blanks > 0 && self.random.percent(self.layout.stray_blanks) {
            self.text.push(' ');
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for found in text.chars() {
            match found {
                '"' | '\\' => self.text.extend(['\\', found]),
                '\n' => self.text += "\\n",
                '\0'..' ' => write!(self.text, "\\u{:04x}", u32::from(found)).expect("a string takes all"),
                _ => self.text.push(found),
            }
        }
        self.text.push('"');
    }
}
