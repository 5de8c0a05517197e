//! Sending frames as bytes: one datagram where it fits, else in pieces or as sealed memory.
//!
//! ```text
//!  pieces ─┐  over a connection: as a datagram, or in pieces, the rest of which may be kept
//!  memory ─┤  to an address: as a datagram, or over UNIX as sealed memory beside one
//!          └─ datagram ── one datagram, and what the kernel's refusals mean
//!               ├─ vsock ── … where the kernel may take a part of it
//!               └─ outgoing ── what is sent
//! ```

mod datagram;
mod memory;
mod outgoing;
mod pieces;
mod vsock;

pub(crate) use self::memory::{send_bundle_to, send_to};
pub(crate) use self::outgoing::Outgoing;
pub(crate) use self::pieces::{Pending, send_connected};
