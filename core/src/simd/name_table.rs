//! Finding a name among a few known ones, in one step: each has a slot of its own.

/// Slots of a table, a power of two; what is none of its names has the slot behind them.
pub(super) const SLOT_COUNT: usize = 128;

/// Bytes of a slot: a name and its closing quote.
pub(super) const SLOT_LENGTH: usize = 32;

/// Bytes of the shortest name.
pub(super) const NAME_LENGTH_MIN: usize = 4;

/// Known names, where [`slot`] finds them.
#[derive(Debug)]
pub(crate) struct NameTable {
    factor: u64,
    pub(super) slots: [[u8; SLOT_LENGTH]; SLOT_COUNT],
}

impl NameTable {
    /// How many slots a table has; what is none of its names has the one behind them.
    pub(crate) const SLOT_COUNT: usize = SLOT_COUNT;

    /// A table without names. The factor decides which slots names will have.
    pub(crate) const fn new(factor: u64) -> Self {
        Self { factor, slots: [[0; SLOT_LENGTH]; SLOT_COUNT] }
    }

    /// Adds a name, if it is not there yet, and gives its slot.
    ///
    /// # Panics
    /// If another name has this slot, which asks for another factor; if the name is shorter than 4 bytes or longer
    /// than 31, or holds a quote.
    pub(crate) const fn add(&mut self, name: &str) -> usize {
        let name = name.as_bytes();
        let length = name.len();
        assert!(NAME_LENGTH_MIN <= length && length < SLOT_LENGTH);
        let first = u32::from_le_bytes([name[0], name[1], name[2], name[3]]);
        let last = u32::from_le_bytes([name[length - 4], name[length - 3], name[length - 2], name[length - 1]]);
        let number = self.slot(first, last, length);
        let slot = &mut self.slots[number];
        let (is_free, mut at) = (slot[0] == 0, 0);
        while at <= length {
            let byte = if at < length { name[at] } else { b'"' };
            assert!(at == length || byte != b'"');
            assert!(is_free || slot[at] == byte, "two names in one slot");
            slot[at] = byte;
            at += 1;
        }
        number
    }

    /// The slot of a name of this length, which begins and ends with these bytes.
    #[inline(always)]
    pub(super) const fn slot(&self, first: u32, last: u32, length: usize) -> usize {
        let key = (first as u64 | (last as u64) << 32).wrapping_add(length as u64);
        (key.wrapping_mul(self.factor) >> (64 - SLOT_COUNT.ilog2())) as usize
    }

    /// The slot of the name between `start` and `end` of `text`, where its closing quote stands; [`SLOT_COUNT`] if it is
    /// none of those that were added.
    #[inline]
    pub(super) fn find(&self, text: &[u8], start: usize, end: usize) -> usize {
        let Some(name) = text.get(start..end) else { return SLOT_COUNT };
        let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) else { return SLOT_COUNT };
        let number = self.slot(u32::from_le_bytes(*first), u32::from_le_bytes(*last), name.len());
        let slot = &self.slots[number % SLOT_COUNT];
        let is_known = slot.starts_with(name) && slot.get(name.len()) == Some(&b'"');
        if is_known { number } else { SLOT_COUNT }
    }
}
