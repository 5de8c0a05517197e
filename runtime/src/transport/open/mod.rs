//! Opening sockets: connecting, listening, accepting, binding, and adopting.
//!
//! Each file holds one of them, above what they share: `claim` takes a path, by `lock` and `stale`;
//! `failure` says what went wrong; `path` looks at files.

mod accept;
mod adopt;
mod claim;
mod connect;
mod datagram;
mod failure;
mod listen;
mod lock;
mod path;
mod stale;

pub(crate) use self::accept::accept;
pub(crate) use self::adopt::{adopt_connection, adopt_datagram, adopt_listener, inherited};
pub(crate) use self::claim::Claim;
pub(crate) use self::connect::{connect, pair, peer};
pub(crate) use self::datagram::{bind_datagram, unbound_datagram};
pub(crate) use self::listen::listen;
