//! skeleton
pub mod additional;
pub mod classify;
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
pub mod simd;
pub mod span;
pub mod text;
pub mod timestamp;
pub use error::{Error, ErrorKind};
