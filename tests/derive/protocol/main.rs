//! The code that the derive generates for protocols: answers, clients, handlers and services.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod answers;
mod blobs;
mod called;
mod lints;
mod names;
mod shapes;
#[cfg(feature = "tokio")]
mod under_tokio;
