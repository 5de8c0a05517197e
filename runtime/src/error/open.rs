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

    /// A socket has the path, and this process may not connect to it (EACCES). Whether a server holds the
    /// socket is unknown, so it is left alone.
    #[error("{} is a socket that this process may not connect to, so a server may hold it: choose another path, or remove this one if no server does", path.display())]
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

    /// The path names something other than a socket. It is left alone.
    #[error("{} is {found}, not a socket: choose another path", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
        /// The type of the file that is there.
        found: &'static str,
    },

    /// The path of the lock file names something else. It is left alone.
    #[error("{} is {found}, not the lock file of a socket: choose another path, or remove it", path.display())]
    NotALock {
        /// The path of the lock file.
        path: PathBuf,
        /// The type of the file that is there.
        found: &'static str,
    },

    /// The descriptor is of the wrong kind for this endpoint.
    #[error("the descriptor is {found}: expected {expected}")]
    WrongDescriptor {
        /// A description of the descriptor.
        found: String,
        /// The kind that was expected.
        expected: &'static str,
    },

    /// The endpoint does not support the family of the address, or the socket bound to the address has
    /// another type.
    #[error("{address} cannot be used here: expected {expected}")]
    WrongFamily {
        /// The address.
        address: String,
        /// The kind that was expected.
        expected: &'static str,
    },

    /// The kernel lacks a feature.
    #[error("this kernel has no {what} ({detail})")]
    Unsupported {
        /// The missing feature.
        what: &'static str,
        /// The kernel's reason.
        detail: String,
    },

    /// The server runs as a different user than required. Nothing was sent to it.
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
    #[error("nobody listens at {address}: start the server, or check the address")]
    Refused {
        /// The address.
        address: String,
    },

    /// The process or the system is out of descriptors or memory.
    #[error("out of descriptors or memory: free some, or raise the limits (RLIMIT_NOFILE)")]
    Exhausted(#[source] io::Error),

    /// The server's backlog was full until the deadline.
    #[error("the backlog of the server at {address} was full until the deadline")]
    TimedOut {
        /// The address.
        address: String,
    },

    /// The operating system refused.
    #[error("{action} failed")]
    Io {
        /// The attempted action, with its target.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
}
