//! Where a configuration's files and environment variables come from: the host decides.

use std::path::{Path, PathBuf};

/// Reads what a configuration only names: `poiid_file`, and secrets as `{ env = "NAME" }` or `{ file = "PATH" }`.
///
/// The core opens no files of its own; the host hands in one of these. The error of both is a message for people.
///
/// ```
/// use nexowire_core::route::{Configuration, Resolver};
///
/// struct Fixed;
/// impl Resolver for Fixed {
///     fn file(&self, _path: &str) -> Result<String, String> {
///         Ok("V400m-324688179\nP400Plus-*\n".to_owned())
///     }
///     fn env(&self, _name: &str) -> Result<String, String> {
///         Err("no environment here".to_owned())
///     }
/// }
///
/// let text = "[[rule]]\nqueue = \"other\"\npoiid_file = \"terminals.txt\"\n";
/// assert!(Configuration::parse(text, &Fixed).is_ok());
/// ```
pub trait Resolver {
    /// The text of the file at `path`, as the configuration spells it.
    fn file(&self, path: &str) -> Result<String, String>;

    /// The value of the environment variable `name`.
    fn env(&self, name: &str) -> Result<String, String>;
}

/// Reads nothing: a configuration that names a file or a variable does not load.
///
/// ```
/// use nexowire_core::route::{NoResolver, Resolver};
///
/// assert!(NoResolver.file("/etc/hostname").is_err());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoResolver;

impl Resolver for NoResolver {
    fn file(&self, _path: &str) -> Result<String, String> {
        Err("no files are read here: the host gave no resolver".to_owned())
    }

    fn env(&self, _name: &str) -> Result<String, String> {
        Err("no environment is read here: the host gave no resolver".to_owned())
    }
}

/// Reads the file system and the environment of the process.
///
/// ```
/// use nexowire_core::route::{Resolver, SystemResolver};
///
/// let resolver = SystemResolver::beside("/etc/nexowire/nexowire.toml");
/// assert!(resolver.file("no-such-file.txt").unwrap_err().contains("/etc/nexowire"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SystemResolver {
    /// Relative paths start here; empty: in the working directory.
    base: PathBuf,
}

impl SystemResolver {
    /// A resolver whose relative paths start in the directory of this configuration file.
    pub fn beside(configuration_file: impl AsRef<Path>) -> Self {
        Self { base: configuration_file.as_ref().parent().map(Path::to_path_buf).unwrap_or_default() }
    }
}

impl Resolver for SystemResolver {
    fn file(&self, path: &str) -> Result<String, String> {
        // An absolute path replaces the base when joined to it.
        let path = self.base.join(path);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn env(&self, name: &str) -> Result<String, String> {
        // VarError's own text would hold the value of a variable that is not UTF-8, and the value may be a secret.
        std::env::var(name).map_err(|error| match error {
            std::env::VarError::NotPresent => format!("the environment has no `{name}`"),
            std::env::VarError::NotUnicode(_) => format!("`{name}` in the environment is not UTF-8"),
        })
    }
}
