//! Routing: the configuration, and the table it is compiled into. Knows no JSON message and no queue.
//!
//! | from | to | by |
//! |---|---|---|
//! | text | members as they are written | `read`, `raw` |
//! | members | [`Configuration`] | `check`, `rules`; `locate` and `suggest` for what is wrong |
//! | configuration | [`Table`] | `plan`, `index`, `checks`, `row`, `decided` |
//! | [`Subject`] of a message | [`Targets`], or an [`Explanation`] for people | `table`, `explain` |

mod check;
mod checks;
mod configuration;
mod decided;
mod duration;
mod error;
mod explain;
mod hash;
mod index;
mod key;
mod locate;
mod matcher;
mod pattern;
mod plan;
mod raw;
mod read;
mod resolver;
mod row;
mod rules;
mod settings;
mod subject;
mod suggest;
mod table;

pub use configuration::{Clock, Configuration, Endpoint, Queue, Rule, WhenFull};
pub use error::{ConfigError, ReloadConflict, Warning};
pub use explain::{Explanation, Miss};
pub use pattern::Patterns;
pub use resolver::{NoResolver, Resolver, SystemResolver};
pub use settings::{DedupeSettings, StoreSettings, StoreSource};
pub use subject::{Subject, Word};
pub use table::{Table, Targets};

#[cfg(test)]
mod tests;
