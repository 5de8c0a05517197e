//! Sends one datagram, and maps the kernel's errors.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd as _, BorrowedFd};

use super::vsock::send_whole;
use crate::address::Address;
use crate::backoff::Backoff;
use crate::error::SendError;
use crate::sys::{
    self, DatagramFd, EMSGSIZE, EPERM, EPROTOTYPE, ETOOMANYREFS, Kind, MAX_DESCRIPTORS, Name,
    Readiness, is_exhausted,
};
use crate::transport::wait::{MAX_PAUSE, NotReady};
use crate::wait::Wait;

/// The number of retries while the kernel has no memory for a datagram.
const MAX_RETRIES: u32 = 100;

/// A frame to send, and its descriptors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'o> {
    /// The frame's bytes, in slices.
    pub(crate) slices: &'o [IoSlice<'o>],
    pub(crate) descriptors: &'o [BorrowedFd<'o>],
    /// The length of the whole frame, for errors. The slices may be a piece of it, or its envelope.
    pub(crate) len: usize,
}

/// Where a frame goes, and how long its sender may wait for room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route<'r> {
    pub(crate) fd: &'r DatagramFd,
    /// `None` for the connected peer.
    pub(crate) to: Option<&'r Name>,
    pub(crate) wait: Wait,
}

impl Route<'_> {
    /// Sends a datagram.
    #[inline]
    pub(super) fn send(self, outgoing: Outgoing<'_>) -> Result<(), SendError> {
        let Self { fd, to, wait } = self;
        if !outgoing.descriptors.is_empty() {
            check_descriptors(fd.kind(), outgoing.descriptors.len())?;
        }
        if fd.kind() == Kind::VsockSeqpacket {
            return send_whole(fd, outgoing.slices, wait).map_err(|reason| match reason {
                NotReady::Io(error) => self.map_error(outgoing, error),
                reason => not_ready(reason, outgoing.len),
            });
        }
        match sys::send(fd, outgoing.slices, outgoing.descriptors, to, wait == Wait::Block) {
            Ok(()) => Ok(()),
            Err(error) if is_full(&error) => self.send_when_writable(outgoing),
            Err(error) => Err(self.map_error(outgoing, error)),
        }
    }

    /// Sends a datagram like [`send`](Self::send), and retries for a while if the kernel has no memory.
    pub(crate) fn send_with_retries(self, outgoing: Outgoing<'_>) -> Result<(), SendError> {
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        for _ in 0..MAX_RETRIES {
            match self.send(outgoing) {
                Err(SendError::Io { source, .. }) if is_exhausted(&source) => {}
                result => return result,
            }
            self.wait.pause(&mut backoff).map_err(|reason| not_ready(reason, outgoing.len))?;
        }
        self.send(outgoing)
    }

    /// Retries until there is room.
    ///
    /// The caller has tried before this polls, because a socket polls as writable only when most of its queue is
    /// free. A UNIX socket also polls as writable while its *receiver's* queue is full, or while too many
    /// descriptors are in flight. So after a useless poll, this pauses.
    #[cold]
    fn send_when_writable(self, outgoing: Outgoing<'_>) -> Result<(), SendError> {
        let Self { fd, to, wait } = self;
        let not_ready = |reason| not_ready(reason, outgoing.len);
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        loop {
            wait.ready(fd.as_fd(), Readiness::Writable).map_err(not_ready)?;
            match sys::send(fd, outgoing.slices, outgoing.descriptors, to, false) {
                Ok(()) => return Ok(()),
                Err(error) if is_full(&error) => wait.pause(&mut backoff).map_err(not_ready)?,
                Err(error) => return Err(self.map_error(outgoing, error)),
            }
        }
    }

    #[cold]
    fn map_error(self, outgoing: Outgoing<'_>, source: io::Error) -> SendError {
        let Self { fd, to, .. } = self;
        let Outgoing { len, descriptors, .. } = outgoing;
        match (source.kind(), source.raw_os_error()) {
            // The receiver has shut down, unless this socket was. Other destinations may be reached.
            (ErrorKind::BrokenPipe, _) if to.is_some() && !sys::has_hung_up(fd.as_fd()) => {
                SendError::Refused
            }
            (ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected, _) => {
                SendError::Disconnected
            }
            (ErrorKind::ConnectionRefused, _) if to.is_none() => SendError::Disconnected,
            (ErrorKind::ConnectionRefused | ErrorKind::NotFound, _) => SendError::Refused,
            (ErrorKind::InvalidInput, _) if to == Some(&Name::UNNAMED) => SendError::NoAddress,
            (_, errno) if let Some(error) = wrong_family(fd.kind(), to, errno) => error,
            (_, Some(EMSGSIZE)) => SendError::TooLarge { len, max: fd.max_send_len() },
            (_, Some(EPERM)) if !descriptors.is_empty() => {
                SendError::DescriptorsRefused { count: descriptors.len() }
            }
            _ => SendError::Io { len, source },
        }
    }
}

/// Returns whether a frame was refused for its length, so a shorter datagram may succeed.
pub(super) fn is_too_long(error: &SendError) -> bool {
    match error {
        SendError::TooLarge { .. } => true,
        SendError::Io { source, .. } => is_exhausted(source),
        _ => false,
    }
}

/// Returns the error for a frame of `len` bytes without room.
fn not_ready(reason: NotReady, len: usize) -> SendError {
    match reason {
        NotReady::WouldBlock => SendError::WouldBlock { len },
        NotReady::TimedOut => SendError::TimedOut { len },
        NotReady::Io(source) => SendError::Io { len, source },
    }
}

/// Returns whether there will be room after the peer has received a datagram.
fn is_full(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(ETOOMANYREFS)
}

/// Checks that a socket of this kind can send a frame with `count` descriptors, which is not 0.
#[cold]
pub(crate) fn check_descriptors(kind: Kind, count: usize) -> Result<(), SendError> {
    match kind.is_unix() {
        false => Err(SendError::NoDescriptors { count, family: kind.name() }),
        true if count > MAX_DESCRIPTORS => {
            Err(SendError::TooManyDescriptors { count, max: MAX_DESCRIPTORS })
        }
        true => Ok(()),
    }
}

/// Returns the error for a destination of another family than the socket, or a socket there of another type.
#[cold]
fn wrong_family(kind: Kind, to: Option<&Name>, errno: Option<i32>) -> Option<SendError> {
    let address = Address::from(*to?);
    let is_other_kind = match (kind, address.datagram_kind()) {
        // An IPv6 socket may reach IPv4 addresses (ipv6(7)).
        (Kind::Udp6, Some(Kind::Udp4)) => false,
        (kind, found) => found != Some(kind),
    };
    let expected = match kind {
        _ if !is_other_kind && errno != Some(EPROTOTYPE) => return None,
        Kind::UnixDatagram if is_other_kind => "a `unix:` address",
        Kind::Udp4 => "a `udp:` address of IPv4",
        Kind::Udp6 => "a `udp:` address",
        _ => "a SOCK_DGRAM socket there, such as a `Socket`",
    };
    Some(SendError::WrongFamily { address: address.to_string().into(), expected })
}
