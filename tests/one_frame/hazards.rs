//! The same tests, of receiving one frame at a time.

#[path = "../hazards/main.rs"]
mod hazards;
