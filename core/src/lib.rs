//! skeleton
pub mod limits;
pub mod nexo;
pub mod route;
