//! How a host uses an engine with a store: three patterns. There is no code here.
//!
//! The vendor asks every receiver for the same: store the notification, answer, then do the work; and accept repeats.
//! [`Engine::accept`](super::Engine::accept) is the first two, a [`Consumer`](super::Consumer) the third.
//!
//! # A thread for each request
//!
//! Servers of Java, .NET, Go, Ruby and PHP's workers: call `accept` on the request's thread and answer with the verdict.
//! Threads that overlap share one sync, so more callers make each cheaper, and `answer_within` bounds the wait for the
//! others. Workers poll with a timeout; a waiting poll also writes what is not urgent and fires what is due.
//!
//! ```
//! use nexowire_core::delivery::MemoryStore;
//! use nexowire_core::engine::{Engine, Inbound};
//! use nexowire_core::route::{Configuration, StoreSource};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! // In production `Engine::open`, with a section `[store]` in the configuration.
//! let configuration = Configuration::embedded_with(StoreSource::Host);
//! let engine = Engine::open_with(configuration, Arc::new(MemoryStore::new()))?;
//!
//! std::thread::scope(|scope| {
//!     let requests = (0..4).map(|till| {
//!         let engine = &engine;
//!         scope.spawn(move || {
//!             let body = format!(r#"{{"SaleToPOIRequest":{{"EventNotification":{{"EventToNotify":"Shutdown"}},
//!                 "MessageHeader":{{"POIID":"V400m-{till}"}}}}}}"#);
//!             let verdict = engine.accept(Inbound::new(body.as_bytes())).unwrap();
//!             assert!(verdict.is_stored());
//!             verdict.status() // What the request is answered.
//!         })
//!     });
//!     assert!(requests.collect::<Vec<_>>().into_iter().all(|request| request.join().unwrap() == Some(200)));
//! });
//!
//! let mut consumer = engine.queue("terminals").unwrap().consumer();
//! let mut batch = Vec::new();
//! while consumer.poll_timeout(64, Duration::ZERO, &mut batch)? > 0 {
//!     // The work, and then the ack: what is not acked comes again, after a restart too.
//!     let seqs: Vec<u64> = batch.drain(..).map(|delivered| delivered.message.origin().seq).collect();
//!     consumer.ack(&seqs);
//! }
//! engine.close(); // Writes the acks.
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # An event loop
//!
//! Node, asyncio, tokio: nothing that waits for a disk may run on the loop. So
//! [`submit`](super::Engine::submit) each body with an id, which gives the verdict at once or later; let one worker thread
//! (libuv's pool, `asyncio.to_thread`, `spawn_blocking`) call [`commit`](super::Engine::commit) while there is
//! something pending, one call at a time; and read [`completions`](super::Engine::completions) when their descriptor is
//! readable, or when the commit returns. All bodies that came while the disk was busy share the next sync.
//!
//! ```
//! # use nexowire_core::delivery::MemoryStore;
//! # use nexowire_core::engine::{Engine, Inbound, Submitted};
//! # use nexowire_core::route::{Configuration, StoreSource};
//! # use std::sync::Arc;
//! # let engine = Engine::open_with(Configuration::embedded_with(StoreSource::Host), Arc::new(MemoryStore::new()))?;
//! let body = br#"{"SaleToPOIRequest":{"EventNotification":{},"MessageHeader":{"POIID":"V400m-1"}}}"#;
//! let request_id = 7;
//! match engine.submit(Inbound::new(body), request_id)? {
//!     Submitted::Verdict(verdict) => drop(verdict), // Answered at once: malformed, a duplicate, no room.
//!     Submitted::Pending => {}                      // The request waits.
//! }
//! engine.commit(); // On the worker thread.
//! let mut completions = Vec::new();
//! engine.completions(usize::MAX, &mut completions);
//! assert_eq!((completions[0].id, completions[0].verdict.status()), (request_id, Some(200)));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! A queue has a descriptor as well ([`Queue::descriptor`](super::Queue::descriptor)): readable means poll until nothing
//! comes. Who only polls without waiting calls [`advance`](super::Engine::advance) when
//! [`next_deadline`](super::Engine::next_deadline) says, on the worker thread too: nothing happens by itself.
//!
//! # Servers that fork
//!
//! A store belongs to one process. Pre-forking servers (gunicorn, Puma, php-fpm, IIS gardens) run one receiver beside
//! their workers; a worker that forks from a process with an engine may use nothing of it. Without a store each worker
//! may parse and classify for itself.
//!
//! # When the answer is `Busy`
//!
//! It is a 503, and the only answer that is sent again. `full`: consumers or the disk are behind. `late`: the sender waited
//! too long for the disk; its repeat is a duplicate if the commit came about. `store`: a write failed, and the engine
//! refuses until [`reopen`](super::Engine::reopen) has verified what is there; call it, and if it fails, let somebody
//! look at the disk. `closing`: the engine is shutting down, or being opened again.
