//! Messages in one buffer, one behind the other.

use std::fmt;
use std::ops::Range;

use crate::layout::{Layout, Node};
use crate::messages::{display, event, payment};
use crate::random::Random;

/// The corpora that [`Corpus::made`] knows.
///
/// `event`, `display` and `payment` are one kind each, in the layout in which terminals write it. `mix` is 80 % display,
/// 15 % event and 5 % payment. `varied` is the same mix with twelve layouts a kind, `reshaped` with white space and an
/// order of members that no two messages share.
pub const NAMES: [&str; 6] = ["event", "display", "payment", "mix", "varied", "reshaped"];

/// Messages of one kind; few enough to stay in the first caches.
const FEW: usize = 64;
/// Messages of a mix; more than the second cache holds, and than a branch predictor learns by heart.
const MANY: usize = 10_000;

/// Bytes that can be read behind every message, so that parsers that need them need no copy.
pub const PADDING: usize = 128;

/// Messages in one buffer.
#[derive(Clone, Debug)]
pub struct Corpus {
    name: String,
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Corpus {
    /// Makes the corpus of one of [`NAMES`]; every run makes the same.
    ///
    /// # Panics
    /// For any other name.
    pub fn made(name: &str) -> Self {
        let random = &mut Random::new(7);
        let mut corpus = Self { name: name.to_owned(), bytes: vec![], places: vec![] };
        let count = if matches!(name, "event" | "display" | "payment") { FEW } else { MANY };
        let twelve = [1, 2, 3].map(Layout::twelve);
        let own = [Layout::terminal(), Layout::tabs(), Layout::minified()];
        for _ in 0..count {
            let kind = match name {
                "event" => 0,
                "display" => 1,
                "payment" => 2,
                _ => mixed_kind(random),
            };
            let make: fn(&mut Random) -> Node = [event, display, payment][kind];
            let node = make(random);
            let message = match name {
                "varied" => twelve[kind][random.below(12) as usize].write(&node, random),
                "reshaped" => Layout::of_its_own(random).write(&node, random),
                _ => own[kind].write(&node, random),
            };
            corpus.push(message.as_bytes());
        }
        assert!(NAMES.contains(&name), "{name} is no corpus");
        corpus.padded()
    }

    /// Reads messages that each stand behind their length, a `u32` in little-endian.
    ///
    /// # Errors
    /// When a length leads beyond the end, or there is no message.
    pub fn read(name: &str, mut rest: &[u8]) -> Result<Self, BadCorpus> {
        let mut corpus = Self { name: name.to_owned(), bytes: vec![], places: vec![] };
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = u32::from_le_bytes(*length) as usize;
            let (message, behind) = after.split_at_checked(length).ok_or(BadCorpus)?;
            corpus.push(message);
            rest = behind;
        }
        if rest.is_empty() && !corpus.is_empty() { Ok(corpus.padded()) } else { Err(BadCorpus) }
    }

    fn push(&mut self, message: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(message);
        self.places.push(start..self.bytes.len());
    }

    fn padded(mut self) -> Self {
        self.bytes.extend([b' '; PADDING]);
        self
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many messages it has.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Bytes of all messages together.
    pub fn total_bytes(&self) -> usize {
        self.places.iter().map(Range::len).sum()
    }

    /// The messages.
    #[inline]
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| &self.bytes[place.clone()])
    }

    /// The messages, each with [`PADDING`] bytes behind it.
    #[inline]
    pub fn padded_messages(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| &self.bytes[place.start..place.end + PADDING])
    }
}

fn mixed_kind(random: &mut Random) -> usize {
    match random.below(100) {
        0..80 => 1,
        80..95 => 0,
        _ => 2,
    }
}

/// A file that is not messages behind their lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCorpus;

impl fmt::Display for BadCorpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not messages that each stand behind their length, a u32 in little-endian")
    }
}

impl std::error::Error for BadCorpus {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn messages_are_as_long_as_those_of_terminals() {
        for (name, about) in
            [("event", 490), ("display", 680), ("payment", 6_300), ("mix", 930), ("varied", 1_130), ("reshaped", 1_130)]
        {
            let corpus = Corpus::made(name);
            let average = corpus.total_bytes() / corpus.len();
            assert!(average.abs_diff(about) * 10 < about, "{name}: {average} bytes, not {about}");
        }
    }

    #[test]
    fn every_run_makes_the_same_and_no_two_messages_are() {
        for name in NAMES {
            let (one, other) = (Corpus::made(name), Corpus::made(name));
            assert!(one.messages().eq(other.messages()), "{name}");
            assert_eq!(one.messages().collect::<HashSet<_>>().len(), one.len(), "{name}");
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let corpus = Corpus::read("x", b"\x02\0\0\0{}\x01\0\0\0[").unwrap();
        assert!(corpus.messages().eq([&b"{}"[..], b"["]));
        for bad in [&b""[..], b"\x03\0\0\0{}", b"\x02\0\0\0{}\x01"] {
            assert_eq!(Corpus::read("x", bad).unwrap_err(), BadCorpus);
        }
    }
}
