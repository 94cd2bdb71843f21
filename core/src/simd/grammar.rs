//! The grammar of JSON, 64 bytes at a time: which token may follow which, asked of all tokens of a block at once.
//!
//! What is left for those who read the result: that brackets match, which of the two containers a comma or a colon stands
//! in, and what scalars and escapes look like inside.

use super::blocks::{Carry, Masks};

/// The bytes of one block, sorted further: bits of the bytes themselves, which tell the operators apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Planes {
    pub(super) masks: Masks,
    /// Bit 0 of each byte: of the operators, all brackets have it.
    pub(super) bit_0: u64,
    /// Bit 1 of each byte: of the operators, `{`, `[` and `:` have it.
    pub(super) bit_1: u64,
}

impl Planes {
    /// The block without its first `count` bytes, followed by spaces. To be called with less than 64.
    #[inline(always)]
    pub(super) fn behind(self, count: u32) -> Self {
        let Self { masks: Masks { quote, backslash, control, operator, space, non_ascii }, bit_0, bit_1 } = self;
        let masks = Masks {
            quote: quote >> count,
            backslash: backslash >> count,
            control: control >> count,
            operator: operator >> count,
            space: space >> count | !(u64::MAX >> count),
            non_ascii,
        };
        Self { masks, bit_0: bit_0 >> count, bit_1: bit_1 >> count }
    }
}

/// What is to be known of one block: bit `i` stands for byte `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutlineBlock {
    /// `{ } [ ]`
    pub(crate) brackets: u64,
    /// Tokens up to which, from the bracket before, only an object may be around: every colon.
    pub(crate) in_object: u64,
    /// The same for an array: what follows a comma or an opening bracket and is no string, and what follows that string if
    /// it is no colon.
    pub(crate) in_array: u64,
    /// The first bytes of scalars.
    pub(crate) scalars: u64,
}

/// What one block must know of those before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    carry: Carry,
    /// The last token so far wants a value: an opening bracket, a colon, a comma, or the beginning of the text.
    wants_value: u8,
    /// It comes before members, if it is in an object: an opening bracket or a comma.
    wants_member: u8,
    /// It is a string behind such a one.
    may_be_name: u8,
}

impl Grammar {
    /// Before the first byte.
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self { carry: Carry::default(), wants_value: 1, wants_member: 0, may_be_name: 0 }
    }

    /// Whether there was any backslash.
    pub(super) fn has_backslashes(&self) -> bool {
        self.carry.has_backslashes()
    }

    /// Sorts the next block, and says what is odd in it.
    ///
    /// `prefix_xor` goes into [`Carry::outside`]; `add` adds two numbers and what is carried, which is 0 or 1.
    #[inline(always)]
    pub(super) fn block(
        &mut self,
        planes: Planes,
        prefix_xor: impl Fn(u64) -> u64,
        add: impl Fn(u64, u64, &mut u8) -> u64,
    ) -> (u64, OutlineBlock, Oddities) {
        let Planes { masks, bit_0, bit_1 } = planes;
        let outside = self.carry.outside(masks, prefix_xor);
        let (operators, strings, scalars) = (outside.operator, outside.quote & outside.in_string, outside.scalar_start);
        let brackets = operators & bit_0;
        let (open_or_colon, close_or_comma) = (operators & bit_1, operators & !bit_1);
        let (open, close) = (brackets & open_or_colon, brackets & close_or_comma);
        let colon = open_or_colon & !bit_0;
        let open_or_comma = operators & !(bit_0 ^ bit_1);
        let others = scalars | open;
        let values = strings | others;
        let gaps = !(operators | values);

        // The tokens behind each of some tokens, over the gaps between: adding a bit to itself carries into the one above,
        // and in a gap the carry runs on. The last one of a block carries into the next block. In gaps are other bits.
        let behind = |tokens: u64, carry: &mut u8| add(tokens | gaps, tokens, carry);
        let wants_value = behind(operators & !close, &mut self.wants_value);
        let wants_member = behind(open_or_comma, &mut self.wants_member);
        let behind_name = behind(strings & wants_member, &mut self.may_be_name);

        let tokens = outside.quote | brackets | colon | scalars;
        let block = OutlineBlock {
            brackets,
            in_object: colon,
            // Behind a string no value can be, which is seen to below, so that what is no colon is one of these.
            in_array: wants_member & others | behind_name & close_or_comma,
            scalars,
        };
        // A value stands wherever one is wanted, and nowhere else.
        let misplaced = wants_value & !gaps ^ values;
        (tokens, block, Oddities { misplaced, close, wrong: colon & !behind_name | masks.control & outside.in_string })
    }
}

/// What is odd in a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Oddities {
    /// Where a value is missing, or stands where none is wanted.
    misplaced: u64,
    /// Closing brackets.
    close: u64,
    /// Other tokens that may not stand where they do, and control characters in strings.
    wrong: u64,
}

impl Oddities {
    /// Whether there are any.
    #[inline(always)]
    pub(super) fn any(self) -> bool {
        self.misplaced | self.wrong != 0
    }

    /// Whether they are nothing but closing brackets of empty containers. The block begins at `start` of `text`.
    #[inline(always)]
    pub(super) fn are_right(self, text: &[u8], start: usize) -> bool {
        self.misplaced & !self.close | self.wrong == 0 && are_empty(text, start, self.misplaced)
    }
}

/// Whether closing brackets of the block at `start` all stand behind opening ones, with only white space between.
#[cold]
#[inline(never)]
fn are_empty(text: &[u8], start: usize, mut closing: u64) -> bool {
    while closing != 0 {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let before = text[..start + closing.trailing_zeros() as usize].iter().rev().find(|byte| !blank(byte));
        if !matches!(before, Some(b'{' | b'[')) {
            return false;
        }
        closing &= closing - 1;
    }
    true
}
