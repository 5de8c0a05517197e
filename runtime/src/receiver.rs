//! The receiving half of a connection.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use crate::error::RecvError;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::Message;
use crate::socket::{self, Assembly, Wait};
use crate::sys::DatagramFd;

/// The receiving half of a [`Connection`](crate::Connection), for messages of type `Rx`.
///
/// A receive of a frame of one datagram is two system calls: a peek, which waits for a frame and tells its length, and the
/// receive that takes it. The frame is lent from a buffer that is reused and grows to the longest
/// frame met, so once it has grown nothing is allocated.
///
/// The end is `None`: the peer closed or shut down its side, and every frame that it sent before has
/// been received. A peer that closes without having read all that it was sent is at its end too: only
/// an answer proves that a frame was read.
///
/// ```
/// use datagrammar::{Connection, Message, Receiver, RecvError};
///
/// #[derive(Message)]
/// enum Line<'a> {
///     #[message(tag = 1)]
///     Line(&'a str),
/// }
///
/// let (mut ours, theirs) = Connection::<Line<'static>, Line<'static>>::pair()?;
/// let mut receiver: Receiver<Line<'static>> = theirs.split().1;
/// assert!(matches!(receiver.try_recv(), Err(RecvError::WouldBlock)));
/// ours.send(&Line::Line("first"))?;
/// ours.send(&Line::Line("second"))?;
///
/// // Each in a buffer of its own, so that both can be borrowed from at once.
/// let (mut one, mut other) = (Vec::new(), Vec::new());
/// let Line::Line(first) = receiver.recv_into(&mut one)?.expect("a frame").decode()?;
/// let Line::Line(second) = receiver.recv_into(&mut other)?.expect("a frame").decode()?;
/// assert_eq!((first, second), ("first", "second"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Receiver<Rx> {
    fd: Arc<DatagramFd>,
    buffer: Vec<u8>,
    assembly: Assembly,
    limits: Limits,
    message: PhantomData<fn() -> Rx>,
}

impl<Rx: Message> Receiver<Rx> {
    pub(crate) fn new(fd: Arc<DatagramFd>, limits: Limits) -> Self {
        let (buffer, assembly) = (Vec::new(), Assembly::default());
        Self { fd, buffer, assembly, limits, message: PhantomData }
    }

    /// Receives the next frame, waiting for it as long as it takes; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`RecvError::TooLarge`] for a frame over the limit, which is dropped;
    /// [`RecvError::Incomplete`] and [`RecvError::BadFragment`] for one in pieces;
    /// [`RecvError::DescriptorsLost`], [`RecvError::Stolen`], [`RecvError::NoMemory`], [`RecvError::Io`]. After any of them the next
    /// frame can be received, but that after `NoMemory` it may be the same one.
    #[inline]
    pub fn recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        receive(&self.fd, &mut self.assembly, &mut self.buffer, self.limits, Wait::Block)
    }

    /// Receives the next frame if it is there.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`RecvError::WouldBlock`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        receive(&self.fd, &mut self.assembly, &mut self.buffer, self.limits, Wait::Try)
    }

    /// Receives the next frame, waiting for it until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`RecvError::TimedOut`].
    #[inline]
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        receive(&self.fd, &mut self.assembly, &mut self.buffer, self.limits, Wait::Until(deadline))
    }

    /// As [`recv`](Self::recv), into a buffer of the caller's, so that a frame can be kept while the
    /// next is received. The buffer's contents are replaced, and it grows as far as the frame needs.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    #[inline]
    pub fn recv_into<'b>(
        &mut self,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<Frame<'b, Rx>>, RecvError> {
        receive(&self.fd, &mut self.assembly, buffer, self.limits, Wait::Block)
    }

    /// As [`try_recv`](Self::try_recv), into a buffer of the caller's.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv).
    #[inline]
    pub fn try_recv_into<'b>(
        &mut self,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<Frame<'b, Rx>>, RecvError> {
        receive(&self.fd, &mut self.assembly, buffer, self.limits, Wait::Try)
    }

    /// As [`recv_deadline`](Self::recv_deadline), into a buffer of the caller's.
    ///
    /// # Errors
    ///
    /// As [`recv_deadline`](Self::recv_deadline).
    #[inline]
    pub fn recv_into_deadline<'b>(
        &mut self,
        buffer: &'b mut Vec<u8>,
        deadline: Instant,
    ) -> Result<Option<Frame<'b, Rx>>, RecvError> {
        receive(&self.fd, &mut self.assembly, buffer, self.limits, Wait::Until(deadline))
    }

    /// Waits for the next frame and tells its length in bytes, without taking it; `None` at the end. Of a
    /// frame in pieces, the first one tells it: that is its sender's word, and may be over the limit.
    ///
    /// # Errors
    ///
    /// [`RecvError::Io`].
    pub fn peek_len(&mut self) -> Result<Option<usize>, RecvError> {
        let peeked = socket::peek(&self.fd, Wait::Block)?;
        Ok(Some(peeked)
            .filter(|peeked| peeked.len > 0)
            .map(|peeked| self.assembly.frame_len(&peeked)))
    }

    /// Changes what is received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Stops one direction of the connection, or both: as
    /// [`Sender::shutdown`](crate::Sender::shutdown).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.fd.shutdown(how)
    }
}

#[inline]
fn receive<'b, Rx: Message>(
    fd: &DatagramFd,
    assembly: &mut Assembly,
    buffer: &'b mut Vec<u8>,
    limits: Limits,
    wait: Wait,
) -> Result<Option<Frame<'b, Rx>>, RecvError> {
    let received = socket::receive(fd, assembly, buffer, Rx::DESCRIPTORS, limits, wait)?;
    Ok(received.map(|descriptors| Frame::new(buffer, descriptors)))
}

impl<Rx> AsFd for Receiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl<Rx> fmt::Debug for Receiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("fd", &self.fd.as_fd())
            .field("capacity", &self.buffer.capacity())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
