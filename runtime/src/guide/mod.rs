//! Pages on subjects that belong to no single type.

pub mod fork;
