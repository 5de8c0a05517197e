//! The same tests, waiting in the read itself.

#[path = "../allocations/main.rs"]
mod allocations;
