//! Tests of the whole of routing.

mod errors;
mod loads;
mod oracle;
mod scale;
mod settings;

use super::{Configuration, NoResolver};

/// A configuration that must load.
fn load(text: &str) -> Configuration {
    Configuration::parse(text, &NoResolver).unwrap_or_else(|error| panic!("{error}\n{text}"))
}
