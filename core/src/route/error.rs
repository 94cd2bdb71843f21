//! What is wrong with a configuration, and what is only odd.

use std::fmt;

/// Why a configuration does not load: the place, and what stands there.
///
/// ```
/// use nexowire_core::route::{Configuration, NoResolver};
///
/// let error = Configuration::parse("[[rule]]\nqueu = \"other\"\n", &NoResolver).unwrap_err();
/// assert_eq!(error.to_string(), "line 2, column 1: unknown member `queu`; did you mean `queue`?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong, with the offending word; never a secret.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ConfigError {}

/// What loads and is probably a mistake, such as a word that no vocabulary has.
///
/// ```
/// use nexowire_core::route::{Configuration, NoResolver};
///
/// let text = "[[rule]]\nqueue = \"other\"\nclass = \"service\"\n";
/// let configuration = Configuration::parse(text, &NoResolver)?;
/// let warning = &configuration.warnings()[0];
/// assert_eq!((warning.line, warning.column), (3, 9));
/// assert!(warning.message.ends_with("did you mean `Service`?"));
/// # Ok::<(), nexowire_core::route::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is odd, with the word.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// What a reload asked to change and only a reopening may. Source: `delivery.md`, section 7.
///
/// ```
/// use nexowire_core::route::{Configuration, NoResolver};
///
/// let old = Configuration::embedded();
/// let new = Configuration::parse("clock = \"manual\"", &NoResolver)?;
/// assert_eq!(old.reload_conflict(&new).unwrap().member, "clock");
/// # Ok::<(), nexowire_core::route::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadConflict {
    /// The member, as in `limits.body` or ``lanes of queue `payments` ``.
    pub member: String,
}

impl fmt::Display for ReloadConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot change while the engine is open; reopen it", self.member)
    }
}

impl std::error::Error for ReloadConflict {}
