//! From a member of a configuration to its line and column.
//!
//! Serde hands over values without their places, and its only way to carry places is TOML's alone. So checks name the
//! member they complain about by its [`Path`], and only when there is something to say is the text read once more, into
//! a tree of offsets in which the path is followed. Both formats give the same tree, so both have exact places.

use std::borrow::Cow;

/// One step down into a configuration.
#[derive(Clone, Debug)]
enum Step {
    Member(Cow<'static, str>),
    Index(usize),
}

/// Where something stands: `rule[3].queue[1]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(Vec<Step>);

impl Path {
    /// The member `name` of the root.
    pub(super) fn root(name: &'static str) -> Self {
        Self::default().member(name)
    }

    pub(super) fn member(&self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(Step::Member(name.into()))
    }

    /// An element of a list; of a value that stands for a list of one, the value itself.
    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

/// Which part of a member is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Its name.
    Name,
    /// Its value.
    Value,
    /// Its name, where it stands for the second time.
    Repeated,
}

/// Something to say about a member, its place not looked up yet.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: Path,
    pub(super) part: Part,
    pub(super) message: String,
}

impl Fault {
    /// About the value at `path`; where it is missing, about what should hold it.
    pub(super) fn value(path: Path, message: impl Into<String>) -> Self {
        Self { path, part: Part::Value, message: message.into() }
    }

    /// About the member at `path` as such.
    pub(super) fn name(path: Path, message: impl Into<String>) -> Self {
        Self { path, part: Part::Name, message: message.into() }
    }
}

/// A value's offset, and those of what it holds.
struct Node {
    offset: usize,
    inside: Inside,
}

enum Inside {
    Scalar,
    List(Vec<Node>),
    Members(Vec<Member>),
}

struct Member {
    name: String,
    offset: usize,
    value: Node,
}

/// The offsets of all values and names of a text.
pub(super) struct Places<'a> {
    text: &'a str,
    root: Node,
}

impl<'a> Places<'a> {
    /// The places of a TOML text.
    pub(super) fn of_toml(text: &'a str) -> Self {
        let root = match toml::de::DeTable::parse(text) {
            Ok(table) => members_of_toml(table.get_ref(), 0),
            // OK because places are asked of texts that were parsed before; the start of the text is a place too.
            Err(_) => Node { offset: 0, inside: Inside::Scalar },
        };
        Self { text, root }
    }

    /// The places of a JSON text that serde_json has accepted: what it has checked is not checked again.
    pub(super) fn of_json(text: &'a str) -> Self {
        Self { text, root: Json { text, at: 0 }.value() }
    }

    /// Line and column of `part` of the member at `path`; if it is not there, of the nearest that should hold it.
    pub(super) fn find(&self, path: &Path, part: Part) -> (u32, u32) {
        let mut node = &self.root;
        let mut place = node.offset;
        for (i, step) in path.0.iter().enumerate() {
            let last = i + 1 == path.0.len();
            match (step, &node.inside) {
                (Step::Member(name), Inside::Members(members)) => {
                    let skip = usize::from(last && part == Part::Repeated);
                    let Some(member) = members.iter().filter(|member| member.name == *name).nth(skip) else { break };
                    node = &member.value;
                    place = if last && part != Part::Value { member.offset } else { node.offset };
                }
                (Step::Index(index), Inside::List(list)) => {
                    let Some(element) = list.get(*index) else { break };
                    node = element;
                    place = node.offset;
                }
                // A value that stands for a list of one.
                (Step::Index(_), _) => {}
                (Step::Member(_), _) => break,
            }
        }
        line_and_column(self.text, place)
    }
}

/// Line and column of an offset, both from 1, the column in characters.
pub(super) fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    let column = before[line_start..].chars().count() + 1;
    (line as u32, column as u32)
}

fn members_of_toml(table: &toml::de::DeTable<'_>, offset: usize) -> Node {
    let members = table.iter().map(|(name, value)| Member {
        name: name.get_ref().to_string(),
        offset: name.span().start,
        value: node_of_toml(value.get_ref(), value.span().start),
    });
    Node { offset, inside: Inside::Members(members.collect()) }
}

fn node_of_toml(value: &toml::de::DeValue<'_>, offset: usize) -> Node {
    if let Some(table) = value.as_table() {
        return members_of_toml(table, offset);
    }
    let inside = match value.as_array() {
        Some(list) => {
            Inside::List(list.iter().map(|element| node_of_toml(element.get_ref(), element.span().start)).collect())
        }
        None => Inside::Scalar,
    };
    Node { offset, inside }
}

/// Walks over JSON that is known to be valid and, by the types it was read into, not deep.
struct Json<'a> {
    text: &'a str,
    at: usize,
}

impl Json<'_> {
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    fn value(&mut self) -> Node {
        let first = self.peek();
        let offset = self.at;
        let inside = match first {
            b'{' => Inside::Members(self.separated(b'}', |json| {
                let offset = json.at;
                let name = json.string();
                json.peek();
                json.at += 1; // the colon
                Member { name, offset, value: json.value() }
            })),
            b'[' => Inside::List(self.separated(b']', Self::value)),
            b'"' => {
                self.string();
                Inside::Scalar
            }
            _ => {
                let rest = &self.text.as_bytes()[self.at..];
                // At least one byte, so that the walk ends whatever the text holds.
                self.at += rest.iter().take_while(|byte| !b",]} \t\r\n".contains(byte)).count().max(1);
                Inside::Scalar
            }
        };
        Node { offset, inside }
    }

    /// What stands between the bracket here and its partner `close`, at commas.
    fn separated<T>(&mut self, close: u8, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut all = Vec::new();
        self.at += 1;
        loop {
            match self.peek() {
                0 => return all,
                b',' => self.at += 1,
                byte if byte == close => {
                    self.at += 1;
                    return all;
                }
                _ => all.push(one(self)),
            }
        }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(&byte) = bytes.get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        // OK because it was accepted before; an empty name would only make the place less exact.
        self.text.get(start..self.at).and_then(|quoted| serde_json::from_str(quoted).ok()).unwrap_or_default()
    }
}
