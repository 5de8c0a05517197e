//! The same tests, of receiving one frame at a time.

#[path = "../descriptors/main.rs"]
mod descriptors;
