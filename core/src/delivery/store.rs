//! Where messages are safe: ordered tables of bytes, so that a host can bring its own store.
//!
//! What stands in which table is nexowire's affair; a store needs to know keys, values, transactions and syncs only.
//! Source: design, section 10; `delivery.md`, 1.6 to 1.10 and 8.

use std::fmt;

/// Declares the tables and their names.
macro_rules! tables {
    ($($(#[$about:meta])* $variant:ident $name:literal,)+) => {
        /// One ordered map from bytes to bytes. Keys are ordered as `[u8]` is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Table {
            $($(#[$about])* $variant,)+
        }

        impl Table {
            /// Every table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in the store, the same in every version.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

tables! {
    /// What concerns the whole: version, clock, last number, hash key.
    Meta "meta",
    /// The ids of queues by their names.
    Queues "queues",
    /// Messages by their numbers, bodies as they arrived.
    Messages "messages",
    /// Keys of terminal messages by the numbers of the messages.
    TerminalKeys "terminal_keys",
    /// Keys of webhook items by the numbers of the messages.
    WebhookKeys "webhook_keys",
    /// What is still to be delivered, by queue, lane and number.
    Deliveries "deliveries",
    /// Bodies that everybody has done with, by the time of that.
    Consumed "consumed",
    /// What is kept from the queues, by number.
    Quarantine "quarantine",
    /// What could not be delivered, by number and queue.
    DeadLetters "dead_letters",
}

/// A store. It is shared by threads: one writes at a time, others read meanwhile.
///
/// A transaction must not call the store that it is of: it may wait for itself. A closure that panics is none of the
/// store's errors: the panic goes on, nothing of the transaction is there, and the store works as before.
pub trait Store: Send + Sync + 'static {
    /// Carries out one transaction: all that `changes` does, or nothing. It is durable when this returns `Ok`.
    ///
    /// # Errors
    /// What `changes` answered: then nothing of it is there, and the store works as before. Or what the store says: then
    /// it may be there after all, which only [`reopen`](Self::reopen) finds out, and until then every call fails. A store
    /// that has refused a part of the transaction says so here, even if `changes` went on and answered `Ok`.
    fn write(&self, changes: &mut dyn FnMut(&mut dyn Writer) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Shows one state of what is durable. It may run while another thread writes.
    ///
    /// # Errors
    /// What `look` answered, or what the store says. After the latter every call fails until [`reopen`](Self::reopen).
    fn read(&self, look: &mut dyn FnMut(&dyn Reader) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Opens again what has failed or was closed, and verifies it. It waits for transactions to end.
    ///
    /// # Errors
    /// When it cannot be opened, or is found damaged. Then every call fails, until a later `reopen` goes well.
    fn reopen(&self) -> Result<(), StoreError>;

    /// Lets the files go. Later calls answer [`StoreErrorKind::Closed`], until [`reopen`](Self::reopen).
    fn close(&self);

    /// How many bytes more could be written, as far as the store knows; `None`: no bound is known.
    fn free_bytes(&self) -> Option<u64>;
}

/// What can be read in a transaction.
pub trait Reader {
    /// Shows the value of a key to `found`, and says whether there is one.
    ///
    /// # Errors
    /// What the store says.
    fn get(&self, table: Table, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError>;

    /// Shows keys and values in rising order, from the key `from` (included) to `to` (excluded; `None`: the end of the
    /// table), until `each` answers false.
    ///
    /// # Errors
    /// What the store says.
    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError>;

    /// Shows the last key below `to` (`None`: of the table) and its value, and says whether there is one.
    ///
    /// # Errors
    /// What the store says.
    fn last(&self, table: Table, to: Option<&[u8]>, found: &mut dyn FnMut(&[u8], &[u8])) -> Result<bool, StoreError>;
}

/// What can be done in a transaction that writes. What it has written it reads.
pub trait Writer: Reader {
    /// Sets the value of a key.
    ///
    /// # Errors
    /// What the store says.
    fn insert(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Removes a key, and says whether it was there.
    ///
    /// # Errors
    /// What the store says.
    fn remove(&mut self, table: Table, key: &[u8]) -> Result<bool, StoreError>;
}

/// What sort of thing is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Another process, or another engine of this one, has it.
    Locked,
    /// It was closed.
    Closed,
    /// What is in it cannot be right.
    Corrupt,
    /// No room is left.
    Full,
    /// Another version has written it, which this one cannot read.
    Version,
    /// It was opened in another process, of which this one is a fork.
    Forked,
    /// The system refuses to read or write.
    Io,
}

/// Why a store did not do what was asked. It says nothing of what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// What sort of thing is wrong.
    pub kind: StoreErrorKind,
    /// For people.
    pub message: String,
}

impl StoreError {
    /// An error of this kind.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}
