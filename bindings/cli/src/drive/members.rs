//! The members of an operation, read one by one, so that each error says which one is wrong.

use nexowire_core::timestamp::Timestamp;
use serde_json::{Map, Value};

use super::answer::Failure;

/// Tags are numbers that every language can hold: up to 2^53 - 1, as RFC 8259 (section 6) advises.
const TAG_MAX: u64 = (1 << 53) - 1;

/// The members of an operation or of an item of one. A member that is null counts as left out.
pub(super) struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, Failure> {
        value.as_object().map(Self).ok_or_else(|| Failure::bad_argument("an operation is a JSON object"))
    }

    fn find(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn needed<T>(found: Option<T>, name: &str) -> Result<T, Failure> {
        found.ok_or_else(|| Failure::bad_argument(&format!("`{name}` is missing")))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        let wrong = || Failure::bad_argument(&format!("`{name}` must be text"));
        self.find(name).map(|value| value.as_str().ok_or_else(wrong)).transpose()
    }

    pub(super) fn needed_text(&self, name: &str) -> Result<&'a str, Failure> {
        Self::needed(self.text(name)?, name)
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let wrong = || Failure::bad_argument(&format!("`{name}` must be a whole number"));
        self.find(name).map(|value| value.as_u64().ok_or_else(wrong)).transpose()
    }

    /// A number, or `default` if it is left out.
    pub(super) fn number_or(&self, name: &str, default: u64) -> Result<u64, Failure> {
        Ok(self.number(name)?.unwrap_or(default))
    }

    /// True or false; false if it is left out.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Failure> {
        let wrong = || Failure::bad_argument(&format!("`{name}` must be true or false"));
        self.find(name).map_or(Ok(false), |value| value.as_bool().ok_or_else(wrong))
    }

    pub(super) fn needed_number(&self, name: &str) -> Result<u64, Failure> {
        Self::needed(self.number(name)?, name)
    }

    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], Failure> {
        let list = Self::needed(self.find(name), name)?;
        list.as_array().map(Vec::as_slice).ok_or_else(|| Failure::bad_argument(&format!("`{name}` must be a list")))
    }

    pub(super) fn seqs(&self) -> Result<Vec<u64>, Failure> {
        let wrong = || Failure::bad_argument("`seqs` must be a list of whole numbers");
        self.list("seqs")?.iter().map(|seq| seq.as_u64().ok_or_else(wrong)).collect()
    }

    pub(super) fn tag(&self) -> Result<Option<u64>, Failure> {
        match self.number("tag")? {
            Some(tag) if !(1..=TAG_MAX).contains(&tag) => {
                Err(Failure::bad_argument("`tag` must be from 1 to 2^53 - 1"))
            }
            tag => Ok(tag),
        }
    }

    /// A time: RFC 3339, or whole milliseconds since 1970. Without a zone a text is no moment.
    pub(super) fn time(&self, name: &str) -> Result<Option<u64>, Failure> {
        let wrong = || Failure::bad_argument(&format!("`{name}` must be RFC 3339, or milliseconds since 1970"));
        match self.find(name) {
            Some(Value::String(text)) => {
                let moment =
                    Timestamp::parse(text).filter(|moment| moment.offset_minutes.is_some()).ok_or_else(wrong)?;
                u64::try_from(moment.unix_milliseconds).map(Some).map_err(|_| wrong())
            }
            Some(value) => value.as_u64().map(Some).ok_or_else(wrong),
            None => Ok(None),
        }
    }

    pub(super) fn needed_time(&self, name: &str) -> Result<u64, Failure> {
        Self::needed(self.time(name)?, name)
    }

    /// The bytes of `body`, or of `body_base64`.
    pub(super) fn body(&self) -> Result<Vec<u8>, Failure> {
        match (self.text("body")?, self.text("body_base64")?) {
            (Some(_), Some(_)) => Err(Failure::bad_argument("`body` and `body_base64` exclude each other")),
            (Some(body), None) => Ok(body.as_bytes().to_vec()),
            (None, Some(text)) => base64_simd::STANDARD
                .decode_to_vec(text)
                .map_err(|_| Failure::bad_argument("`body_base64` is not Base64")),
            (None, None) => Self::needed(None, "body"),
        }
    }
}
