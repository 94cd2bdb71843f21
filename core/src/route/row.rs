//! What is a rule's own: a small row, with the text that it asks for.

use super::matcher::TextMember;
use super::pattern::Patterns;
use super::subject::Subject;

/// One rule: 32 bytes, and so aligned that it is in one cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(super) struct Row {
    /// What the rule asks besides, by number.
    pub(super) form: u16,
    text: RowText,
    len: u8,
    letters: [u8; ROW_LETTERS],
}

/// Longer than all names of terminals: their model, a hyphen, and the serial number.
const ROW_LETTERS: usize = 27;

const _: () = assert!(size_of::<Row>() == 32);

/// What the letters of a row are.
#[derive(Clone, Copy, Debug, Default)]
enum RowText {
    /// Nothing: the rule asks for no text, or for one that does not fit in.
    #[default]
    None,
    Exact(TextMember),
    Prefix(TextMember),
}

impl Row {
    /// Takes in what a rule asks of a member; false if this is not a single text, or too long, or the second one.
    pub(super) fn take(&mut self, member: TextMember, patterns: &Patterns) -> bool {
        let free = matches!(self.text, RowText::None);
        let Some((text, is_prefix)) = patterns.single().filter(|(text, _)| free && text.len() <= ROW_LETTERS) else {
            return false;
        };
        self.text = if is_prefix { RowText::Prefix(member) } else { RowText::Exact(member) };
        self.len = text.len() as u8;
        self.letters[..text.len()].copy_from_slice(text);
        true
    }

    /// Whether the text fits; true if there is none.
    #[inline]
    pub(super) fn text_fits(&self, subject: &Subject<'_>) -> bool {
        let letters = &self.letters[..usize::from(self.len)];
        match self.text {
            RowText::None => true,
            RowText::Exact(member) => member.of(subject).is_some_and(|text| same(text, letters)),
            RowText::Prefix(member) => {
                member.of(subject).and_then(|text| text.get(..letters.len())).is_some_and(|text| same(text, letters))
            }
        }
    }
}

/// Whether two texts are equal, the second of which has the length of a row's. So short ones are compared by their ends,
/// which is done sooner than a function is called.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    const { assert!(ROW_LETTERS <= 2 * 16) };
    a.len() == b.len()
        && ends_equal::<16>(a, b)
            .or_else(|| ends_equal::<8>(a, b))
            .or_else(|| ends_equal::<4>(a, b))
            .unwrap_or_else(|| a.iter().zip(b).all(|(a, b)| a == b))
}

/// Whether both ends of two texts of one length are equal, in so many bytes; `None` if the texts are shorter.
#[inline]
fn ends_equal<const N: usize>(a: &[u8], b: &[u8]) -> Option<bool> {
    Some(a.first_chunk::<N>()? == b.first_chunk()? && a.last_chunk::<N>()? == b.last_chunk()?)
}

#[cfg(test)]
mod tests {
    use super::{ROW_LETTERS, same};

    #[test]
    fn every_letter_counts() {
        let letters: Vec<u8> = (0..ROW_LETTERS as u8).map(|i| b'A' + i).collect();
        for len in 0..=ROW_LETTERS {
            let text = &letters[..len];
            assert!(same(text, text));
            assert!(len == 0 || !same(text, &letters[..len - 1]) && !same(&letters[..len - 1], text));
            for at in 0..len {
                let mut other = text.to_vec();
                other[at] ^= 1;
                assert!(!same(text, &other) && !same(&other, text), "{at} of {len}");
            }
        }
    }
}
