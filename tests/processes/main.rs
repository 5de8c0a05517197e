//! The hazards whose tests start processes. They are a program of their own, because a process that
//! is being started holds copies of all descriptors for a moment, and so hides ends from other tests.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod children;
mod confined;
mod descriptors;
mod ends;
mod identity;
mod managed;
mod opening;
mod refused;
