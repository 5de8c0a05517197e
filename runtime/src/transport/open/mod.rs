//! Opens sockets: connects, binds, accepts and adopts, each in its own file.
//!
//! Shared files: `path_guard` binds to a path, with `lock` and `stale`; `failure` maps errors; `path` inspects
//! files.

mod accept;
mod adopt;
mod bind;
mod connect;
mod failure;
mod lock;
mod path;
mod path_guard;
mod stale;

pub(crate) use self::accept::Acceptor;
pub(crate) use self::adopt::{adopt_connection, adopt_datagram, adopt_listener, inherited};
pub(crate) use self::bind::{bind_datagram, listen, unbound_datagram};
pub(crate) use self::connect::{Attempt, Connecting, connect, pair};
pub(crate) use self::path_guard::PathGuard;
