//! Where the bytes of a form stand that mean something, 64 bytes at a time.

#[cfg(target_arch = "x86_64")]
use super::marks_avx2;
use super::swar::{equal, gather};

/// The bytes of up to 64 that mean something in a form: bit `i` stands for byte `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// `&`
    pub(crate) ampersand: u64,
    /// `=`
    pub(crate) equals: u64,
    /// `%` and `+`, which do not stand for themselves.
    pub(crate) escape: u64,
}

/// Marks the 64 bytes of a text that begin at a place within it; behind the end of the text nothing is marked.
pub(crate) type Marker = fn(&[u8], usize) -> Marks;

/// Every marker that this machine can run, the fastest last; the first is the reference for the others.
#[cfg(test)]
pub(crate) fn markers() -> Vec<Marker> {
    let mut markers: Vec<Marker> = vec![marks];
    #[cfg(target_arch = "x86_64")]
    markers.extend(marks_avx2::detected());
    markers
}

/// The fastest marker of this machine. What was detected is remembered by the standard library.
#[inline]
pub(crate) fn fastest_marker() -> Marker {
    #[cfg(target_arch = "x86_64")]
    if let Some(marks) = marks_avx2::detected() {
        return marks;
    }
    marks
}

/// The portable marker, which works on eight bytes at a time.
pub(super) fn marks(text: &[u8], at: usize) -> Marks {
    let rest = &text[at..];
    let mut last = [0; 64];
    let block = rest.first_chunk().unwrap_or_else(|| {
        last[..rest.len()].copy_from_slice(rest);
        &last
    });
    let mut marks = Marks::default();
    for (n, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        marks.ampersand |= gather(equal(word, b'&')) << (n * 8);
        marks.equals |= gather(equal(word, b'=')) << (n * 8);
        marks.escape |= gather(equal(word, b'%') | equal(word, b'+')) << (n * 8);
    }
    marks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Marks by their definition: one byte after the other.
    fn obviously_right(text: &[u8], at: usize) -> Marks {
        let mut marks = Marks::default();
        for (bit, byte) in text[at..].iter().take(64).enumerate() {
            match byte {
                b'&' => marks.ampersand |= 1 << bit,
                b'=' => marks.equals |= 1 << bit,
                b'%' | b'+' => marks.escape |= 1 << bit,
                _ => {}
            }
        }
        marks
    }

    /// Checks every marker of this machine at every place of one text.
    fn check(text: &[u8]) {
        for at in 0..=text.len() {
            let expected = obviously_right(text, at);
            for (number, marks) in markers().into_iter().enumerate() {
                assert_eq!(
                    marks(text, at),
                    expected,
                    "marker {number} at {at} of {:?}",
                    text.escape_ascii().to_string()
                );
            }
        }
    }

    #[test]
    fn every_byte_at_every_place_of_texts_of_every_length() {
        for length in 0..=130 {
            for at in 0..length {
                let mut text = vec![b'a'; length];
                for byte in *b"&=%+" {
                    text[at] = byte;
                    for start in [0, at.saturating_sub(63), at, at + 1] {
                        let expected = obviously_right(&text, start);
                        assert!(markers().iter().all(|marks| marks(&text, start) == expected), "{length} {at} {start}");
                    }
                }
            }
        }
        for byte in 0..=u8::MAX {
            check(&[byte; 70]);
        }
    }

    #[test]
    fn this_machine_has_the_markers_it_should() {
        #[cfg(target_arch = "x86_64")]
        assert_eq!(markers().len() > 1, is_x86_feature_detected!("avx2"));
        assert!(std::ptr::fn_addr_eq(fastest_marker(), *markers().last().unwrap()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000_u32.max(ProptestConfig::default().cases)))]

        #[test]
        fn every_marker_equals_the_definition(text in proptest::collection::vec(
            prop_oneof![4 => proptest::sample::select(&b"&=%+ab\xa6\xbd\xa5\xab"[..]), 1 => any::<u8>()], 0..200,
        )) {
            check(&text);
        }
    }
}
