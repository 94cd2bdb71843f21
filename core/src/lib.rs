//! nexowire-core parses, classifies, decodes and routes payment-terminal messages.
//!
//! Terminals of the Adyen Terminal API (nexo Retailer Protocol 3.0) send JSON to POS servers: events, display
//! notifications, asynchronous responses. This crate takes such bodies, says what each is, tells the host what to answer,
//! and hands the messages to consumers, in order per terminal.
//!
//! It is not a payment client and not a server: it opens no socket, starts no thread, and reads files only through a
//! resolver that the host gives. What cannot be parsed is kept, never lost, and never an exception.
//!
//! ```
//! use nexowire_core::engine::{Engine, Inbound};
//! use nexowire_core::route::Configuration;
//!
//! let engine = Engine::open(Configuration::embedded())?;
//! let body = br#"{"SaleToPOIRequest":{"EventNotification":{"EventToNotify":"NetworkDisconnected",
//!     "EventDetails":"message=No+network"},"MessageHeader":{"POIID":"V400m-346403161"}}}"#;
//! let verdict = engine.accept(Inbound::new(body))?;
//! assert_eq!(verdict.status(), Some(200)); // The host answers this, with `verdict.body()`.
//!
//! let mut consumer = engine.queue("terminals").unwrap().consumer();
//! let mut batch = Vec::new();
//! consumer.poll(64, &mut batch)?;
//! let message = &batch[0].message;
//! assert_eq!(message.view().event_message().unwrap(), "No network");
//! assert_eq!(message.summary(), "Terminal V400m-346403161 lost its network connection");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Map
//!
//! | from | to | in |
//! |---|---|---|
//! | bytes | tokens | [`simd`], the only `unsafe` |
//! | tokens | checked JSON and spans | [`json`], [`parse`](mod@parse) |
//! | spans | kinds, words, flags | [`classify`](mod@classify), [`nexo`] |
//! | spans | text, pairs, receipts, sentences | [`text`], [`form`], [`additional`], [`nexo`], [`report`] |
//! | bytes of a known layout | the same, sooner | [`shape`] |
//! | words | queues | [`route`] |
//! | messages | consumers | [`queue`], [`message`] |
//! | all of it | verdicts | [`engine`], [`delivery`] |

pub mod additional;
pub mod classify;
pub mod delivery;
pub mod engine;
pub mod error;
pub mod form;
pub mod json;
pub mod limits;
pub mod message;
pub mod nexo;
pub mod os;
pub mod parse;
pub mod queue;
pub mod report;
pub mod route;
pub mod shape;
pub mod simd;
pub mod span;
pub mod text;
pub mod timestamp;

pub use error::{Error, ErrorKind};

/// The README's example runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
