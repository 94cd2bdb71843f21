//! Engines whose stores are slow, fail or panic, and threads that race. Source: `delivery.md`, 1.3 to 1.10, 3.3, 5 and 8.

mod closing;
mod failures;
mod limits;
mod races;

use nexowire_core::delivery::{BusyReason, MemoryStore, Reader, Store, StoreError, Verdict, Writer};
use nexowire_core::engine::{Consumer, Engine, Inbound};
use nexowire_core::route::{Configuration, NoResolver, StoreSource};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

pub(crate) const STORE: Verdict = Verdict::Busy { reason: BusyReason::Store };
pub(crate) const FULL: Verdict = Verdict::Busy { reason: BusyReason::Full };
pub(crate) const LATE: Verdict = Verdict::Busy { reason: BusyReason::Late };

pub(crate) fn configuration(toml: &str) -> Configuration {
    Configuration::parse_with(toml, &NoResolver, StoreSource::Host).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

/// One queue, `other`, of two lanes, and what else is said.
pub(crate) fn one_queue(more: &str) -> Configuration {
    let queue = "[[queue]]\nname = \"other\"\nlanes = 2\ncapacity = 64\n";
    configuration(&format!("clock = \"manual\"\ndefault_queue = \"other\"\n{queue}{more}"))
}

/// A payment's answer of a terminal, with a number of its own.
pub(crate) fn body(terminal: &str, number: u64) -> String {
    format!(
        r#"{{"SaleToPOIResponse":{{"PaymentResponse":{{"Response":{{"Result":"Success"}}}},"MessageHeader":{{"MessageCategory":"Payment","SaleID":"S","ServiceID":"{number}","POIID":"{terminal}"}}}}}}"#
    )
}

pub(crate) fn accept(engine: &Engine, body: &str) -> Verdict {
    engine.accept(Inbound::new(body.as_bytes())).unwrap()
}

pub(crate) fn consumer(engine: &Engine, queue: &str) -> Consumer {
    engine.queue(queue).unwrap().consumer()
}

/// Polls what there is: numbers and attempts.
pub(crate) fn poll(consumer: &mut Consumer) -> Vec<(u64, u32)> {
    let mut batch = vec![];
    consumer.poll(64, &mut batch).unwrap();
    batch.iter().map(|delivered| (delivered.message.origin().seq, delivered.attempt)).collect()
}

pub(crate) fn accepted(first_seq: u64) -> Verdict {
    Verdict::Accepted { first_seq, count: 1, stored: true }
}

/// What the next write does beside writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Next {
    #[default]
    Nothing,
    PanicBefore,
    PanicAfter,
    /// It waits until it is let go.
    Block,
}

/// A store in memory that does as it is told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) inner: MemoryStore,
    next: Mutex<(Next, bool)>,
    changed: Condvar,
    meanwhile: Mutex<VecDeque<Meanwhile>>,
    read_panics: AtomicBool,
}

/// What somebody else does while a write is under way.
type Meanwhile = Box<dyn FnOnce() + Send>;

impl Told {
    pub(crate) fn engine(configuration: Configuration) -> (Arc<Self>, Engine) {
        let store = Arc::new(Self::default());
        let engine = Engine::open_with(configuration, Arc::clone(&store) as Arc<dyn Store>).unwrap();
        (store, engine)
    }

    /// Says what the next write does; one that is blocked is let go by `Nothing`.
    pub(crate) fn tell(&self, next: Next) {
        *self.next.lock().unwrap() = (next, false);
        self.changed.notify_all();
    }

    /// Says what is done in the middle of a write: one such thing in each, in the order of the calls.
    pub(crate) fn meanwhile(&self, one: impl FnOnce() + Send + 'static) {
        self.meanwhile.lock().unwrap().push_back(Box::new(one));
    }

    /// How many of these are still to be done; they are forgotten.
    pub(crate) fn drop_meanwhile(&self) -> usize {
        std::mem::take(&mut *self.meanwhile.lock().unwrap()).len()
    }

    pub(crate) fn panic_at_next_read(&self) {
        self.read_panics.store(true, Ordering::Relaxed);
    }

    /// Waits until a write is blocked.
    pub(crate) fn until_blocked(&self) {
        let _blocked = self.changed.wait_while(self.next.lock().unwrap(), |next| !next.1).unwrap();
    }
}

impl Store for Told {
    fn write(&self, changes: &mut dyn FnMut(&mut dyn Writer) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut next = self.next.lock().unwrap();
        let told = next.0;
        if told == Next::Block {
            next.1 = true;
            self.changed.notify_all();
            next = self.changed.wait_while(next, |next| next.0 == Next::Block).unwrap();
        } else {
            *next = (Next::Nothing, false);
        }
        drop(next);
        assert!(told != Next::PanicBefore, "told to panic before the write");
        let meanwhile = self.meanwhile.lock().unwrap().pop_front();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let written = self.inner.write(changes);
        assert!(told != Next::PanicAfter, "told to panic after the write");
        written
    }

    fn read(&self, look: &mut dyn FnMut(&dyn Reader) -> Result<(), StoreError>) -> Result<(), StoreError> {
        assert!(!self.read_panics.swap(false, Ordering::Relaxed), "told to panic at a read");
        self.inner.read(look)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        self.inner.reopen()
    }

    fn close(&self) {
        self.inner.close();
    }

    fn free_bytes(&self) -> Option<u64> {
        self.inner.free_bytes()
    }
}
