//! How the endpoints under tokio use the reactor.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod readiness;
