//! The same tests, of receiving one frame at a time.

#[path = "../endpoints/main.rs"]
mod endpoints;
