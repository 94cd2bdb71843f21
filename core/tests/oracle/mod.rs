//! The oracle: a reference parser and classifier that is slow and obviously right.
//!
//! It is written from section 13 of the reference alone and shares no code with the crate except its vocabularies, so
//! that both can only agree when both are right. Nothing here is tuned: bytes are read one at a time, the whole tree
//! is built, and every rule is looked up in that tree in the words of the reference.
//!
//! - [`json`]: strict JSON into a tree, with the offset of the first byte that cannot be right.
//! - [`pairs`], [`base64`], [`text`]: text fields, and the encodings inside of them.
//! - [`classify`], [`flags`]: the line of `expected.jsonl` for a body.
//! - [`mutate`], [`print`], [`interesting`], [`bases`]: messages to try, from a seed.

// Every test binary takes what it needs; what is `pub` here is the module's face, not the binary's.
#![allow(dead_code, unreachable_pub)]

pub mod base64;
pub mod bases;
pub mod classify;
pub mod flags;
pub mod interesting;
pub mod json;
pub mod mutate;
pub mod pairs;
pub mod print;
pub mod text;
