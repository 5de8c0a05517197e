//! Code that the comparisons share: usage of the process, medians, requirements, and plain sockets.

pub mod buffer;
pub mod cpus;
pub mod machine;
pub mod numbers;
pub mod raw;
pub mod requirement;
pub mod rights;
pub mod usage;
