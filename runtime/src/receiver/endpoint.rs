//! The receiving half of a connection.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::Shutdown;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

use super::part::Part;
use crate::error::RecvError;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::{Descriptors, Message};
use crate::options::Options;
use crate::owned_frame::OwnedFrame;
use crate::sys::DatagramFd;
use crate::transport::Inbox;
use crate::wait::Wait;
use crate::wire::CallHead;

/// The receiving half of a [`Connection`](crate::Connection), for messages of type `Rx`.
///
/// The receiver lends each frame from its own memory, which fits a frame of any length: see
/// [below](#how-frames-are-received). To keep a frame, receive an [`OwnedFrame`].
///
/// `None` is the end: the peer closed or shut down its side, and every frame that it sent has been
/// received. The end does not mean that the peer has read all of your frames: only an answer proves that.
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
/// [`recv`](Self::recv) waits in a peek (`MSG_PEEK | MSG_TRUNC`), and [`recv_deadline`](Self::recv_deadline)
/// in ppoll(2). One read then takes the datagram. While frames are queued, a receiver begins with the read,
/// and needs one system call a frame.
///
/// The read writes to a *lane*: address space as long as the longest possible datagram. Only pages that
/// are written become memory. So no frame is truncated, no maximum is set, and a frame arrives whole even
/// if another process takes the peeked one first. Lanes are shared by the whole process. A receiver holds
/// none while it waits or after `WouldBlock`; it then keeps a buffer of at most 512 bytes, and the pieces of
/// an incomplete frame.
///
/// - A receiver reads one datagram at a time, and only when asked. A bundle from
///   [`send_all`](crate::Sender::send_all) is one datagram with many frames. A poller does not report frames
///   that are already read, so **with a poller**, call [`try_recv`](Self::try_recv) until it returns
///   [`WouldBlock`](RecvError::WouldBlock).
/// - A large frame that arrives in pieces is reassembled in memory that grows with the pieces. The pieces
///   are kept between calls. A [`Budget`](crate::Budget) bounds such frames over many connections.
/// - With [`Options::eager`](crate::Options::eager), a receiver waits in the read instead: usually one system
///   call, and up to 16 KiB of memory while it waits.
/// - A process that locks its memory should call mlockall(2) before it first receives. The call locks
///   existing lanes whole, more than 4 MiB each.
pub struct Receiver<Rx> {
    inbox: Inbox,
    message: PhantomData<fn() -> Rx>,
}

impl<Rx: Message> Receiver<Rx> {
    pub(crate) fn new(fd: DatagramFd, options: &Options) -> Self {
        Self { inbox: Inbox::new(fd, options, Rx::DESCRIPTORS), message: PhantomData }
    }

    /// Receives the next frame, and waits for it as long as necessary. Returns `None` at the end.
    ///
    /// # Errors
    ///
    /// [`RecvError::TooLarge`] for a frame over the limit, which is dropped; [`RecvError::OverBudget`],
    /// [`RecvError::Incomplete`] and [`RecvError::BadFragment`] for a frame in pieces;
    /// [`RecvError::BadBundle`];
    /// [`RecvError::DescriptorsLost`], [`RecvError::Empty`], [`RecvError::NoMemory`], [`RecvError::Io`].
    /// After all but `Io`, the receiver stays usable ([`RecvError::is_fatal`]).
    #[inline]
    pub fn recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let range = self.inbox.recv(Wait::Block)?;
        Ok(range.map(|range| self.frame(range)))
    }

    /// Receives the next frame if one is queued. Does not wait, even for the rest of a large frame.
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Self::recv); [`RecvError::WouldBlock`]; [`RecvError::Unfinished`] after 1,024 pieces
    /// of a frame that has more.
    #[inline]
    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let range = self.inbox.recv(Wait::Try)?;
        Ok(range.map(|range| self.frame(range)))
    }

    /// Receives the next frame, and waits for it until `deadline`.
    ///
    /// # Errors
    ///
    /// Those of [`try_recv`](Self::try_recv), with [`RecvError::TimedOut`] instead of `WouldBlock`.
    #[inline]
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let range = self.inbox.recv(Wait::Until(deadline))?;
        Ok(range.map(|range| self.frame(range)))
    }

    /// Receives the next frame as an [`OwnedFrame`], which can be kept while other frames are received.
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Self::recv), [`try_recv`](Self::try_recv) or
    /// [`recv_deadline`](Self::recv_deadline), as `wait` says.
    pub fn recv_owned(&mut self, wait: Wait) -> Result<Option<OwnedFrame<Rx>>, RecvError> {
        let Some(frame) = self.inbox.recv(wait)? else { return Ok(None) };
        let descriptors = self.take_descriptors();
        let bytes = self.inbox.take_bytes(frame);
        Ok(Some(OwnedFrame::new(bytes, descriptors, None)))
    }

    /// Returns the length of the next frame in bytes without receiving it, or `None` at the end. Waits for
    /// the frame as `wait` says. The length of a frame in pieces is what its sender claims, and may exceed
    /// the limit.
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
    /// [`RecvError::WouldBlock`], [`RecvError::TimedOut`], [`RecvError::Empty`], [`RecvError::BadFragment`],
    /// [`RecvError::NoMemory`], [`RecvError::Io`]; [`RecvError::Incomplete`], once, if the connection ends in a
    /// frame; [`RecvError::BadBundle`], until the next receive drops the bundle.
    pub fn peek_len(&mut self, wait: Wait) -> Result<Option<usize>, RecvError> {
        self.inbox.peek_len(wait)
    }

    /// Returns how many bytes of an incomplete large frame have arrived, 0 without such a frame. This distinguishes
    /// an idle peer from one that has stopped in the middle of a frame: see [`Budget`](crate::Budget).
    #[must_use]
    pub fn pending(&self) -> usize {
        self.inbox.pending()
    }

    /// Changes the limits for the frames received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inbox.limits = limits;
    }

    /// Makes the next receives return the datagrams in `unread`, before anything still in the socket. Pass the
    /// datagrams from [`Connection::into_fd`](crate::Connection::into_fd), which has an example.
    pub fn restore(&mut self, unread: Vec<Vec<u8>>) {
        self.inbox.restore(unread);
    }

    /// Shuts down one or both directions of the connection: see
    /// [`Sender::shutdown`](crate::Sender::shutdown).
    ///
    /// # Errors
    ///
    /// Those of [`Sender::shutdown`](crate::Sender::shutdown).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.fd().shutdown(how)
    }

    pub(crate) fn fd(&self) -> &DatagramFd {
        self.inbox.fd()
    }

    /// Returns the socket and the unread datagrams.
    pub(crate) fn into_parts(self) -> (DatagramFd, Vec<Vec<u8>>) {
        self.inbox.into_parts()
    }

    /// Receives the next frame, and returns its range for [`frame`](Self::frame), or `None` at the end.
    #[inline]
    pub(crate) fn receive_range(&mut self, wait: Wait) -> Result<Option<Range<usize>>, RecvError> {
        self.inbox.recv(wait)
    }

    /// Lends the last received frame.
    #[inline]
    pub(crate) fn frame(&mut self, range: Range<usize>) -> Frame<'_, Rx> {
        let descriptors = self.take_descriptors();
        Frame::new(self.inbox.bytes(range), descriptors)
    }

    /// Receives parts of calls like frames, from now on.
    pub(crate) fn accept_calls(&mut self) {
        self.inbox.accepts_calls = true;
    }

    /// Waits in the read from now on, instead of a peek.
    pub(crate) fn set_eager(&mut self) {
        self.inbox.eager = true;
    }

    /// Returns the head and the frame of the last received part of a call. `None` for an ordinary frame.
    #[inline]
    pub(crate) fn call_part(&self, range: Range<usize>) -> Option<(CallHead, &[u8])> {
        CallHead::split(self.inbox.bytes(range))
    }

    /// Takes the last received frame, or part of a call.
    #[inline]
    pub(crate) fn take_part(&mut self, range: Range<usize>) -> Part {
        let (head, len) = match self.call_part(range.clone()) {
            Some((head, frame)) => (Some(head), frame.len()),
            None => (None, range.len()),
        };
        let descriptors = self.take_descriptors();
        let (bytes, start) = self.inbox.take_part(range, len);
        Part::new(head, bytes, start, descriptors)
    }

    /// Takes the head of the part of a call that the last receive refused, if it is known.
    pub(crate) fn take_refused(&mut self) -> Option<CallHead> {
        self.inbox.refused.take().map(|head| *head)
    }

    /// Sets whether a runtime polls the receiver, and so calls again until it finds nothing.
    pub(crate) fn set_awaited(&mut self, is_awaited: bool) {
        self.inbox.is_awaited = is_awaited;
    }

    /// Returns whether the next receive may need no read, because something was read earlier.
    pub(crate) fn has_unread(&self) -> bool {
        self.inbox.has_unread()
    }

    #[inline]
    fn take_descriptors(&mut self) -> Descriptors {
        if Rx::DESCRIPTORS { self.inbox.take_descriptors() } else { Descriptors::default() }
    }
}

/// For pollers: see [how frames are received](#how-frames-are-received). Do not receive from the descriptor
/// or from a duplicate: frames already read would be missing.
impl<Rx> AsFd for Receiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inbox.fd().as_fd()
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
            .field("fd", &self.as_fd())
            .field("limits", &self.inbox.limits)
            .finish_non_exhaustive()
    }
}
