//! The same tests, waiting in the read itself.

#[path = "../forks/main.rs"]
mod forks;
