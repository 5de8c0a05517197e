//! The receiving half of a connection.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

use crate::error::RecvError;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::{Descriptors, Message};
use crate::owned_frame::OwnedFrame;
use crate::sys::DatagramFd;
use crate::transport::Inbox;
use crate::wait::Wait;

/// The receiving half of a [`Connection`](crate::Connection), for messages of type `Rx`.
///
/// A frame is lent from the receiver, in memory that is as large as it needs, whatever its length: see
/// [below](#how-frames-are-received). Nothing is allocated for it. To keep a frame, ask for an
/// [`OwnedFrame`].
///
/// The end is `None`: the peer closed or shut down its side, and every frame that it sent before has
/// been received. A peer that closes without having read all that it was sent is at its end too: only an
/// answer proves that a frame was read.
///
/// ```
/// use datagrammar::{Connection, Message, OwnedFrame, Receiver, RecvError, Wait};
///
/// #[derive(Message)]
/// enum Line<'a> {
///     #[message(tag = 1)]
///     Line(&'a str),
/// }
///
/// let (mut ours, theirs) = Connection::<Line<'static>, Line<'static>>::pair()?;
/// let mut receiver: Receiver<Line<'static>> = theirs.rx;
/// assert!(matches!(receiver.try_recv(), Err(RecvError::WouldBlock)));
/// ours.send(&Line::Line("first"))?;
/// ours.send(&Line::Line("second"))?;
///
/// let mut kept: OwnedFrame<Line<'static>> = receiver.recv_owned(Wait::Block)?.expect("a frame");
/// let Line::Line(second) = receiver.recv()?.expect("a frame").decode()?;
/// let Line::Line(first) = kept.decode()?;
/// assert_eq!((first, second), ("first", "second"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # How frames are received
///
/// A receiver that waits does so in a peek (`MSG_PEEK | MSG_TRUNC`), and holds no memory. Then one read
/// takes the datagram. What is already queued is taken by the read alone.
///
/// The read goes to a *lane*: address space as long as the longest datagram there is, of which only the
/// pages that are written become memory. So no frame is ever truncated, no maximum is set, and a frame
/// comes whole even if another process has taken the one that was peeked. Lanes are shared by the whole
/// process; a receiver holds none while it waits, or after `WouldBlock`.
///
/// - No frame is taken from the socket before it is asked for, except those that share a datagram (a
///   bundle, made by [`send_all`](crate::Sender::send_all)) with one that was. **With a poller**, call
///   [`try_recv`](Self::try_recv) until it returns [`WouldBlock`](RecvError::WouldBlock), as the poller
///   does not tell about the others.
/// - A large frame that comes in pieces is put together in memory that grows as they arrive. What has come
///   is kept between calls.
/// - With [`Options::eager`](crate::Options::eager), a receiver waits in the read itself: one system call
///   instead of two, and up to 16 KiB of memory meanwhile.
/// - A process that locks its memory (mlockall(2)) does so before it receives: a lane that exists is locked
///   whole.
pub struct Receiver<Rx> {
    fd: DatagramFd,
    inbox: Inbox,
    limits: Limits,
    message: PhantomData<fn() -> Rx>,
}

impl<Rx: Message> Receiver<Rx> {
    pub(crate) fn new(fd: DatagramFd, limits: Limits, eager: bool) -> Self {
        let inbox = Inbox::new(Rx::DESCRIPTORS, eager);
        Self { fd, inbox, limits, message: PhantomData }
    }

    /// Receives the next frame, waiting for it as long as it takes; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`RecvError::TooLarge`] for a frame over the limit, which is dropped; [`RecvError::Incomplete`] and
    /// [`RecvError::BadFragment`] for one in pieces; [`RecvError::BadBundle`];
    /// [`RecvError::DescriptorsLost`], [`RecvError::Empty`], [`RecvError::NoMemory`], [`RecvError::Io`].
    /// After all but the last, go on with the next frame ([`RecvError::is_fatal`]).
    #[inline]
    pub fn recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.receive(Wait::Block)
    }

    /// Receives the next frame if it is there. Never waits, not for the rest of a large frame either.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), [`RecvError::WouldBlock`], and [`RecvError::Unfinished`] where a frame
    /// comes in more than a thousand small pieces.
    #[inline]
    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.receive(Wait::Try)
    }

    /// Receives the next frame, waiting for it until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv), with [`RecvError::TimedOut`] for `WouldBlock`.
    #[inline]
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.receive(Wait::Until(deadline))
    }

    /// Receives the next frame in memory of its own, so that it can be kept while others are received.
    ///
    /// # Errors
    ///
    /// As the form of [`recv`](Self::recv) that waits in the same way.
    pub fn recv_owned(&mut self, wait: Wait) -> Result<Option<OwnedFrame<Rx>>, RecvError> {
        let Some(frame) = self.inbox.recv(&self.fd, self.limits, wait)? else { return Ok(None) };
        let descriptors = self.take_descriptors();
        let bytes = self.inbox.take_bytes(frame);
        Ok(Some(OwnedFrame::new(bytes, descriptors, None)))
    }

    /// Waits for the next frame and tells its length in bytes, without receiving it; `None` at the end. Of
    /// a frame in pieces, the first one tells it: that is its sender's word, and may be over the limit.
    ///
    /// ```
    /// use datagrammar::{Connection, Message, Wait};
    ///
    /// #[derive(Message)]
    /// enum Text<'a> {
    ///     #[message(tag = 1)]
    ///     Line(&'a str),
    /// }
    ///
    /// let (mut ours, mut theirs) = Connection::<Text<'static>, Text<'static>>::pair()?;
    /// ours.send(&Text::Line(&"x".repeat(1000)))?;
    /// assert_eq!(theirs.rx.peek_len(Wait::Block)?, Some(1004));
    /// assert_eq!(theirs.recv()?.expect("a frame").len(), 1004);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecvError::WouldBlock`], [`RecvError::TimedOut`], [`RecvError::Empty`], [`RecvError::Io`].
    pub fn peek_len(&mut self, wait: Wait) -> Result<Option<usize>, RecvError> {
        self.inbox.peek_len(&self.fd, self.limits, wait)
    }

    /// Changes what is received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Has datagrams received before anything that is still in the socket: those that
    /// [`Connection::into_fd`](crate::Connection::into_fd) returned, with an example there.
    pub fn restore(&mut self, unread: Vec<Vec<u8>>) {
        self.inbox.restore(unread);
    }

    /// Stops one direction of the connection, or both: see
    /// [`Sender::shutdown`](crate::Sender::shutdown).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.fd.shutdown(how)
    }

    /// The socket, and what was read from it and not received.
    pub(crate) fn into_parts(self) -> (DatagramFd, Vec<Vec<u8>>) {
        (self.fd, self.inbox.into_unread())
    }

    #[inline]
    fn receive(&mut self, wait: Wait) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let Some(frame) = self.inbox.recv(&self.fd, self.limits, wait)? else { return Ok(None) };
        let descriptors = self.take_descriptors();
        Ok(Some(Frame::new(self.inbox.bytes(frame), descriptors)))
    }

    #[inline]
    fn take_descriptors(&mut self) -> Descriptors {
        if Rx::DESCRIPTORS { self.inbox.take_descriptors() } else { Descriptors::default() }
    }
}

/// For pollers: see [how frames are received](#how-frames-are-received).
impl<Rx> AsFd for Receiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl<Rx> AsRawFd for Receiver<Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<Rx> fmt::Debug for Receiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("fd", &self.fd.as_fd())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
