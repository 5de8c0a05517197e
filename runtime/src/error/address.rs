//! Why an address is invalid.

use thiserror::Error;

use super::count::bytes;

/// Why text, a path or a name is not a valid [`Address`](crate::Address).
///
/// ```
/// use datagrammar::{Address, AddressError};
///
/// let error = "tcp:127.0.0.1:80".parse::<Address>().unwrap_err();
/// assert!(matches!(error, AddressError::UnknownFamily { .. }));
/// ```
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// The text does not start with `unix:`, `vsock:` or `udp:`.
    #[error(
        "`{text}` is not an address: expected `unix:/path`, `unix:@abstract`, `vsock:CID:PORT` or `udp:IP:PORT`"
    )]
    UnknownFamily {
        /// The text.
        text: String,
    },

    /// A UNIX address has neither a path nor a name.
    #[error("a unix address needs a path (`unix:/path`) or a name (`unix:@name`)")]
    NoName,

    /// A UNIX path or name does not fit in a socket address.
    #[error(
        "a unix {kind} of {} is longer than the {} of a socket address: choose a shorter one",
        bytes(*.len), bytes(*.max)
    )]
    TooLong {
        /// `path` or `name`.
        kind: &'static str,
        /// Its length in bytes.
        len: usize,
        /// How many bytes fit.
        max: usize,
    },

    /// A UNIX path contains a NUL byte. The kernel would end the path there.
    #[error("byte {at} of a unix path is NUL: a path cannot contain NUL bytes")]
    NulInPath {
        /// The position of the NUL byte, in bytes from the start of the path.
        at: usize,
    },

    /// `%` is not followed by two hexadecimal digits.
    #[error(
        "`%` at byte {at} is not followed by two hexadecimal digits: write `%25` for a percent sign"
    )]
    BadEscape {
        /// The position of the `%`, in bytes after `unix:`.
        at: usize,
    },

    /// A vsock address is not two numbers.
    #[error("`{text}` is not a vsock address: expected `vsock:CID:PORT`, two numbers below 2^32")]
    Vsock {
        /// The text after `vsock:`.
        text: String,
    },

    /// A UDP address is not an IP address and a port.
    #[error(
        "`{text}` is not a UDP address: expected `udp:IP:PORT`, such as `udp:127.0.0.1:9000` or `udp:[::1]:9000` (use std::net::ToSocketAddrs to resolve host names)"
    )]
    Udp {
        /// The text after `udp:`.
        text: String,
    },
}
