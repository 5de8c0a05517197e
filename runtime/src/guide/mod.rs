//! Pages on subjects that belong to no single type.

#[cfg(feature = "tokio")]
pub mod awaiting;
pub mod calls;
pub mod fork;
pub mod stopping;
