//! From keys to rules: a table with open addressing that is built once.

use super::key::{Shape, Tokens};
use super::plan::Entry;

/// Which rules may fit a message: for every shape one look-up.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// Sorted by `first`, so that a search can end when a better rule than all that follow is known.
    shapes: Vec<ShapeRules>,
    /// A power of two of them, at least one empty, so that every search ends.
    slots: Box<[Slot]>,
    /// The key's upper bits, those left after this shift, are the slot where the search for it begins.
    shift: u32,
    /// Lists of rules, ascending, each behind its length.
    lists: Vec<u32>,
}

/// A shape, and the first rule that is found by it.
#[derive(Clone, Copy, Debug)]
struct ShapeRules {
    shape: Shape,
    first: u32,
}

/// Sixteen bytes, so that a search seldom leaves the cache line in which it began.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    rules: Rules,
}

/// Most keys have one rule, which then needs no list.
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
        let mut shapes: Vec<ShapeRules> = Vec::new();
        for entry in &entries {
            match shapes.iter_mut().find(|known| known.shape == entry.shape) {
                Some(known) => known.first = known.first.min(entry.rule),
                None => shapes.push(ShapeRules { shape: entry.shape, first: entry.rule }),
            }
        }
        shapes.sort_unstable_by_key(|shape| shape.first);
        let keys = entries.chunk_by(|a, b| a.key == b.key).count();
        // At most half full: a search mostly ends where it begins. Fuller ones were measured a fifth slower.
        let len = (keys * 2 + 1).next_power_of_two().max(2);
        let mut index = Self {
            shapes,
            slots: vec![Slot { key: 0, rules: Rules::None }; len].into_boxed_slice(),
            shift: 64 - len.trailing_zeros(),
            lists: Vec::new(),
        };
        for same_key in entries.chunk_by(|a, b| a.key == b.key) {
            index.insert(same_key);
        }
        index
    }

    fn insert(&mut self, entries: &[Entry]) {
        let rules = if let [only] = entries {
            Rules::One(only.rule)
        } else {
            let start = self.lists.len() as u32;
            self.lists.push(0);
            self.lists.extend(entries.iter().map(|entry| entry.rule));
            // Two shapes can give one key, and then a rule may be there twice.
            let mut len = 0;
            for at in start as usize + 1..self.lists.len() {
                if len == 0 || self.lists[start as usize + len] != self.lists[at] {
                    len += 1;
                    self.lists[start as usize + len] = self.lists[at];
                }
            }
            self.lists.truncate(start as usize + 1 + len);
            self.lists[start as usize] = len as u32;
            Rules::List(start)
        };
        let key = entries[0].key;
        let mut at = self.home(key);
        while !matches!(self.slots[at].rules, Rules::None) {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = Slot { key, rules };
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
        let lists = self.slots.iter().map(|slot| match slot.rules {
            Rules::None => 0,
            Rules::One(_) => 1,
            Rules::List(start) => self.lists[start as usize] as usize,
        });
        lists.max().unwrap_or(0)
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

    #[inline]
    fn home(&self, key: u64) -> usize {
        (key >> self.shift) as usize
    }

    #[inline]
    fn find(&self, key: u64) -> Rules {
        let mut at = self.home(key);
        loop {
            let slot = &self.slots[at & (self.slots.len() - 1)];
            if matches!(slot.rules, Rules::None) || slot.key == key {
                return slot.rules;
            }
            at += 1;
        }
    }

    #[inline]
    fn list(&self, start: u32) -> &[u32] {
        let start = start as usize;
        &self.lists[start + 1..=start + self.lists[start] as usize]
    }
}
