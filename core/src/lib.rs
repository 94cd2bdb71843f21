//! skeleton
pub mod limits;
pub mod nexo;
pub mod os;
pub mod queue;
