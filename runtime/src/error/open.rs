//! Why an endpoint could not be opened.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why an endpoint could not be bound, connected, accepted or adopted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Somebody is bound to the address, and alive.
    #[error("{address} is in use")]
    InUse {
        /// The address.
        address: String,
    },

    /// The address is one of another machine.
    #[error("{address} is not an address of this machine{}", if address.starts_with("vsock:") { " (vsock:1 is this machine if the kernel has vsock_loopback, and vsock:4294967295 is any of its CIDs)" } else { "" })]
    NotHere {
        /// The address.
        address: String,
    },

    /// Something that is not a socket has the path. It was left alone.
    #[error("{} is {found}, not a socket: it is left alone, so choose another path or remove it", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },

    /// Something that is not a lock file has the name of the path's lock file. It was left alone.
    #[error("{} is {found}, not a lock file of a socket: it is left alone, so choose another path or remove it", path.display())]
    NotALock {
        /// The path with `.lock` after it.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },

    /// The descriptor is of another kind than this endpoint needs.
    #[error("the descriptor is {found}: expected {expected}")]
    WrongDescriptor {
        /// What it is.
        found: String,
        /// What was expected.
        expected: &'static str,
    },

    /// The address is of a family, or the socket bound to it of a type, that this endpoint does not work
    /// over.
    #[error("{address} cannot be used here: expected {expected}")]
    WrongFamily {
        /// The address.
        address: String,
        /// What was expected.
        expected: &'static str,
    },

    /// The kernel does not have what is needed.
    #[error("this kernel has no {what} ({detail})")]
    Unsupported {
        /// What is needed.
        what: &'static str,
        /// What the kernel said, or is.
        detail: String,
    },

    /// The server runs as another user than was required. Nothing was sent to it.
    #[error("the server at {address} runs as user {found}, not as user {required}")]
    WrongServer {
        /// The address.
        address: String,
        /// The user required.
        required: u32,
        /// The user that bound the address.
        found: u32,
    },

    /// Nobody listens at the address.
    #[error("nobody listens at {address}")]
    Refused {
        /// The address.
        address: String,
    },

    /// The process or the system is out of descriptors or memory. After an accept the client stays in the
    /// backlog, and the listener readable: wait before trying again, with [`Backoff`](crate::Backoff).
    #[error("out of descriptors or memory")]
    Exhausted(#[source] io::Error),

    /// Nobody is in the backlog, and the call was one that does not wait.
    #[error("nobody has connected yet")]
    WouldBlock,

    /// The deadline passed.
    #[error("the deadline passed")]
    TimedOut,

    /// The operating system refused.
    #[error("{action} failed")]
    Io {
        /// What was attempted, and where.
        action: String,
        /// Its reason.
        source: io::Error,
    },
}
