//! Sends frames as bytes: in one datagram if possible, otherwise in pieces or in sealed memory.
//!
//! ```text
//!  pieces ─┐  over a connection: one datagram or pieces, of which some may stay pending
//!  memory ─┤  to an address: one datagram or, over UNIX, sealed memory
//!          └─ datagram ── sends one datagram, and maps the kernel's errors
//!               ├─ vsock ── over vsock, where the kernel may accept part of a datagram
//!               └─ outgoing ── the frame to send
//! ```

mod datagram;
mod memory;
mod outgoing;
mod pieces;
mod vsock;

pub(crate) use self::datagram::check_descriptors;
pub(crate) use self::memory::{send_bundle_to, send_to};
pub(crate) use self::outgoing::Outgoing;
pub(crate) use self::pieces::{Pending, send_connected};
