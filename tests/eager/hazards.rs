//! The same tests, waiting in the read itself.

#[path = "../hazards/main.rs"]
mod hazards;
