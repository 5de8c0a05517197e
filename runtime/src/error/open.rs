//! Why an endpoint could not be opened.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why an endpoint could not be connected, bound or adopted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another socket is bound to the address.
    #[error("{address} is in use: choose another address, or stop the server that has it")]
    InUse {
        /// The address.
        address: String,
    },

    /// A socket has the path, and this process may not connect to it (EACCES). So it cannot learn whether
    /// a server holds that socket, and leaves it alone.
    #[error("{} is a socket that this process may not connect to, so whether a server holds it is unknown: choose another path, or remove this one if no server does", path.display())]
    NotProbed {
        /// The path.
        path: PathBuf,
    },

    /// The address belongs to another machine.
    #[error("{address} is not an address of this machine{}", if address.starts_with("vsock:") { " (vsock:1 is this machine if the kernel has vsock_loopback, and vsock:4294967295 is any of its CIDs)" } else { "" })]
    NotHere {
        /// The address.
        address: String,
    },

    /// The path names something other than a socket, which was left alone.
    #[error("{} is {found}, not a socket: it is left alone, so choose another path or remove it", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },

    /// The name of the path's lock file names something else, which was left alone.
    #[error("{} is {found}, not a lock file of a socket: it is left alone, so choose another path or remove it", path.display())]
    NotALock {
        /// The path with `.lock` after it.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },

    /// The descriptor is not of the kind that this endpoint needs.
    #[error("the descriptor is {found}: expected {expected}")]
    WrongDescriptor {
        /// What it is.
        found: String,
        /// What was expected.
        expected: &'static str,
    },

    /// The endpoint does not work over the family of the address, or the socket bound to the address is
    /// of another type.
    #[error("{address} cannot be used here: expected {expected}")]
    WrongFamily {
        /// The address.
        address: String,
        /// What was expected.
        expected: &'static str,
    },

    /// The kernel lacks what is needed.
    #[error("this kernel has no {what} ({detail})")]
    Unsupported {
        /// What is needed.
        what: &'static str,
        /// What the kernel answered.
        detail: String,
    },

    /// The server runs as another user than the one required. Nothing was sent to it.
    #[error("the server at {address} runs as user {found}, not as user {required}")]
    WrongServer {
        /// The address.
        address: String,
        /// The user required.
        required: u32,
        /// The user that the server runs as.
        found: u32,
    },

    /// Nobody listens at the address.
    #[error("nobody listens at {address}")]
    Refused {
        /// The address.
        address: String,
    },

    /// The process or the system is out of descriptors or memory.
    #[error("out of descriptors or memory")]
    Exhausted(#[source] io::Error),

    /// The server's backlog stayed full until the deadline.
    #[error("the backlog of the server at {address} stayed full until the deadline")]
    TimedOut {
        /// The address.
        address: String,
    },

    /// The operating system refused.
    #[error("{action} failed")]
    Io {
        /// What was attempted, and where.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
}
