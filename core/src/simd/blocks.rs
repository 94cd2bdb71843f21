//! From masks of bytes to tokens: what all kernels share.

use super::window::Window;

/// The bytes of one block, sorted: bit `i` stands for byte `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    /// `"`
    pub(super) quote: u64,
    /// `\`
    pub(super) backslash: u64,
    /// Below 0x20.
    pub(super) control: u64,
    /// `{ } [ ] : ,`
    pub(super) operator: u64,
    /// Space, tab, line feed, carriage return.
    pub(super) space: u64,
    /// 0x80 and above.
    pub(super) non_ascii: u64,
}

/// What strings leave of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outside {
    /// The quotes that begin and end strings.
    pub(super) quote: u64,
    /// Ones from an opening quote to the byte before the closing one.
    pub(super) in_string: u64,
    /// The operators outside of strings.
    pub(super) operator: u64,
    /// The first byte of every other run outside of strings.
    pub(super) scalar_start: u64,
    /// The backslashes that begin an escape, in strings and outside.
    pub(super) escape: u64,
}

/// What one block must know of those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carry {
    /// All ones if the block begins inside of a string, else zero.
    in_string: u64,
    /// 1 if the block's first byte is escaped by the last one of the block before.
    escaped: u64,
    /// 1 if the block before ended in a run that is neither string nor operator nor space.
    scalar: u64,
    /// Not zero once a byte of 0x80 or above was seen.
    non_ascii: u64,
    /// A backslash was seen.
    has_backslashes: bool,
}

impl Carry {
    /// Whether any byte so far was not ASCII.
    pub(crate) fn non_ascii(&self) -> bool {
        self.non_ascii != 0
    }

    /// Whether any byte so far was a backslash.
    pub(crate) fn has_backslashes(&self) -> bool {
        self.has_backslashes
    }

    /// The tokens of a block, and what the next one must know.
    ///
    /// `prefix_xor` gives for each bit the exclusive or of all bits up to it.
    #[inline(always)]
    pub(super) fn structure(&mut self, masks: Masks, prefix_xor: impl Fn(u64) -> u64) -> u64 {
        let Outside { quote, in_string, operator, scalar_start, escape } = self.outside(masks, prefix_xor);
        self.non_ascii |= masks.non_ascii;
        operator | quote | scalar_start | ((masks.control | escape) & in_string)
    }

    /// The same, kind by kind.
    #[inline(always)]
    pub(super) fn outside(&mut self, masks: Masks, prefix_xor: impl Fn(u64) -> u64) -> Outside {
        let (mut quote, mut escape) = (masks.quote, 0);
        if masks.backslash | self.escaped != 0 {
            let escaped;
            self.has_backslashes = true;
            (escape, escaped) = self.escapes(masks.backslash);
            quote &= !escaped;
        }
        let in_string = prefix_xor(quote) ^ self.in_string;
        self.in_string = ((in_string as i64) >> 63) as u64;
        let scalar = !(masks.operator | masks.space | in_string | quote);
        let scalar_start = scalar & !(scalar << 1 | self.scalar);
        self.scalar = scalar >> 63;
        Outside { quote, in_string, operator: masks.operator & !in_string, scalar_start, escape }
    }

    /// The backslashes that begin an escape, and the bytes that are escaped.
    ///
    /// Of a run of backslashes every second one is escaped, whether the run begins at an odd place or an even one: the
    /// subtraction carries through the run and leaves alternating bits. After Langdale and Lemire, Parsing Gigabytes
    /// of JSON per Second (2019), section 3.1.1, in the shorter form that simdjson uses today.
    #[inline(always)]
    fn escapes(&mut self, backslash: u64) -> (u64, u64) {
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        let starts = backslash & !self.escaped;
        let alternating = ((starts << 1) | ODD).wrapping_sub(starts) ^ ODD;
        let escaped = alternating ^ (backslash | self.escaped);
        let escape = alternating & backslash;
        self.escaped = escape >> 63;
        (escape, escaped)
    }
}

/// The last block of a text. What lies behind the text counts as space, so that it adds no token.
#[inline(always)]
pub(super) fn followed_by_spaces(rest: &[u8]) -> [u8; 64] {
    let mut block = [b' '; 64];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// Fills the window with the tokens that come next in `text`, until it is full or the text ends.
///
/// `masks_of` and `prefix_xor` go into [`Carry::structure`]; `last_block` is [`followed_by_spaces`], and `add` is
/// [`Window::add`], or they equal these.
#[inline(always)]
pub(super) fn fill_with(
    text: &[u8],
    window: &mut Window,
    masks_of: impl Fn(&[u8; 64]) -> Masks,
    prefix_xor: impl Fn(u64) -> u64,
    last_block: impl Fn(&[u8]) -> [u8; 64],
    add: impl Fn(&mut Window, u64, &[u8; 64], u32),
) {
    window.clear();
    let (mut carry, mut next) = (window.carry, window.next);
    while window.has_room() && next < text.len() {
        let last;
        let block = match text[next..].first_chunk() {
            Some(block) => block,
            None => {
                last = last_block(&text[next..]);
                &last
            }
        };
        let tokens = carry.structure(masks_of(block), &prefix_xor);
        add(window, tokens, block, next as u32);
        next += 64;
    }
    (window.carry, window.next) = (carry, next.min(text.len()));
    window.end(text.len());
}
