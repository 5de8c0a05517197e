//! The same tests, waiting in the read itself.

#[path = "../descriptors/main.rs"]
mod descriptors;
