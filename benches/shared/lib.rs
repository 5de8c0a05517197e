//! What the comparisons have in common: what a process uses, medians, requirements, and plain sockets.

pub mod buffer;
pub mod numbers;
pub mod raw;
pub mod requirement;
pub mod rights;
pub mod usage;
