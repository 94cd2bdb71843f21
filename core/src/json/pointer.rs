//! One value of a document, by RFC 6901.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::unescape;

/// The text of the value at `pointer` in `text`, which must be valid JSON; `None` if there is none.
///
/// The text is walked once, and then for every step the value that the step begins at; nothing is kept. Of repeated
/// members the first counts. Array elements are counted from 0; `-` (the element behind the last) is never there. Text
/// beyond [`Limits::MAX`](crate::limits::Limits::MAX) has no values. Source: RFC 6901.
///
/// ```
/// use nexowire_core::json::pointer;
///
/// let body = br#"{"a/b": [{"c": 1.50}, "x"]}"#;
/// assert_eq!(pointer(body, "/a~1b/0/c"), Some(&b"1.50"[..]));
/// assert_eq!(pointer(body, "/a~1b/1"), Some(&b"\"x\""[..]));
/// assert_eq!(pointer(body, "/a~1b/2"), None);
/// assert_eq!(pointer(body, ""), Some(&body[..]));
/// ```
pub fn pointer<'a>(text: &'a [u8], pointer: &str) -> Option<&'a [u8]> {
    let mut value = Cursor::over_valid(text).raw().ok()?;
    if pointer.is_empty() {
        return Some(value);
    }
    for reference in pointer.strip_prefix('/')?.split('/') {
        value = step(value, &unescape_reference(reference))?;
    }
    Some(value)
}

/// The member or element of `value` that one reference token names.
fn step<'a>(value: &'a [u8], reference: &str) -> Option<&'a [u8]> {
    let mut cursor = Cursor::over_valid(value);
    let mut found = None;
    match cursor.peek() {
        b'{' => cursor.object(|cursor, name| {
            let here = found.is_none() && unescape(name.raw) == reference.as_bytes();
            let raw = cursor.raw()?;
            if here {
                found = Some(raw);
            }
            Ok(())
        }),
        b'[' => {
            let (wanted, mut at) = (index(reference)?, 0);
            cursor.array(|cursor| {
                let raw = cursor.raw()?;
                if at == wanted {
                    found = Some(raw);
                }
                at += 1;
                Ok(())
            })
        }
        _ => return None,
    }
    .ok()?;
    found
}

/// RFC 6901, section 4: digits without a leading zero.
fn index(reference: &str) -> Option<usize> {
    let plain = reference == "0" || !reference.starts_with('0') && reference.bytes().all(|byte| byte.is_ascii_digit());
    reference.parse().ok().filter(|_| plain)
}

/// RFC 6901, section 4: first `~1`, then `~0`.
fn unescape_reference(reference: &str) -> Cow<'_, str> {
    if reference.contains('~') { reference.replace("~1", "/").replace("~0", "~").into() } else { reference.into() }
}

#[cfg(test)]
mod tests {
    use super::pointer;

    /// RFC 6901, section 5.
    #[test]
    fn the_examples_of_the_standard() {
        let text = br#"{ "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8 }"#;
        for (at, value) in [
            ("/foo", r#"["bar", "baz"]"#),
            ("/foo/0", r#""bar""#),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            assert_eq!(pointer(text, at), Some(value.as_bytes()), "{at}");
        }
        for at in ["foo", "/foo/2", "/foo/-", "/foo/00", "/foo/+1", "/bar", "/foo/0/x", "/foo/"] {
            assert_eq!(pointer(text, at), None, "{at}");
        }
    }

    #[test]
    fn of_repeated_members_the_first_counts() {
        assert_eq!(pointer(br#" {"a": 1, "\u0061": 2} "#, "/a"), Some(&b"1"[..]));
    }
}
