//! A reader of time stamps as terminals really write them.

/// A moment, read from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Whole milliseconds since 1970-01-01T00:00:00Z; without a zone the text counts as UTC.
    pub unix_milliseconds: i64,
    /// What is left below a millisecond, in nanoseconds.
    pub nanoseconds: u32,
    /// Minutes east of UTC; `None` if the text has no zone, and the true moment is known only to its terminal.
    pub offset_minutes: Option<i16>,
}

impl Timestamp {
    /// Reads RFC 3339, more leniently: `T`, `t` or a blank between date and time; no seconds, or a fraction of any
    /// length behind a point or a comma; no zone, `Z`, `z`, `+01:00`, `+0100` or `+01`. `None` for anything else.
    ///
    /// ```
    /// use nexowire_core::timestamp::Timestamp;
    ///
    /// let moment = Timestamp::parse("2026-11-20T10:16:10.1234567+01:00").unwrap();
    /// assert_eq!(moment.unix_milliseconds, 1_795_166_170_123);
    /// assert_eq!((moment.nanoseconds, moment.offset_minutes), (456_700, Some(60)));
    /// assert_eq!(Timestamp::parse("2026-11-20 10:16").unwrap().offset_minutes, None);
    /// assert_eq!(Timestamp::parse("2026-02-29T00:00:00Z"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text.as_bytes() };
        let year = reader.number(4)?;
        let month = reader.after(b"-")?.number(2)?;
        let day = reader.after(b"-")?.number(2)?;
        let hour = reader.after(b"Tt ")?.number(2)?;
        let minute = reader.after(b":")?.number(2)?;
        let (mut second, mut nanoseconds) = (0, 0);
        if reader.accepts(b":") {
            second = reader.number(2)?;
            if reader.accepts(b".,") {
                nanoseconds = reader.fraction()?;
            }
        }
        let offset_minutes = reader.zone()?;
        // A second of 60 is a leap second, which counts as the one after it.
        let valid = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        if !valid || hour > 23 || minute > 59 || second > 60 || !reader.rest.is_empty() {
            return None;
        }
        let minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute;
        let seconds = (minutes - i64::from(offset_minutes.unwrap_or(0))) * 60 + second;
        let unix_milliseconds = seconds * 1_000 + i64::from(nanoseconds / 1_000_000);
        Some(Self { unix_milliseconds, nanoseconds: nanoseconds % 1_000_000, offset_minutes })
    }
}

/// A moment as RFC 3339 writes it, in UTC, with milliseconds.
///
/// ```
/// use nexowire_core::timestamp::rfc_3339;
///
/// assert_eq!(rfc_3339(1_795_166_170_123), "2026-11-20T09:16:10.123Z");
/// ```
pub fn rfc_3339(unix_milliseconds: u64) -> String {
    let (seconds, milliseconds) = (unix_milliseconds / 1_000, unix_milliseconds % 1_000);
    let (days, second) = ((seconds / 86_400) as i64, seconds % 86_400);
    // Most years begin within a day of this one's share of 400 years of 146,097 days.
    let guess = 1970 + days * 400 / 146_097;
    let year = if days_since_1970(guess + 1, 1, 1) <= days { guess + 1 } else { guess };
    let year = if days_since_1970(year, 1, 1) > days { year - 1 } else { year };
    let month = (1..=12).rev().find(|&month| days_since_1970(year, month, 1) <= days).unwrap_or(1);
    let day = days - days_since_1970(year, month, 1) + 1;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn accepts(&mut self, bytes: &[u8]) -> bool {
        let accepted = self.rest.first().is_some_and(|first| bytes.contains(first));
        if accepted {
            self.rest = &self.rest[1..];
        }
        accepted
    }

    fn after(&mut self, bytes: &[u8]) -> Option<&mut Self> {
        self.accepts(bytes).then_some(self)
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        number.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
    }

    /// Nanoseconds; digits behind the ninth are dropped.
    fn fraction(&mut self) -> Option<u32> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let places = fraction.iter().map(|byte| u32::from(byte - b'0')).chain(std::iter::repeat(0)).take(9);
        (digits > 0).then(|| places.fold(0, |number, digit| number * 10 + digit))
    }

    /// The zone that ends the text; the outer `None` if it is no zone.
    fn zone(&mut self) -> Option<Option<i16>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        if self.accepts(b"Zz") {
            return Some(Some(0));
        }
        let sign = if self.accepts(b"-") { -1 } else { self.after(b"+").map(|_| 1)? };
        let hours = self.number(2)?;
        let minutes = if self.accepts(b":") || !self.rest.is_empty() { self.number(2)? } else { 0 };
        (hours < 24 && minutes < 60).then_some(Some(sign * (hours * 60 + minutes) as i16))
    }
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar, counted in years that begin with March, so that a leap day ends a year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 153 days in every five months from March on; 719,468 days from March of the year 0 to 1970.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_seen_on_terminals() {
        for (text, expected, offset) in [
            ("1970-01-01T00:00:00Z", 0, Some(0)),
            ("2018-02-07T10:16:14.000Z", 1_517_998_574_000, Some(0)),
            ("2019-08-07T10:16:10", 1_565_172_970_000, None),
            ("2020-02-29 23:59:60z", 1_583_020_800_000, Some(0)),
            ("2000-03-01T00:00-0030", 951_870_600_000, Some(-30)),
            ("1969-12-31T23:59:59.999Z", -1, Some(0)),
            ("2026-11-20T10:16:10,5+01", 1_795_166_170_500, Some(60)),
        ] {
            let moment = Timestamp::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((moment.unix_milliseconds, moment.offset_minutes), (expected, offset), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        // Every hour of 120 days around each turn of a year, and days of far years.
        let years = (1970..2110).chain([2400, 2401, 9999]).map(|year| days_since_1970(year, 1, 1));
        for day in years.flat_map(|first| (first - 60).max(0)..first + 60) {
            let moment = day as u64 * 86_400_000 + 5 * 3_600_000 + 123;
            let read = Timestamp::parse(&rfc_3339(moment)).unwrap();
            assert_eq!((read.unix_milliseconds as u64, read.offset_minutes), (moment, Some(0)));
        }
        assert_eq!(rfc_3339(0), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn what_is_no_time_stamp() {
        for text in [
            "",
            "2026",
            "2026-13-01T00:00Z",
            "2026-00-01T00:00Z",
            "2026-04-31T00:00Z",
            "2026-01-01T24:00Z",
            "2026-01-01T00:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00+1",
            "2026-01-01T00:00+01:",
            "2026-01-01T00:00+24:00",
            "2026-01-01T00:00 x",
            "2026-01-01",
            "x026-01-01T00:00Z",
            "2026-01-01T00:00:00ZZ",
            "２026-01-01T00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
