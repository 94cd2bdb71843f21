//! All kernels against the reference, and the reference against a byte at a time.

use proptest::prelude::*;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000_u32.max(ProptestConfig::default().cases)))]

    #[test]
    fn every_kernel_equals_the_reference(text in proptest::collection::vec(
        prop_oneof![4 => proptest::sample::select(&b"\"\"\\\\{}[]:, \t\r\n1atu\x0c\x1a\x00\x1f\xc3\xa9"[..]), 1 => any::<u8>()],
        0..2_500,
    )) {
        check(&text);
    }
}
