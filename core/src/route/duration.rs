//! Durations as text: `500ms`, `60s`, `5m`, `48h`, `30d`.

use std::time::Duration;

/// Reads a duration: a whole number and one of `ms`, `s`, `m`, `h`, `d`, with nothing between them.
///
/// The error is a message for people, without the text itself.
pub(super) fn parse(text: &str) -> Result<Duration, &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("is no duration; write a whole number and ms, s, m, h or d, as in `60s`"),
    };
    if number.is_empty() {
        return Err("is no duration; the number is missing, as in `60s`");
    }
    // Digits alone can only fail to parse by being too many.
    let number: u64 = number.parse().map_err(|_| "is too long a duration")?;
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or("is too long a duration")
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("60s", Some(60_000)),
            ("5m", Some(300_000)),
            ("48h", Some(172_800_000)),
            ("30d", Some(2_592_000_000)),
            ("007s", Some(7_000)),
            ("", None),
            ("5", None),
            ("s", None),
            ("-5s", None),
            ("1.5s", None),
            ("5 s", None),
            (" 5s", None),
            ("5S", None),
            ("5s ", None),
            ("5min", None),
            ("1h30m", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(parse(text).ok().map(|duration| duration.as_millis()), ms, "{text}");
        }
    }
}
