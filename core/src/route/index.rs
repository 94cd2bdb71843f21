//! From keys to rules: a table with open addressing that is built once.

use super::key::{Shape, Tokens};
use super::plan::Entry;

/// Which rules may fit a message: for every shape one look-up.
///
/// A slot is four bytes, so that the slots of 10,000 rules stay in a core's own cache: as many bits as it takes say what
/// is found, the rest are a tag, of the key. Tags are too short to be unlike for unlike keys, and need not be: a rule is
/// put where a search for its key ends, and where this is the slot of another key with the same tag, both share it.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// Sorted by `first`, so that a search can end when a better rule than all that follow is known.
    shapes: Vec<ShapeRules>,
    /// A power of two of them, at least one empty, so that every search ends. The lower bits are 0 in an empty one; up to
    /// `rules_len` the number of the only rule and one more; beyond, where a list begins in `lists`. The upper are the tag.
    slots: Box<[u32]>,
    /// The key's upper bits, those left after this shift, are the slot where the search for it begins.
    shift: u32,
    /// How many bits of a slot say what is found.
    found_bits: u32,
    /// One more than the greatest number of a rule.
    rules_len: u32,
    /// Lists of rules, ascending, each behind its length.
    lists: Vec<u32>,
}

/// A shape, and the first rule that is found by it.
#[derive(Clone, Copy, Debug)]
struct ShapeRules {
    shape: Shape,
    first: u32,
}

/// What a search finds. Most keys have one rule, which then needs no list.
#[derive(Clone, Copy, Debug)]
enum Rules {
    None,
    One(u32),
    /// Where the list begins in [`Index::lists`].
    List(u32),
}

impl Index {
    pub(super) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by_key(|entry| (entry.key, entry.rule));
        let keys = entries.chunk_by(|a, b| a.key == b.key).count();
        // At most half full: a search mostly ends where it begins. Fuller ones were measured a fifth slower.
        let len = (keys * 2 + 1).next_power_of_two().max(2);
        let rules_len = entries.iter().map(|entry| entry.rule + 1).max().unwrap_or(0);
        // A list has two rules at least, and its length: no more words than one and a half for each entry.
        let found_max = rules_len + (entries.len() + entries.len() / 2) as u32;
        let mut index = Self {
            shapes: shapes(&entries),
            slots: vec![0; len].into_boxed_slice(),
            shift: 64 - len.trailing_zeros(),
            found_bits: u32::BITS - found_max.leading_zeros(),
            rules_len,
            lists: Vec::new(),
        };
        index.fill(&entries);
        index
    }

    /// Gives every key the slot at which a search for it ends, then every slot the rules of all its keys.
    fn fill(&mut self, entries: &[Entry]) {
        let mut placed: Vec<(usize, u32)> = Vec::with_capacity(entries.len());
        for same_key in entries.chunk_by(|a, b| a.key == b.key) {
            let key = same_key[0].key;
            let (at, _) = self.search(key);
            // Any number but 0 will do until all keys have their slots.
            self.slots[at] = self.tag(key) | 1;
            placed.extend(same_key.iter().map(|entry| (at, entry.rule)));
        }
        placed.sort_unstable();
        // Two shapes can give one key, and then a rule may be there twice.
        placed.dedup();
        for same_slot in placed.chunk_by(|a, b| a.0 == b.0) {
            let (at, rule) = same_slot[0];
            let found = if same_slot.len() == 1 {
                rule + 1
            } else {
                let start = self.lists.len() as u32;
                self.lists.push(same_slot.len() as u32);
                self.lists.extend(same_slot.iter().map(|&(_, rule)| rule));
                self.rules_len + 1 + start
            };
            self.slots[at] = self.slots[at] >> self.found_bits << self.found_bits | found;
        }
    }

    /// Whether it holds no rule.
    pub(super) fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// The number of shapes, which is how many look-ups a message costs at most.
    #[cfg(test)]
    pub(super) fn shapes_len(&self) -> usize {
        self.shapes.len()
    }

    /// The length of the longest list of rules with one key.
    #[cfg(test)]
    pub(super) fn list_len_max(&self) -> usize {
        let found = self.slots.iter().map(|slot| slot & ((1 << self.found_bits) - 1));
        let lens = found.map(|found| match self.rules(found) {
            Rules::None => 0,
            Rules::One(_) => 1,
            Rules::List(start) => self.list(start).len(),
        });
        lens.max().unwrap_or(0)
    }

    /// The first rule that `fits`.
    #[inline]
    pub(super) fn first(&self, tokens: &mut Tokens<'_, '_>, mut fits: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut best = u32::MAX;
        for &ShapeRules { shape, first } in &self.shapes {
            if first >= best {
                break;
            }
            let Some(key) = shape.key(tokens) else { continue };
            match self.find(key) {
                Rules::None => {}
                Rules::One(rule) => {
                    if rule < best && fits(rule) {
                        best = rule;
                    }
                }
                Rules::List(start) => {
                    let found =
                        self.list(start).iter().copied().take_while(|&rule| rule < best).find(|&rule| fits(rule));
                    best = found.unwrap_or(best);
                }
            }
        }
        (best != u32::MAX).then_some(best)
    }

    /// Every rule below `below` that may fit, in no order, some perhaps more than once.
    pub(super) fn each(&self, tokens: &mut Tokens<'_, '_>, below: u32, mut each: impl FnMut(u32)) {
        for &ShapeRules { shape, first } in &self.shapes {
            if first >= below {
                break;
            }
            let Some(key) = shape.key(tokens) else { continue };
            match self.find(key) {
                Rules::None => {}
                Rules::One(rule) => {
                    if rule < below {
                        each(rule);
                    }
                }
                Rules::List(start) => {
                    self.list(start).iter().copied().take_while(|&rule| rule < below).for_each(&mut each);
                }
            }
        }
    }

    /// The tag of a key, in its place in a slot.
    #[inline]
    fn tag(&self, key: u64) -> u32 {
        (key as u32) << self.found_bits
    }

    /// The slot at which a search for `key` ends, and what is in it: the first that has its tag, or is empty.
    #[inline]
    fn search(&self, key: u64) -> (usize, u32) {
        let tag = self.tag(key);
        let mut at = (key >> self.shift) as usize;
        loop {
            at &= self.slots.len() - 1;
            let slot = self.slots[at];
            if (slot ^ tag) >> self.found_bits == 0 || slot == 0 {
                return (at, slot);
            }
            at += 1;
        }
    }

    #[inline]
    fn find(&self, key: u64) -> Rules {
        let (_, slot) = self.search(key);
        self.rules(slot & ((1 << self.found_bits) - 1))
    }

    #[inline]
    fn rules(&self, found: u32) -> Rules {
        match found.checked_sub(1) {
            None => Rules::None,
            Some(rule) if rule < self.rules_len => Rules::One(rule),
            Some(other) => Rules::List(other - self.rules_len),
        }
    }

    #[inline]
    fn list(&self, start: u32) -> &[u32] {
        let start = start as usize;
        &self.lists[start + 1..=start + self.lists[start] as usize]
    }
}

fn shapes(entries: &[Entry]) -> Vec<ShapeRules> {
    let mut shapes: Vec<ShapeRules> = Vec::new();
    for entry in entries {
        match shapes.iter_mut().find(|known| known.shape == entry.shape) {
            Some(known) => known.first = known.first.min(entry.rule),
            None => shapes.push(ShapeRules { shape: entry.shape, first: entry.rule }),
        }
    }
    shapes.sort_unstable_by_key(|shape| shape.first);
    shapes
}

#[cfg(test)]
mod tests {
    use super::super::key::Shape;
    use super::super::plan::Entry;
    use super::{Index, Rules};

    /// Keys of few beginnings and few tags meet in all ways: in their slots, in their tags, and in both.
    #[test]
    fn every_key_finds_its_rules() {
        for (beginnings, tags) in [(1, 1), (1, 500), (500, 1), (16, 16), (250, 2), (65_536, 3)] {
            let key = |rule: u64| {
                let number = rule.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
                let (beginning, tag) = (number % beginnings, (number >> 16) % tags);
                beginning << 48 | tag
            };
            let entry = |rule: u32| Entry { shape: Shape::default(), key: key(rule.into()), rule };
            // Every third rule is there twice.
            let entries: Vec<Entry> = (0..1_000).chain((0..1_000).step_by(3)).map(entry).collect();
            let index = Index::new(entries.clone());
            for Entry { key, rule, .. } in entries {
                let found = match index.find(key) {
                    Rules::None => Vec::new(),
                    Rules::One(only) => vec![only],
                    Rules::List(start) => index.list(start).to_vec(),
                };
                assert!(found.contains(&rule), "{rule} of {beginnings} and {tags}: {found:?}");
                assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
            }
        }
    }
}
