//! Sends frames as bytes: in one datagram if possible, otherwise in pieces or in sealed memory.
//!
//! ```text
//!  pieces ─┐  over a connection: one datagram or pieces, of which some may stay pending
//!  memory ─┤  to an address: one datagram or, over UNIX, sealed memory
//!          └─ datagram ── sends one datagram, and maps the kernel's errors
//!               └─ vsock ── over vsock, where the kernel may accept part of a datagram
//! ```

mod datagram;
mod memory;
mod pieces;
mod vsock;

pub(crate) use self::datagram::{Outgoing, Route, check_descriptors};
pub(crate) use self::memory::send_to;
pub(crate) use self::pieces::{Pending, send_connected};
