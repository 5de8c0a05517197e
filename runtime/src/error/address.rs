//! Why a text is not an address.

use thiserror::Error;

/// Why an [`Address`](crate::Address) could not be made.
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
    /// The text does not start with a family that this crate speaks.
    #[error(
        "`{text}` is not an address: expected `unix:/path`, `unix:@abstract`, `vsock:CID:PORT` or `udp:IP:PORT`"
    )]
    UnknownFamily {
        /// The text.
        text: String,
    },

    /// A UNIX address without a path or a name.
    #[error("a unix address needs a path (`unix:/path`) or a name (`unix:@name`)")]
    NoName,

    /// A UNIX path or name that does not fit a socket address.
    #[error("a unix {kind} of {len} bytes does not fit a socket address, which holds {max}")]
    TooLong {
        /// `path` or `name`.
        kind: &'static str,
        /// Its length, in bytes.
        len: usize,
        /// The most bytes that fit.
        max: usize,
    },

    /// A UNIX path that holds a NUL byte, which the kernel would take for its end.
    #[error("a unix path cannot hold a NUL byte, and this one does at byte {at}")]
    NulInPath {
        /// Where the NUL byte is.
        at: usize,
    },

    /// `%` that is not followed by two hexadecimal digits.
    #[error(
        "`%` at byte {at} is not followed by two hexadecimal digits (`%25` is a per cent sign)"
    )]
    BadEscape {
        /// Where the sign is, in bytes after `unix:`.
        at: usize,
    },

    /// A vsock address that is not two numbers.
    #[error("`{text}` is not a vsock address: expected `vsock:CID:PORT`, two numbers below 2^32")]
    Vsock {
        /// The text after `vsock:`.
        text: String,
    },

    /// A UDP address that is not an IP address and a port.
    #[error(
        "`{text}` is not a UDP address: expected `udp:IP:PORT`, such as `udp:127.0.0.1:9000` or `udp:[::1]:9000` (resolve names with std::net::ToSocketAddrs)"
    )]
    Udp {
        /// The text after `udp:`.
        text: String,
    },
}
