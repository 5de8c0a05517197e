//! Maps failed calls to an [`OpenError`].

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;

use super::path;
use crate::address::Address;
use crate::error::OpenError;
use crate::sys::{EPROTOTYPE, Kind, is_exhausted, is_unsupported};

/// The socket being opened, for error messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) address: &'a Address,
    pub(super) kind: Kind,
}

impl<'a> Target<'a> {
    /// Describes a socket that connects to `address`, or listens there.
    pub(super) fn connection(address: &'a Address) -> Result<Self, OpenError> {
        let kind = address.connection_kind();
        let kind = kind.ok_or_else(|| wrong_family(address, "a `unix:` or `vsock:` address"))?;
        Ok(Self { address, kind })
    }

    /// Describes a socket that sends and receives datagrams without a connection.
    pub(super) fn datagrams(address: &'a Address) -> Result<Self, OpenError> {
        let kind = address.datagram_kind();
        let kind = kind.ok_or_else(|| wrong_family(address, "a `unix:` or `udp:` address"))?;
        Ok(Self { address, kind })
    }

    /// Fails if the identity of the peer is `needed`, and the kernel does not identify peers over this family.
    pub(super) fn check_identity(self, needed: bool) -> Result<(), OpenError> {
        match needed && !self.kind.is_unix() {
            true => Err(not_identified(self.address)),
            false => Ok(()),
        }
    }

    pub(super) fn in_use(self) -> OpenError {
        OpenError::InUse { address: self.address.to_string() }
    }

    /// Maps an error of `action`.
    pub(super) fn failed(self, action: &str) -> impl FnOnce(io::Error) -> OpenError {
        move |source| self.map_error(action, source)
    }

    #[cold]
    fn map_error(self, action: &str, source: io::Error) -> OpenError {
        let Self { address, kind } = self;
        match source.kind() {
            ErrorKind::AddrInUse => self.in_use(),
            ErrorKind::AddrNotAvailable => OpenError::NotHere { address: address.to_string() },
            _ if is_unsupported(&source) => {
                OpenError::Unsupported { what: kind.sockets(), detail: source.to_string() }
            }
            _ if is_exhausted(&source) => OpenError::Exhausted(source),
            _ => OpenError::Io { action: format!("{action} {address}"), source },
        }
    }

    /// Maps an error of connecting.
    #[cold]
    pub(super) fn not_connected(self, source: io::Error) -> OpenError {
        let address = self.address;
        let refused = || OpenError::Refused { address: address.to_string() };
        match (source.kind(), source.raw_os_error()) {
            (_, Some(EPROTOTYPE)) => {
                wrong_family(address, "a SOCK_SEQPACKET socket there, such as a `Listener`'s")
            }
            // The kernel reports a file that is not a socket like a dead socket.
            (ErrorKind::ConnectionRefused, _) => not_a_socket(address).unwrap_or_else(refused),
            // Over vsock, a reset means that there is no listener.
            (ErrorKind::NotFound | ErrorKind::ConnectionReset, _) => refused(),
            (ErrorKind::PermissionDenied, _) if address.as_pathname().is_some() => OpenError::Io {
                action: format!(
                    "connecting to {address}, which needs write permission on the path (see the server's Options::mode),"
                ),
                source,
            },
            _ => self.map_error("connecting to", source),
        }
    }
}

fn not_a_socket(address: &Address) -> Option<OpenError> {
    let path = address.as_pathname()?;
    let found = fs::metadata(path).ok().filter(|found| !found.file_type().is_socket())?;
    Some(OpenError::NotASocket { path: path.into(), found: path::describe(&found) })
}

#[cold]
pub(super) fn wrong_family(address: &Address, expected: &'static str) -> OpenError {
    OpenError::WrongFamily { address: address.to_string(), expected }
}

/// The error if a peer must be identified, and the kernel does not identify it.
#[cold]
pub(super) fn not_identified(address: &Address) -> OpenError {
    wrong_family(address, "a `unix:` address, because the peer must be identified")
}

/// Maps an error of `action` without an address.
pub(super) fn failed(action: &str) -> impl FnOnce(io::Error) -> OpenError {
    move |source| match is_exhausted(&source) {
        true => OpenError::Exhausted(source),
        false => OpenError::Io { action: action.into(), source },
    }
}
