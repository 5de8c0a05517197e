//! The descriptor of a socket: takes it over, and lends it.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::endpoint::Socket;
use crate::error::OpenError;
use crate::message::Message;
use crate::options::Options;
use crate::transport;

impl<Tx: Message, Rx: Message> Socket<Tx, Rx> {
    /// Takes over a descriptor that is an unconnected UNIX datagram or UDP socket. Checks what it is, and
    /// resets its peek offset (`SO_PEEK_OFF`), which another holder may have set.
    ///
    /// Refuses a connected socket. When the peer of one closes, the kernel discards its receive queue (UNIX),
    /// or fails every other send (UDP).
    ///
    /// # Errors
    ///
    /// [`OpenError::WrongDescriptor`], which says what the descriptor is; [`OpenError::Exhausted`];
    /// [`OpenError::Io`].
    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::adopt_with(fd, &Options::new())
    }

    /// Takes over a descriptor, with options: `limits`, `identify_senders`, `recv_buffer`, `send_buffer`,
    /// `eager`. A UNIX socket with `SO_PASSCRED` already set identifies its senders without the option.
    ///
    /// # Errors
    ///
    /// Those of [`adopt`](Self::adopt), and `WrongFamily` for `identify_senders` over UDP.
    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        Ok(Self::new(transport::adopt_datagram(fd, options)?, None, options))
    }
}

impl<Tx, Rx> AsFd for Socket<Tx, Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.rx.as_fd()
    }
}

impl<Tx, Rx> AsRawFd for Socket<Tx, Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
