//! The same tests, waiting in the read itself.

#[path = "../allocations.rs"]
mod allocations;
