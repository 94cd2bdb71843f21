//! Where a field lies in its body.

use std::num::NonZeroU32;

/// How the bytes of a field are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    Plain,
    /// With the escapes of a JSON string.
    Json,
    /// With `%XX` and `+`, as in a form.
    Form,
}

impl Encoding {
    /// Itself, as a span holds it.
    #[inline(always)]
    fn bits(self) -> u32 {
        let encoding = match self {
            Self::Plain => 0,
            Self::Json => 1,
            Self::Form => 2,
        };
        encoding << LENGTH_BITS
    }
}

/// Offset, length and encoding of one field; eight bytes, also in an `Option`.
///
/// No field begins at offset 0: in front of it stands a quote, a brace, a name or an equals sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    offset: NonZeroU32,
    /// Bits 0 to 29: the length, which `limits.body` bounds. Bits 30 and 31: the encoding.
    length: u32,
}

const LENGTH_BITS: u32 = 30;

impl Span {
    /// The bytes from `start` to `end`; `None` where a field cannot be (at 0, backwards, beyond 30 bits).
    #[inline]
    pub(crate) fn new(start: usize, end: usize, encoding: Encoding) -> Option<Self> {
        let offset = NonZeroU32::new(u32::try_from(start).ok()?)?;
        let length = u32::try_from(end.checked_sub(start)?).ok()?;
        if length >> LENGTH_BITS != 0 {
            return None;
        }
        Some(Self { offset, length: length | encoding.bits() })
    }

    /// The length of the longest text that is walked.
    pub(crate) const REACH: usize = (1 << LENGTH_BITS) - 1;

    /// The bytes between the quotes at `opening` and `closing`, of a text that is no longer than [`Span::REACH`].
    #[inline(always)]
    pub(crate) fn between(opening: u32, closing: u32) -> Self {
        debug_assert!(opening < closing && closing as usize <= Self::REACH);
        Self { offset: NonZeroU32::MIN.saturating_add(opening), length: closing - opening - 1 }
    }

    /// The bytes from `start`, which is not 0, to `end`, of a text that is no longer than [`Span::REACH`].
    #[inline(always)]
    pub(crate) fn within(start: usize, end: usize, encoding: Encoding) -> Self {
        debug_assert!(0 < start && start <= end && end <= Self::REACH);
        let offset = NonZeroU32::new(start as u32).unwrap_or(NonZeroU32::MIN);
        Self { offset, length: (end - start) as u32 | encoding.bits() }
    }

    /// The first byte of the field in its body.
    #[inline]
    pub fn start(self) -> usize {
        self.offset.get() as usize
    }

    /// How many bytes the field has as they stand in the body.
    #[inline]
    pub fn length(self) -> usize {
        (self.length & ((1 << LENGTH_BITS) - 1)) as usize
    }

    /// How these bytes are to be read.
    #[inline]
    pub fn encoding(self) -> Encoding {
        // A table of all four is sooner asked than three of them are told apart.
        const ENCODINGS: [Encoding; 4] = [Encoding::Plain, Encoding::Json, Encoding::Form, Encoding::Form];
        ENCODINGS[(self.length >> LENGTH_BITS) as usize]
    }

    /// The field's bytes in the body that it was found in; empty if `body` is another, shorter one.
    #[inline]
    pub fn of(self, body: &[u8]) -> &[u8] {
        body.get(self.start()..self.start() + self.length()).unwrap_or_default()
    }
}

const _: () = assert!(size_of::<Option<Span>>() == 8);

/// A span, or none, in one number: as many of them are kept, so that they are cleared and moved by whole vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RawSpan(u64);

impl RawSpan {
    /// No span.
    pub(crate) const NONE: Self = Self(0);

    #[inline(always)]
    pub(crate) fn of(span: Option<Span>) -> Self {
        span.map_or(Self::NONE, |span| Self(u64::from(span.offset.get()) | u64::from(span.length) << 32))
    }

    #[inline(always)]
    pub(crate) fn get(self) -> Option<Span> {
        Some(Span { offset: NonZeroU32::new(self.0 as u32)?, length: (self.0 >> 32) as u32 })
    }

    /// See [`Span::within`]; here a text may begin at 0, which is none until it is moved.
    #[inline(always)]
    pub(crate) fn within(start: usize, end: usize, encoding: Encoding) -> Self {
        debug_assert!(start <= end && end <= Span::REACH);
        Self(start as u64 | u64::from((end - start) as u32 | encoding.bits()) << 32)
    }

    /// The same text in what begins at `at`, in a text that is no longer than [`Span::REACH`].
    #[inline(always)]
    pub(crate) fn moved(self, at: usize) -> Self {
        Self(self.0 + at as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_gives_back_what_it_was_made_of() {
        for encoding in [Encoding::Plain, Encoding::Json, Encoding::Form] {
            let span = Span::new(3, 7, encoding).unwrap();
            assert_eq!((span.start(), span.length(), span.encoding()), (3, 4, encoding));
            assert_eq!(span.of(b"0123456789"), b"3456");
            assert_eq!(span.of(b"01234"), b"");
        }
    }

    #[test]
    fn between_quotes_as_between_bytes() {
        for (opening, closing) in [(0, 1), (3, 9), (0, Span::REACH), (Span::REACH - 1, Span::REACH)] {
            let expected = Span::new(opening + 1, closing, Encoding::Plain);
            assert_eq!(Some(Span::between(opening as u32, closing as u32)), expected);
            assert_eq!(Some(Span::within(opening + 1, closing, Encoding::Plain)), expected);
            assert_eq!(RawSpan::within(opening + 1, closing, Encoding::Plain).get(), expected);
        }
    }

    #[test]
    fn a_raw_span_is_the_span_or_none() {
        assert_eq!((RawSpan::NONE.get(), RawSpan::of(None)), (None, RawSpan::NONE));
        for encoding in [Encoding::Plain, Encoding::Json, Encoding::Form] {
            let span = Span::new(3, 7, encoding);
            assert_eq!((RawSpan::of(span).get(), RawSpan::within(3, 7, encoding)), (span, RawSpan::of(span)));
            assert_eq!(RawSpan::within(0, 4, encoding).moved(3).get(), span);
        }
    }

    #[test]
    fn what_cannot_be_a_field_is_none() {
        assert_eq!(Span::new(0, 4, Encoding::Plain), None);
        assert_eq!(Span::new(5, 4, Encoding::Plain), None);
        assert_eq!(Span::new(1, 1 + (1 << LENGTH_BITS), Encoding::Plain), None);
    }
}
