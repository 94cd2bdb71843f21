//! JSON text by RFC 8259, checked completely and copied nowhere. Knows no nexo.

mod cursor;
mod outlined;
mod pointer;
mod scalar;
mod skip;
mod tokens;
mod unescape;
mod walk;

pub use pointer::pointer;
pub use unescape::{Unescaped, unescape};

pub(crate) use cursor::{Cursor, Name, Value, first_error};
pub(crate) use outlined::{Outlined, WalkOutlined, walk_outlined};
pub(crate) use scalar::{escape_end, hexadecimal, scalar_end};
pub(crate) use walk::Walk;

pub(crate) use crate::simd::{NameTable, Outliner};
