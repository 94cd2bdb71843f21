//! Numbers, literals and escapes: what tokens alone do not check.

use crate::error::{Error, ErrorKind};

/// The end of the literal or number that begins at `start`.
///
/// # Errors
/// `ExpectedValue` if nothing of the kind begins there, else what is missing, and where.
#[inline]
pub(crate) fn scalar_end(text: &[u8], start: usize) -> Result<usize, Error> {
    match text.get(start) {
        Some(b't') => literal_end(text, start, b"true"),
        Some(b'f') => literal_end(text, start, b"false"),
        Some(b'n') => literal_end(text, start, b"null"),
        Some(b'-' | b'0'..=b'9') => number_end(text, start),
        Some(_) => Err(Error::new(ErrorKind::ExpectedValue, start)),
        None => Err(Error::new(ErrorKind::UnexpectedEnd, start)),
    }
}

/// Whether a literal stands at `start`, and ends there. `false` says nothing.
#[inline(always)]
pub(super) fn is_common_literal(text: &[u8], start: usize) -> bool {
    const TRUE: u64 = u64::from_le_bytes(*b"true\0\0\0\0");
    const FALSE: u64 = u64::from_le_bytes(*b"false\0\0\0");
    let Some(eight) = text.get(start..).and_then(|rest| rest.first_chunk()) else { return false };
    let word = u64::from_le_bytes(*eight);
    let behind = if word << 32 == TRUE << 32 {
        word >> 32
    } else if word << 24 == FALSE << 24 {
        word >> 40
    } else {
        return false;
    };
    matches!(behind as u8, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}')
}

fn literal_end(text: &[u8], start: usize, literal: &[u8]) -> Result<usize, Error> {
    let end = start + literal.len();
    if text.get(start..end) != Some(literal) {
        let same = literal.iter().zip(&text[start..]).take_while(|(a, b)| a == b).count();
        return Err(expected(ErrorKind::ExpectedLiteral, text, start + same));
    }
    ended(text, end, ErrorKind::ExpectedLiteral)
}

/// RFC 8259, section 6: `number = [ minus ] int [ frac ] [ exp ]`.
fn number_end(text: &[u8], start: usize) -> Result<usize, Error> {
    let mut at = start + usize::from(text[start] == b'-');
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits_end(text, at)? };
    if text.get(at) == Some(&b'.') {
        at = digits_end(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
        at = digits_end(text, at)?;
    }
    ended(text, at, ErrorKind::ExpectedNumberEnd)
}

/// The end of the digits at `at`, of which there must be one.
#[inline]
fn digits_end(text: &[u8], at: usize) -> Result<usize, Error> {
    let mut end = at;
    // Eight at a time, so that a number of a hundred thousand digits costs no more than other text.
    loop {
        let Some(eight) = text.get(end..).and_then(|rest| rest.first_chunk()) else {
            end += text.get(end..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
            break;
        };
        let digits = leading_digits(*eight);
        if digits < 8 {
            end += digits;
            break;
        }
        end += 8;
    }
    if end > at { Ok(end) } else { Err(expected(ErrorKind::ExpectedDigit, text, at)) }
}

/// How many digits these bytes begin with.
#[inline]
fn leading_digits(bytes: [u8; 8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = LOW * 0x80;
    // A digit is now 0 to 9. Anything else has its high bit, or gets it by the addition, which carries nowhere.
    let values = u64::from_le_bytes(bytes) ^ (LOW * u64::from(b'0'));
    let others = (((values & !HIGH) + LOW * (0x80 - 10)) | values) & HIGH;
    others.trailing_zeros() as usize / 8
}

/// `end`, if a scalar may end there.
fn ended(text: &[u8], end: usize, otherwise: ErrorKind) -> Result<usize, Error> {
    match text.get(end) {
        None | Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}' | b':') => Ok(end),
        Some(_) => Err(Error::new(otherwise, end)),
    }
}

/// An error of this kind; at the end of the text it is the end that is wrong.
#[cold]
fn expected(kind: ErrorKind, text: &[u8], at: usize) -> Error {
    Error::new(if at < text.len() { kind } else { ErrorKind::UnexpectedEnd }, at)
}

/// Whether the escape at `at` (its backslash) is the first half of a surrogate pair whose second half follows.
///
/// # Errors
/// `ExpectedEscape` at the byte that fits none of RFC 8259, section 7; `LoneSurrogate` at the backslash.
#[cold]
pub(super) fn check_escape(text: &[u8], at: usize) -> Result<bool, Error> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(false),
        Some(b'u') => match unit(text, at)? {
            0xD800..=0xDBFF => {
                let lone = Error::new(ErrorKind::LoneSurrogate, at);
                if text.get(at + 6..at + 8) != Some(b"\\u") {
                    return Err(lone);
                }
                if (0xDC00..=0xDFFF).contains(&unit(text, at + 6)?) { Ok(true) } else { Err(lone) }
            }
            0xDC00..=0xDFFF => Err(Error::new(ErrorKind::LoneSurrogate, at)),
            _ => Ok(false),
        },
        _ => Err(expected(ErrorKind::ExpectedEscape, text, at + 1)),
    }
}

/// Where the escape at `at` ends, with the second half of a surrogate pair.
///
/// # Errors
/// As [`check_escape`].
pub(crate) fn escape_end(text: &[u8], at: usize) -> Result<usize, Error> {
    let is_pair = check_escape(text, at)?;
    let is_unit = text.get(at + 1) == Some(&b'u');
    Ok(at
        + if is_pair {
            12
        } else if is_unit {
            6
        } else {
            2
        })
}

/// The code unit of the escape `\uXXXX` at `at`.
fn unit(text: &[u8], at: usize) -> Result<u16, Error> {
    (at + 2..at + 6).try_fold(0, |unit, at| match text.get(at).copied().and_then(hexadecimal) {
        Some(digit) => Ok(unit << 4 | u16::from(digit)),
        None => Err(expected(ErrorKind::ExpectedEscape, text, at)),
    })
}

/// The value of a hexadecimal digit of either case.
pub(crate) fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_eight_at_a_time_as_one_by_one() {
        for at in 0..8 {
            for other in 0..=u8::MAX {
                for neighbour in [b'0', b'9', b':', b'/', 0, 0xFF] {
                    let mut bytes = [b'5'; 8];
                    bytes[at] = other;
                    bytes[(at + 1) % 8] = neighbour;
                    let expected = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    assert_eq!(leading_digits(bytes), expected, "{bytes:?}");
                }
            }
        }
    }
}
