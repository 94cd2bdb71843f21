//! What is wrong with a body, and where.

use std::fmt;

/// Why a body is not valid: what was expected, and the byte at which it was not found.
///
/// ```
/// use nexowire_core::{ErrorKind, limits::Limits, parse::parse};
///
/// let error = parse(br#"{"SaleToPOIRequest":{]}"#, &Limits::default()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::ExpectedName);
/// assert_eq!(error.offset(), 21);
/// assert_eq!(error.to_string(), "expected a member name in double quotes at byte 21");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    offset: u32,
}

impl Error {
    /// An error of this kind at this byte, counted from 0.
    #[cold]
    pub(crate) fn new(kind: ErrorKind, offset: usize) -> Self {
        // A body over four gigabytes is `BodyTooLarge` at its limit, so nothing is cut off here.
        Self { kind, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    /// What was expected.
    pub fn kind(self) -> ErrorKind {
        self.kind
    }

    /// Whether the body is over a limit, whatever else may be wrong with it.
    pub fn is_over_limit(self) -> bool {
        matches!(self.kind(), ErrorKind::BodyTooLarge | ErrorKind::TooDeep | ErrorKind::TooManyMembers)
    }

    /// The first byte, counted from 0, that is not as expected; the body's length if it ends too early.
    pub fn offset(self) -> usize {
        self.offset as usize
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind.expectation(), self.offset)
    }
}

impl std::error::Error for Error {}

/// Declares the kinds of error with their words and what each expects.
macro_rules! error_kinds {
    ($($(#[$about:meta])* $variant:ident $word:literal $expectation:literal,)+) => {
        /// What a reader of the body expected and did not find.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$about])* $variant,)+
        }

        impl ErrorKind {
            /// The word for this kind in reports.
            ///
            /// ```
            /// assert_eq!(nexowire_core::ErrorKind::TooDeep.word(), "too_deep");
            /// ```
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The kind in plain words.
            pub const fn expectation(self) -> &'static str {
                match self { $(Self::$variant => $expectation,)+ }
            }
        }
    };
}

error_kinds! {
    /// More bytes than `limits.body`.
    BodyTooLarge "body_too_large" "the body is longer than the limit",
    /// More nested containers than `limits.depth`.
    TooDeep "too_deep" "containers are nested deeper than the limit",
    /// More members than `limits.members`.
    TooManyMembers "too_many_members" "the body has more members than the limit",
    /// The body begins with U+FEFF, which RFC 8259 (section 8.1) forbids to send.
    ByteOrderMark "byte_order_mark" "the body begins with a byte order mark",
    /// The body ends inside a value.
    UnexpectedEnd "unexpected_end" "the body ends too early",
    /// No value where one must be.
    ExpectedValue "expected_value" "expected a value",
    /// No name where one must be.
    ExpectedName "expected_name" "expected a member name in double quotes",
    /// No colon behind a name.
    ExpectedColon "expected_colon" "expected `:`",
    /// Neither comma nor brace behind a member.
    ExpectedCommaOrBrace "expected_comma_or_brace" "expected `,` or `}`",
    /// Neither comma nor bracket behind an element.
    ExpectedCommaOrBracket "expected_comma_or_bracket" "expected `,` or `]`",
    /// Something behind the value.
    ExpectedEnd "expected_end" "expected nothing but white space behind the value",
    /// `true`, `false`, `null` misspelled or not ended.
    ExpectedLiteral "expected_literal" "expected `true`, `false` or `null`",
    /// A number that RFC 8259 does not allow.
    ExpectedDigit "expected_digit" "expected a digit",
    /// Something sticks to the end of a number.
    ExpectedNumberEnd "expected_number_end" "expected the end of the number",
    /// A byte below 0x20 in a string.
    ControlCharacter "control_character" "expected an escape in place of a control character",
    /// A backslash with something that is no escape.
    ExpectedEscape "expected_escape" "expected an escape of RFC 8259",
    /// Half of a surrogate pair.
    LoneSurrogate "lone_surrogate" "expected the other half of a surrogate pair",
    /// Bytes that are not UTF-8.
    ExpectedUtf8 "expected_utf8" "expected UTF-8",
}
