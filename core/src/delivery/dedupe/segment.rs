//! A small table of positions: open addressing, one step at a time, nothing marked as deleted.

/// Slots of a segment that is not empty, at least and at most. What is made anew in one go is never more than that.
const SLOTS_MIN: usize = 8;
pub(super) const SLOTS_MAX: usize = 1 << 12;

/// Where a segment stops even if its hashes are so alike that it cannot be split: a tag has so many bits.
const SLOTS_LAST: usize = 1 << 16;

/// Positions by 16 bits of their hash. The highest of these bits say where a position belongs, so that it can be moved
/// without a look at the row.
#[derive(Default)]
pub(super) struct Segment {
    /// 0: the slot is free.
    tags: Vec<u16>,
    positions: Vec<u32>,
    len: usize,
}

impl Segment {
    /// Whether one more would make it too full to be quick.
    pub(super) fn is_full(&self) -> bool {
        (self.len + 1) * 8 > self.tags.len() * 7
    }

    pub(super) fn slots(&self) -> usize {
        self.tags.len()
    }

    /// The first position under this hash that `is_it`.
    pub(super) fn find(&self, hash: u64, is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.slot(hash, is_it).map(|slot| self.positions[slot])
    }

    fn slot(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<usize> {
        if self.tags.is_empty() {
            return None;
        }
        let tag = tag(hash);
        let mut slot = self.home(tag);
        // Ends, because an eighth of the slots is free.
        while self.tags[slot] != 0 {
            if self.tags[slot] == tag && is_it(self.positions[slot]) {
                return Some(slot);
            }
            slot = self.after(slot);
        }
        None
    }

    /// Puts a position in, if there is room.
    pub(super) fn insert(&mut self, hash: u64, position: u32) {
        if self.is_full() && !self.grow() {
            return;
        }
        self.place(tag(hash), position);
        self.len += 1;
    }

    /// Takes out the first position under this hash that `is_it`, and says whether there was one.
    pub(super) fn remove(&mut self, hash: u64, is_it: impl FnMut(u32) -> bool) -> bool {
        let Some(mut hole) = self.slot(hash, is_it) else { return false };
        let mut slot = self.after(hole);
        while self.tags[slot] != 0 {
            // Whatever is not before its home there moves up, so that no way to it leads over a free slot.
            let from_home = slot.wrapping_sub(self.home(self.tags[slot])) & (self.tags.len() - 1);
            if from_home >= slot.wrapping_sub(hole) & (self.tags.len() - 1) {
                (self.tags[hole], self.positions[hole]) = (self.tags[slot], self.positions[slot]);
                hole = slot;
            }
            slot = self.after(slot);
        }
        self.tags[hole] = 0;
        self.len -= 1;
        if self.len * 10 < self.tags.len() * 3 && self.tags.len() > SLOTS_MIN {
            self.rebuild(self.tags.len() / 2);
        }
        true
    }

    /// Takes out all whose position `moves`, and gives them to `each` with their tags.
    pub(super) fn take(&mut self, mut moves: impl FnMut(u32) -> bool) -> Self {
        let mut taken = Self { tags: vec![0; self.tags.len()], positions: vec![0; self.tags.len()], len: 0 };
        let whole = std::mem::replace(self, Self { tags: vec![0; self.tags.len()], ..Self::default() });
        self.positions = vec![0; whole.tags.len()];
        for (tag, position) in whole.all() {
            let to = if moves(position) { &mut taken } else { &mut *self };
            to.place(tag, position);
            to.len += 1;
        }
        taken
    }

    fn all(&self) -> impl Iterator<Item = (u16, u32)> {
        self.tags.iter().copied().zip(self.positions.iter().copied()).filter(|(tag, _)| *tag != 0)
    }

    fn grow(&mut self) -> bool {
        let grows = self.tags.len() < SLOTS_LAST;
        if grows {
            self.rebuild((self.tags.len() * 2).max(SLOTS_MIN));
        }
        grows
    }

    fn rebuild(&mut self, slots: usize) {
        let whole = std::mem::replace(self, Self { tags: vec![0; slots], positions: vec![0; slots], len: self.len });
        for (tag, position) in whole.all() {
            self.place(tag, position);
        }
    }

    fn place(&mut self, tag: u16, position: u32) {
        let mut slot = self.home(tag);
        while self.tags[slot] != 0 {
            slot = self.after(slot);
        }
        (self.tags[slot], self.positions[slot]) = (tag, position);
    }

    fn home(&self, tag: u16) -> usize {
        usize::from(tag) >> (u16::BITS - self.tags.len().trailing_zeros())
    }

    fn after(&self, slot: usize) -> usize {
        (slot + 1) & (self.tags.len() - 1)
    }
}

/// The low bits of a hash, of which those of 0 count as 1.
fn tag(hash: u64) -> u16 {
    (hash as u16).max(1)
}
