//! All kernels against the reference, and the reference against a byte at a time.

use proptest::prelude::*;

use super::name_table::NameTable;
use super::outline::{BlockRoom, Outliner};
use super::swar_outline::PortableOutliner;
use super::window::ROOM;
use super::*;

/// Tokens by their definition: one byte after the other.
fn obviously_right(text: &[u8]) -> Vec<usize> {
    let (mut tokens, mut in_string, mut escaped, mut in_scalar) = (vec![], false, false, false);
    for (at, &byte) in text.iter().enumerate() {
        let was_escaped = escaped;
        escaped = byte == b'\\' && !was_escaped;
        let quote = byte == b'"' && !was_escaped;
        let operator = b"{}[]:,".contains(&byte);
        let space = b" \t\r\n".contains(&byte);
        let scalar = !in_string && !quote && !operator && !space;
        let token = if in_string {
            quote || byte < 0x20 || (byte == b'\\' && !was_escaped)
        } else {
            quote || operator || (scalar && !in_scalar)
        };
        tokens.extend(token.then_some(at));
        in_string ^= quote;
        in_scalar = scalar;
    }
    tokens
}

/// Tokens by a kernel, window by window, and whether it saw a byte that is not ASCII.
fn by_kernel(kernel: Kernel, text: &[u8]) -> (Vec<usize>, bool) {
    let (mut tokens, mut window) = (vec![], Window::starting_at(0));
    while window.next < text.len() {
        kernel.fill(text, &mut window);
        for (byte, place) in window.drain() {
            assert_eq!(byte, text[place], "{} at {place}", kernel.name());
            tokens.push(place);
        }
        assert_eq!((window.peek(), window.place()), (0, text.len()));
    }
    (tokens, window.non_ascii())
}

/// Checks every kernel of this machine on one text.
fn check(text: &[u8]) {
    let expected = (obviously_right(text), !text.is_ascii());
    for kernel in Kernel::available() {
        assert_eq!(by_kernel(kernel, text), expected, "{} on {:?}", kernel.name(), text.escape_ascii().to_string());
    }
}

#[test]
fn this_machine_has_the_kernels_it_should() {
    let names: Vec<_> = Kernel::available().iter().map(|kernel| kernel.name()).collect();
    assert_eq!(names[0], "swar");
    #[cfg(target_arch = "x86_64")]
    {
        assert_eq!(names.contains(&"avx2"), is_x86_feature_detected!("avx2"));
        assert_eq!(names.contains(&"avx512"), is_x86_feature_detected!("avx512vbmi2"));
    }
    assert_eq!(Kernel::fastest().name(), *names.last().unwrap());
}

#[test]
fn every_byte_at_every_place_of_a_block() {
    for at in [0, 1, 7, 8, 31, 32, 62, 63, 64, 65, 127] {
        for byte in 0..=u8::MAX {
            for surroundings in [b' ', b'x', b'"', b'\\', b','] {
                let mut text = [surroundings; 130];
                text[at] = byte;
                check(&text);
            }
        }
    }
}

#[test]
fn runs_of_backslashes_across_blocks_and_windows() {
    for length in 0..=200 {
        for quoted in ["\"", "x", ""] {
            let text = format!("[{quoted}{}\" ,1", "\\".repeat(length));
            check(text.as_bytes());
            check(format!("{}{text}", ",".repeat(ROOM - 70)).as_bytes());
        }
    }
}

#[test]
fn a_window_reads_only_what_was_written() {
    // Windows that are full to the last lane, that hold nothing, and that end at each place of a block.
    for (length, byte) in [(0, b','), (64 * 9, b','), (64 * 9, b' '), (5_000, b','), (5_000, b'"')] {
        for more in 0..70 {
            check(&vec![byte; length + more]);
        }
    }
}

#[test]
fn tokens_are_taken_together_or_not_at_all() {
    let text = br#"{"a":"b"}"#;
    for kernel in Kernel::available() {
        let mut window = Window::starting_at(0);
        kernel.fill(text, &mut window);
        assert_eq!(window.take(*b"{\":"), None);
        assert_eq!(window.take(*b"{\"\":\"\"},"), None);
        assert_eq!(window.take(*b"{\"\":\"\""), Some([0, 1, 3, 4, 5, 7]));
        assert_eq!((window.take(*b"},"), window.take(*b"}")), (None, Some([8])));
        assert_eq!((window.peek(), window.place(), window.take(*b"}")), (0, 9, None));
    }
}

/// Compares the outliner of this machine with the portable one.
struct SameOutline<'a>(&'a [u8]);

impl Read for SameOutline<'_> {
    type Output = ();

    fn run<O: Outliner>(self, outliner: O) {
        let (mut room, mut portable_room) = (BlockRoom::new(), BlockRoom::new());
        let parts = |(outline, non_ascii): (outline::Outline<'_>, bool)| {
            (outline.blocks.to_vec(), outline.tokens.to_vec(), outline.has_backslashes, non_ascii)
        };
        let found = outliner.outline(self.0, &mut room).map(parts);
        let expected = PortableOutliner.outline(self.0, &mut portable_room).map(parts);
        assert_eq!(found, expected, "{}", self.0.escape_ascii());
    }
}

#[test]
fn every_outliner_makes_the_same_of_right_texts() {
    let text = br#"{"a":[1,{"b" : "c"}, [ ] ,"\\\"", true],"d":{"e":{}},"\u0066":"\n", "caf\xc3\xa9":"x"}"#.repeat(4);
    for start in 0..text.len() {
        // Most of these have no outline; from a name on they have.
        for end in (start..text.len()).step_by(7) {
            Kernel::outlining().read(SameOutline(&text[start..end]));
        }
    }
    let mut room = BlockRoom::new();
    assert!(PortableOutliner.outline(&text[..text.len() / 4], &mut room).is_some());
    for length in [0, 63, 64, 65, 32_767, 32_768, 32_769] {
        Kernel::outlining().read(SameOutline(&vec![b' '; length]));
    }
}

#[test]
fn a_block_tells_what_is_in_it() {
    let mut room = BlockRoom::new();
    let text = format!(r#"{{"a":1,"b":["c",2],"d":"{}"}}"#, "x".repeat(64));
    let (outline, _) = PortableOutliner.outline(text.as_bytes(), &mut room).unwrap();
    let places = |mut bits: u64| {
        let mut places = vec![];
        while bits != 0 {
            places.push(bits.trailing_zeros());
            bits &= bits - 1;
        }
        places
    };
    let block = outline.blocks[0];
    assert_eq!(places(outline.tokens.from(0).unwrap()), [0, 1, 3, 4, 5, 7, 9, 10, 11, 12, 14, 16, 17, 19, 21, 22, 23]);
    assert_eq!((places(block.brackets), places(block.scalars)), (vec![0, 11, 17], vec![5, 16]));
    assert_eq!((places(block.in_object), places(block.in_array)), (vec![4, 10, 22], vec![15, 16]));
}

#[test]
fn tokens_are_read_from_everywhere() {
    for length in [64, 65, 127, 128, 300, 32_768] {
        let mut room = BlockRoom::new();
        let text = format!("{}[{}]", " ".repeat(length % 7), ",1".repeat(length).split_off(1));
        let text = &text.as_bytes()[..length];
        let (outline, _) = PortableOutliner.outline(text, &mut room).unwrap();
        let is_token = |at: usize| text.get(at).is_some_and(|byte| b"[1".contains(byte));
        for at in 0..length + 200 {
            let bits = outline.tokens.from(at);
            assert_eq!(bits.is_some(), at < length.next_multiple_of(64), "{at} of {length}");
            for behind in 0..57 {
                assert_eq!(bits.unwrap_or(0) >> behind & 1 == 1, is_token(at + behind), "{at} + {behind} of {length}");
            }
        }
    }
}

#[test]
fn names_are_found_wherever_they_stand_and_nothing_else_is() {
    struct Find<'a>(&'a NameTable, &'a [u8], usize, usize);
    impl Read for Find<'_> {
        type Output = usize;
        fn run<O: Outliner>(self, outliner: O) -> usize {
            outliner.find_name(self.0, self.1, self.2, self.3)
        }
    }
    let known = ["POIID", "SaleID", "MessageCategory", "0123456789012345678901234567890"];
    let mut names = NameTable::new(0x08e1_f7ed_d987_a0c1);
    let slots = known.map(|name| names.add(name));
    assert_eq!(slots, known.map(|name| names.add(name)));
    for name in known.into_iter().chain(["", "a", "abc", "POII", "POIIE", "MessageCategorz", &"x".repeat(90)]) {
        let expected = known.iter().position(|known| *known == name).map_or(NameTable::SLOT_COUNT, |at| slots[at]);
        for behind in 0..50 {
            let text = format!("{{\"{name}\"{}", " ".repeat(behind));
            let (start, end) = (2, 2 + name.len());
            assert_eq!(names.find(text.as_bytes(), start, end), expected, "{text}");
            let found = Kernel::outlining().read(Find(&names, text.as_bytes(), start, end));
            assert_eq!(found.unwrap_or(expected), expected, "{text}");
            for (start, end) in [(end, start), (start, end + 90), (usize::MAX, 3), (3, usize::MAX), (0, 0)] {
                let found = Kernel::outlining().read(Find(&names, text.as_bytes(), start, end));
                assert_eq!(found.unwrap_or(NameTable::SLOT_COUNT), NameTable::SLOT_COUNT, "{text}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000_u32.max(ProptestConfig::default().cases)))]

    #[test]
    fn every_kernel_equals_the_reference(text in proptest::collection::vec(
        prop_oneof![4 => proptest::sample::select(&b"\"\"\\\\{}[]:, \t\r\n1atu\x0c\x1a\x00\x1f\xc3\xa9"[..]), 1 => any::<u8>()],
        0..2_500,
    )) {
        check(&text);
    }

    #[test]
    fn every_outliner_makes_the_same(
        tokens in proptest::collection::vec(proptest::sample::select(&[
            "{", "}", "[", "]", ":", ",", "\"abc\"", "12", "x", " ", "\\", "\"", "\u{1}", "\u{c}", "\u{1a}", "\u{e9}",
        ][..]), 0..30),
        blanks in 60_usize..150,
    ) {
        let text = [&tokens.concat(), &" ".repeat(blanks)[..], &tokens.concat()].concat();
        Kernel::outlining().read(SameOutline(text.as_bytes()));
        let text = format!("[{}1{}]", "{\"a\":1},".repeat(blanks), tokens.concat());
        Kernel::outlining().read(SameOutline(text.as_bytes()));
    }
}
