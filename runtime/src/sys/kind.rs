//! The kinds of socket that carry frames.

use super::options::Socket;

/// The kinds of socket that carry frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    UnixSeqpacket,
    VsockSeqpacket,
    UnixDatagram,
    Udp4,
    Udp6,
}

impl Kind {
    /// Returns the domain and the type for socket(2).
    pub(super) fn domain_and_type(self) -> (libc::c_int, libc::c_int) {
        match self {
            Self::UnixSeqpacket => (libc::AF_UNIX, libc::SOCK_SEQPACKET),
            Self::VsockSeqpacket => (libc::AF_VSOCK, libc::SOCK_SEQPACKET),
            Self::UnixDatagram => (libc::AF_UNIX, libc::SOCK_DGRAM),
            Self::Udp4 => (libc::AF_INET, libc::SOCK_DGRAM),
            Self::Udp6 => (libc::AF_INET6, libc::SOCK_DGRAM),
        }
    }

    pub(super) fn of(socket: Socket) -> Option<Self> {
        match (socket.domain, socket.kind, socket.protocol) {
            (libc::AF_UNIX, libc::SOCK_SEQPACKET, _) => Some(Self::UnixSeqpacket),
            (libc::AF_VSOCK, libc::SOCK_SEQPACKET, _) => Some(Self::VsockSeqpacket),
            (libc::AF_UNIX, libc::SOCK_DGRAM, _) => Some(Self::UnixDatagram),
            (libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_UDP) => Some(Self::Udp4),
            (libc::AF_INET6, libc::SOCK_DGRAM, libc::IPPROTO_UDP) => Some(Self::Udp6),
            _ => None,
        }
    }

    /// Returns whether sockets of this kind have a connection, with an end.
    pub(crate) fn is_connection(self) -> bool {
        matches!(self, Self::UnixSeqpacket | Self::VsockSeqpacket)
    }

    /// Describes the sockets, for errors.
    pub(crate) fn sockets(self) -> &'static str {
        match self {
            Self::UnixSeqpacket => "AF_UNIX SOCK_SEQPACKET sockets",
            Self::VsockSeqpacket => "AF_VSOCK SOCK_SEQPACKET sockets",
            Self::UnixDatagram => "AF_UNIX SOCK_DGRAM sockets",
            Self::Udp4 => "AF_INET SOCK_DGRAM sockets",
            Self::Udp6 => "AF_INET6 SOCK_DGRAM sockets",
        }
    }

    /// Returns the name of the family, for errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UnixSeqpacket | Self::UnixDatagram => "AF_UNIX",
            Self::VsockSeqpacket => "AF_VSOCK",
            Self::Udp4 | Self::Udp6 => "UDP",
        }
    }

    /// Returns whether sockets of this kind carry descriptors.
    pub(crate) fn is_unix(self) -> bool {
        matches!(self, Self::UnixSeqpacket | Self::UnixDatagram)
    }
}
