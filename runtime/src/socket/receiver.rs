//! The receiving half of an unconnected socket.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use super::Shared;
use crate::address::Address;
use crate::error::RecvError;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::Message;
use crate::peer::Peer;
use crate::sys::Name;
use crate::transport::{self, Beside};
use crate::wait::Wait;

/// The receiving half of a [`Socket`](crate::Socket), for messages of type `Rx`.
pub struct SocketReceiver<Rx> {
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    limits: Limits,
    message: PhantomData<fn() -> Rx>,
}

impl<Rx: Message> SocketReceiver<Rx> {
    pub(super) fn new(shared: Arc<Shared>, limits: Limits) -> Self {
        Self { shared, buffer: Vec::new(), limits, message: PhantomData }
    }

    pub(super) fn local_name(&self) -> io::Result<Name> {
        self.shared.fd.local_name()
    }

    /// Receives the next frame and the address that it came from, waiting as long as it takes.
    ///
    /// # Errors
    ///
    /// [`RecvError::TooLarge`] for a frame over the limit, and [`RecvError::Empty`] for an empty
    /// datagram, both of which are dropped; [`RecvError::BadMemory`] and [`RecvError::BadFragment`] for
    /// one that came as memory; [`RecvError::DescriptorsLost`], [`RecvError::Stolen`], [`RecvError::NoMemory`],
    /// [`RecvError::Io`]. After any of them the next frame can be received.
    #[inline]
    pub fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        receive_from(&self.shared, &mut self.buffer, self.limits, Wait::Block)
    }

    /// Receives the next frame if it is there.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from), and [`RecvError::WouldBlock`].
    #[inline]
    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        receive_from(&self.shared, &mut self.buffer, self.limits, Wait::Try)
    }

    /// Receives the next frame, waiting for it until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from), and [`RecvError::TimedOut`].
    #[inline]
    pub fn recv_from_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        receive_from(&self.shared, &mut self.buffer, self.limits, Wait::Until(deadline))
    }

    /// As [`recv_from`](Self::recv_from), into a buffer of the caller's, so that a frame can be kept
    /// while the next is received.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    #[inline]
    pub fn recv_from_into<'b>(
        &mut self,
        buffer: &'b mut Vec<u8>,
    ) -> Result<(Frame<'b, Rx>, Address), RecvError> {
        receive_from(&self.shared, buffer, self.limits, Wait::Block)
    }

    /// As [`try_recv_from`](Self::try_recv_from), into a buffer of the caller's.
    ///
    /// # Errors
    ///
    /// As [`try_recv_from`](Self::try_recv_from).
    #[inline]
    pub fn try_recv_from_into<'b>(
        &mut self,
        buffer: &'b mut Vec<u8>,
    ) -> Result<(Frame<'b, Rx>, Address), RecvError> {
        receive_from(&self.shared, buffer, self.limits, Wait::Try)
    }

    /// As [`recv_from_deadline`](Self::recv_from_deadline), into a buffer of the caller's.
    ///
    /// # Errors
    ///
    /// As [`recv_from_deadline`](Self::recv_from_deadline).
    #[inline]
    pub fn recv_from_into_deadline<'b>(
        &mut self,
        buffer: &'b mut Vec<u8>,
        deadline: Instant,
    ) -> Result<(Frame<'b, Rx>, Address), RecvError> {
        receive_from(&self.shared, buffer, self.limits, Wait::Until(deadline))
    }

    /// How many datagrams the kernel has dropped because the receive queue was full, since the
    /// socket was made (`SO_MEMINFO`; modulo 2³²). UDP senders learn nothing of it; UNIX datagrams
    /// are never dropped.
    ///
    /// # Errors
    ///
    /// Of the system call.
    pub fn drops(&self) -> io::Result<u32> {
        self.shared.fd.drops()
    }

    /// Changes what is received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }
}

#[inline]
fn receive_from<'b, Rx: Message>(
    Shared { fd, identify, .. }: &Shared,
    buffer: &'b mut Vec<u8>,
    limits: Limits,
    wait: Wait,
) -> Result<(Frame<'b, Rx>, Address), RecvError> {
    let all = Rx::DESCRIPTORS || *identify;
    let Beside { name, descriptors, sender } =
        transport::receive_from(fd, buffer, all, limits, wait)?;
    let frame = Frame::in_buffer(buffer, descriptors).sent_by(sender.map(Peer::from));
    Ok((frame, name.into()))
}

impl<Rx> AsFd for SocketReceiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.fd.as_fd()
    }
}

impl<Rx> fmt::Debug for SocketReceiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketReceiver")
            .field("fd", &self.as_fd())
            .field("capacity", &self.buffer.capacity())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
