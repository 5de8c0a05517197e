//! The same tests, waiting in the read itself.

#[path = "../endpoints/main.rs"]
mod endpoints;
