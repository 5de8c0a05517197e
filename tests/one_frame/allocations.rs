//! The same tests, of receiving one frame at a time.

#[path = "../allocations.rs"]
mod allocations;
