//! What the benchmarks share: messages made by rule, so that none is anybody's, and the allocator of the binary.
//!
//! ```
//! use nexowire_bench::Corpus;
//!
//! let corpus = Corpus::made("display");
//! assert_eq!(corpus.len(), 64);
//! assert!(corpus.messages().all(|message| message.starts_with(b"{")));
//! ```

mod corpus;
mod layout;
mod messages;
mod random;

pub use corpus::{BadCorpus, Corpus, NAMES, PADDING};

/// Every benchmark allocates as the `nexowire` binary does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
