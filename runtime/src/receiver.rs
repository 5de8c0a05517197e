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
use crate::frames::Frames;
use crate::limits::Limits;
use crate::message::{Descriptors, Message};
use crate::sys::DatagramFd;
use crate::transport::Inbox;
use crate::wait::Wait;

/// The receiving half of a [`Connection`](crate::Connection), for messages of type `Rx`.
///
/// A frame is lent from the receiver, in memory that is as large as it needs, whatever its length: see
/// [below](#how-frames-are-received). Nothing is allocated for it.
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
///
/// # How frames are received
///
/// Each is received into a *lane*: address space as long as the longest datagram there is, under which there
/// is memory only as far as frames have filled it. So none is ever cut, none needs to be looked at first, and
/// no maximum is set. Lanes belong to a pool of the process. A receiver has some while frames are in them, and
/// none once [`try_recv`](Self::try_recv) or [`recv_deadline`](Self::recv_deadline) finds nothing; one that
/// waits in [`recv`](Self::recv) keeps what short frames have filled, at most 16 KiB, and anything more for 10 ms. (A
/// process that locks its memory, mlockall(2), does so before it receives: lanes that are there are locked whole.)
///
/// * Where one frame comes at a time, as in a conversation, it is received by one system call, which waits. (Long
///   ones take three, as none waits with their memory.)
/// * Where many are queued, one call takes up to 32 of them, or some 40 KiB. They are handed over one by one, or
///   together by [`recv_batch`](Self::recv_batch). **A poller does not tell of those that have been taken**:
///   receive until a `try_…` call answers [`WouldBlock`](RecvError::WouldBlock), and ask it then; whoever stops
///   earlier comes back before. Or set [`Limits::batch`] to 1: then one call for each time that a level-triggered
///   poller tells is enough.
/// * Dropping a receiver drops what it has taken. [`Connection::into_fd`](crate::Connection::into_fd) hands it out.
/// * Frames of a type that has `fd` fields are taken one at a time, as descriptors count while they are open.
/// * With [`Limits::batch`] set to 1, and for the `…_into` forms where nothing has been taken before, a peek waits
///   for the frame and tells its length before it is taken.
pub struct Receiver<Rx> {
    fd: Arc<DatagramFd>,
    inbox: Inbox,
    limits: Limits,
    message: PhantomData<fn() -> Rx>,
}

impl<Rx: Message> Receiver<Rx> {
    pub(crate) fn new(fd: Arc<DatagramFd>, limits: Limits) -> Self {
        let inbox = Inbox::new(&fd);
        Self { fd, inbox, limits, message: PhantomData }
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
        self.receive(Wait::Block)
    }

    /// Receives the next frame if it is there. Never waits, not for the rest of a large frame either.
    ///
    /// With a poller, call it until it answers [`WouldBlock`](RecvError::WouldBlock): frames that have been taken
    /// from the socket do not make it readable.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`RecvError::WouldBlock`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.receive(Wait::Try)
    }

    /// Receives the next frame, waiting for it until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`RecvError::TimedOut`].
    #[inline]
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        self.receive(Wait::Until(deadline))
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
        self.receive_into(buffer, Wait::Block)
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
        self.receive_into(buffer, Wait::Try)
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
        self.receive_into(buffer, Wait::Until(deadline))
    }

    /// Receives the frames that one call takes, waiting for one as long as it takes; `None` at the end. At least
    /// one and at most 32 ([`Limits::batch`]), fewer of long ones (some 40 KiB go by one call), and one after a
    /// time in which they came one by one: more may be queued. A batch ends before a frame that is over the limit,
    /// in pieces, or may have descriptors: such a one comes alone. Frames that are not taken from the batch stay,
    /// for the next call.
    ///
    /// ```
    /// use datagrammar::{Connection, Frames, Message};
    ///
    /// #[derive(Message)]
    /// enum Sample {
    ///     #[message(tag = 1)]
    ///     Load(f32),
    /// }
    ///
    /// let (mut ours, theirs) = Connection::<Sample, Sample>::pair()?;
    /// ours.send_all(&[Sample::Load(0.1), Sample::Load(0.2), Sample::Load(0.3)])?;
    /// let (_, mut receiver) = theirs.split();
    /// let mut left = 3;
    /// while left > 0 {
    ///     let frames: Frames<'_, Sample> = receiver.recv_batch()?.expect("no end yet");
    ///     left -= frames.len();
    ///     for frame in frames {
    ///         let Sample::Load(load) = frame.decode()?;
    ///         assert!(load > 0.0);
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_batch(&mut self) -> Result<Option<Frames<'_, Rx>>, RecvError> {
        self.receive_batch(Wait::Block)
    }

    /// Receives the frames that one call takes, if there are any: see [`recv_batch`](Self::recv_batch). With a
    /// poller, call it until it answers [`WouldBlock`](RecvError::WouldBlock).
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv).
    pub fn try_recv_batch(&mut self) -> Result<Option<Frames<'_, Rx>>, RecvError> {
        self.receive_batch(Wait::Try)
    }

    /// Receives the frames that one call takes, waiting for one until `deadline` at most: see
    /// [`recv_batch`](Self::recv_batch).
    ///
    /// # Errors
    ///
    /// As [`recv_deadline`](Self::recv_deadline).
    pub fn recv_batch_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<Option<Frames<'_, Rx>>, RecvError> {
        self.receive_batch(Wait::Until(deadline))
    }

    /// Waits for the next frame and tells its length in bytes, without taking it; `None` at the end. Of a
    /// frame in pieces, the first one tells it: that is its sender's word, and may be over the limit.
    ///
    /// # Errors
    ///
    /// [`RecvError::Io`].
    pub fn peek_len(&mut self, wait: Wait) -> Result<Option<usize>, RecvError> {
        self.inbox.peek_len(&self.fd, wait)
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

    /// Returns `datagrams`, read earlier, before anything still in the socket: what
    /// [`Connection::into_fd`](crate::Connection::into_fd) returned with the descriptor.
    pub fn restore(&mut self, datagrams: Vec<Vec<u8>>) {
        self.inbox.put_back(datagrams);
    }

    /// What has been taken from the socket, and not handed over.
    pub(crate) fn into_untaken(self) -> Vec<Vec<u8>> {
        self.inbox.into_untaken(&self.fd)
    }

    #[inline]
    fn receive(&mut self, wait: Wait) -> Result<Option<Frame<'_, Rx>>, RecvError> {
        let Self { fd, inbox, limits, .. } = self;
        let Some(place) = inbox.receive(fd, Rx::DESCRIPTORS, *limits, wait)? else {
            return Ok(None);
        };
        let descriptors = if Rx::DESCRIPTORS { inbox.beside() } else { Descriptors::default() };
        let (bytes, capacity) = inbox.at(place);
        Ok(Some(Frame::new(bytes, capacity, descriptors)))
    }

    #[inline]
    fn receive_into<'b>(
        &mut self,
        buffer: &'b mut Vec<u8>,
        wait: Wait,
    ) -> Result<Option<Frame<'b, Rx>>, RecvError> {
        let Self { fd, inbox, limits, .. } = self;
        let received = inbox.receive_into(fd, buffer, Rx::DESCRIPTORS, *limits, wait)?;
        Ok(received.map(|descriptors| Frame::in_buffer(buffer, descriptors)))
    }

    fn receive_batch(&mut self, wait: Wait) -> Result<Option<Frames<'_, Rx>>, RecvError> {
        let Self { fd, inbox, limits, .. } = self;
        let batch = inbox.receive_batch(fd, Rx::DESCRIPTORS, *limits, wait)?;
        Ok(batch.map(Frames::new))
    }
}

/// For polling: see [how frames are received](#how-frames-are-received). Do not receive from it, nor adopt a copy:
/// what has been taken is not there.
impl<Rx> AsFd for Receiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
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
