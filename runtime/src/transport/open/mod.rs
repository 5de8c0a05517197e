//! Opens sockets: connects, listens, accepts, binds and adopts, each in its own file.
//!
//! Shared files: `path_guard` binds to a path, with `lock` and `stale`; `failure` maps errors; `path` inspects
//! files.

mod accept;
mod adopt;
mod connect;
mod datagram;
mod failure;
mod listen;
mod lock;
mod path;
mod path_guard;
mod stale;

pub(crate) use self::accept::{accept, accept_next};
pub(crate) use self::adopt::{adopt_connection, adopt_datagram, adopt_listener, inherited};
pub(crate) use self::connect::{Attempt, Connecting, connect, pair};
pub(crate) use self::datagram::{bind_datagram, unbound_datagram};
pub(crate) use self::listen::listen;
pub(crate) use self::path_guard::PathGuard;
