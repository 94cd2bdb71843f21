//! Sets of texts, exact or by how they begin.

use std::collections::HashSet;
use std::fmt;

use super::hash::TextHasher;

/// A set of exact texts and of prefixes (`V400m-*`), of any size, that answers in a time that hardly knows its size.
///
/// ```
/// use nexowire_core::route::{Configuration, NoResolver};
///
/// let configuration = Configuration::parse("[endpoint.shop]\npoiids = [\"V400m-1\", \"P400Plus-*\"]", &NoResolver)?;
/// let poiids = &configuration.endpoints()[1].poiids;
/// assert!(poiids.contains(b"V400m-1") && poiids.contains(b"P400Plus-7"));
/// assert!(!poiids.contains(b"V400m-2"));
/// # Ok::<(), nexowire_core::route::ConfigError>(())
/// ```
#[derive(Clone, Default)]
pub struct Patterns {
    exact: HashSet<Box<[u8]>, TextHasher>,
    /// Sorted, and none begins with another: so of those that are not greater than a text only the last can be its
    /// beginning.
    prefixes: Vec<Box<[u8]>>,
}

impl Patterns {
    /// The set of these patterns; of one that is no pattern, why not.
    pub(super) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, &'static str> {
        let mut set = Self::default();
        for pattern in patterns {
            match Pattern::parse(pattern)? {
                Pattern::Exact(text) => {
                    set.exact.insert(text.as_bytes().into());
                }
                Pattern::Prefix(prefix) => set.prefixes.push(prefix.as_bytes().into()),
            }
        }
        set.prefixes.sort_unstable();
        set.prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter));
        Ok(set)
    }

    /// The set of these texts, in which `*` is a letter like any other.
    pub(super) fn literal<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self { exact: texts.into_iter().map(|text| text.as_bytes().into()).collect(), prefixes: Vec::new() }
    }

    /// Whether `text` is one of the exact texts or begins with one of the prefixes.
    #[inline]
    pub fn contains(&self, text: &[u8]) -> bool {
        (!self.exact.is_empty() && self.exact.contains(text))
            || (!self.prefixes.is_empty() && self.begins_with_a_prefix(text))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty()
    }

    pub(super) fn exact(&self) -> impl Iterator<Item = &[u8]> {
        self.exact.iter().map(|text| &**text)
    }

    pub(super) fn prefixes(&self) -> &[Box<[u8]>] {
        &self.prefixes
    }

    /// The only text, and whether it is a prefix; `None` if there are several, or none.
    pub(super) fn single(&self) -> Option<(&[u8], bool)> {
        let mut exact = self.exact();
        match (exact.next(), exact.next(), &self.prefixes[..]) {
            (Some(text), None, []) => Some((text, false)),
            (None, None, [prefix]) => Some((prefix, true)),
            _ => None,
        }
    }

    fn begins_with_a_prefix(&self, text: &[u8]) -> bool {
        let not_greater = self.prefixes.partition_point(|prefix| **prefix <= *text);
        not_greater.checked_sub(1).is_some_and(|last| text.starts_with(&self.prefixes[last]))
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patterns({} exact, {} prefixes)", self.exact.len(), self.prefixes.len())
    }
}

/// One text of a set, as it is written.
enum Pattern<'a> {
    Exact(&'a str),
    Prefix(&'a str),
}

impl<'a> Pattern<'a> {
    fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (begins, pattern) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, Self::Prefix(prefix)),
            None => (text, Self::Exact(text)),
        };
        match text {
            "" => Err("is empty"),
            _ if begins.contains('*') => Err("has a `*` that is not at its end"),
            _ => Ok(pattern),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn exact_and_prefixes() {
        let patterns = ["a", "ab*", "abc*", "ab", "b-*", "b-1*", "c*"];
        let set = Patterns::new(patterns).unwrap();
        assert_eq!(set.prefixes().len(), 3);
        for text in ["", "a", "ab", "abc", "abd", "b", "b-", "b-1", "b-2", "b.", "c", "cc", "d", "a\u{ff}"] {
            let plainly = patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => text.starts_with(prefix),
                None => text == *pattern,
            });
            assert_eq!(set.contains(text.as_bytes()), plainly, "{text}");
        }
    }

    #[test]
    fn the_star_alone_fits_every_text() {
        let set = Patterns::new(["*", "a*"]).unwrap();
        assert!(set.contains(b"") && set.contains(b"z"));
    }

    #[test]
    fn what_is_no_pattern() {
        for text in ["", "a*b", "**", "*a"] {
            assert!(Patterns::new([text]).is_err(), "{text}");
        }
        assert!(Patterns::literal(["a*b"]).contains(b"a*b"));
    }
}
