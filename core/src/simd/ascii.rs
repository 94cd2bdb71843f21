//! Bytes as text, soonest where they are short and ASCII: checking each key and value of a form by the rules of UTF-8
//! costs more than finding them.

use std::str::Utf8Error;
use std::string::FromUtf8Error;

const HIGH: u64 = 0x8080_8080_8080_8080;

/// What `std::str::from_utf8` says.
#[inline]
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, Utf8Error> {
    if is_ascii(bytes) {
        // SAFETY: `is_ascii` has looked at every byte, and each byte below 0x80 is a character of UTF-8.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes)
}

/// What `String::from_utf8` says.
#[inline]
pub(crate) fn string_of(bytes: Vec<u8>) -> Result<String, FromUtf8Error> {
    if is_ascii(&bytes) {
        // SAFETY: `is_ascii` has looked at every byte, and each byte below 0x80 is a character of UTF-8.
        return Ok(unsafe { String::from_utf8_unchecked(bytes) });
    }
    String::from_utf8(bytes)
}

/// Whether no byte is above 0x7F. Words overlap at the end, so that no byte is looked at alone.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<8>() {
        let chunks = bytes.as_chunks::<8>().0.iter();
        return chunks.fold(u64::from_le_bytes(*last), |all, chunk| all | u64::from_le_bytes(*chunk)) & HIGH == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first) | u32::from_le_bytes(*last)) & HIGH == 0;
    }
    match bytes {
        [] => true,
        // Of up to three bytes these are all, some of them twice.
        [first, ..] => (first | bytes[bytes.len() / 2] | bytes[bytes.len() - 1]) < 0x80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_of_short_and_long_bytes() {
        for length in 0..70 {
            let mut bytes = vec![b'a'; length];
            assert_eq!(text_of(&bytes), std::str::from_utf8(&bytes));
            for at in 0..length {
                for byte in [0, 0x7F, 0x80, 0xC3, 0xFF] {
                    bytes[at] = byte;
                    assert_eq!(text_of(&bytes), std::str::from_utf8(&bytes));
                    assert_eq!(string_of(bytes.clone()), String::from_utf8(bytes.clone()));
                    assert_eq!(is_ascii(&bytes), bytes.is_ascii());
                }
                bytes[at] = b'a';
            }
        }
        assert_eq!(text_of("Zürich, Käse".as_bytes()), Ok("Zürich, Käse"));
    }
}
