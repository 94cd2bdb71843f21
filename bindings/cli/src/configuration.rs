//! Configurations from files.

use std::io::{self, Write};
use std::path::Path;

use nexowire_core::route::{Configuration, StoreSource, SystemResolver};

/// Reads a configuration; without a file it is the embedded one. Says on standard error what is odd about it.
/// `has_store`: a store is given beside it.
///
/// `Err` is the text that says what is wrong, with the file's name.
pub(crate) fn load(file: Option<&Path>, has_store: bool) -> Result<Configuration, String> {
    let Some(file) = file else { return Ok(Configuration::embedded_with(source(has_store))) };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let loaded = Configuration::parse_with(&text, &SystemResolver::beside(file), source(has_store));
    let configuration = loaded.map_err(|error| format!("{}: {error}", file.display()))?;
    for warning in configuration.warnings() {
        let _nobody_to_tell = writeln!(io::stderr(), "{}: warning: {warning}", file.display());
    }
    Ok(configuration)
}

/// Where the store comes from.
pub(crate) fn source(has_store: bool) -> StoreSource {
    if has_store { StoreSource::Host } else { StoreSource::Configuration }
}
