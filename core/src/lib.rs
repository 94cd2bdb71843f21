//! skeleton
pub mod limits;
pub mod nexo;
