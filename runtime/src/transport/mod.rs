//! Untyped sockets: opens them, and moves frames as bytes.

mod open;
mod peek;
mod recv;
mod send;
mod wait;

pub(crate) use self::open::{
    Acceptor, Attempt, Connecting, PathGuard, adopt_connection, adopt_datagram, adopt_listener,
    bind_datagram, connect, inherited, listen, pair, unbound_datagram,
};
pub use self::peek::{peek_len, try_peek_len};
pub(crate) use self::recv::Inbox;
#[cfg(feature = "tokio")]
pub(crate) use self::recv::check_shutdown;
pub(crate) use self::send::{Outgoing, Pending, Route, check_descriptors, send_connected, send_to};
