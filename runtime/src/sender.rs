//! The sending half of a connection.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

use crate::error::{SendAllError, SendError};
use crate::message::Message;
use crate::outbox;
use crate::owned_frame::OwnedFrame;
use crate::peer::Peer;
use crate::sys::DatagramFd;
use crate::transport::{Outgoing, Pending, send_connected};
use crate::wait::Wait;
use crate::wire::MAX_BUNDLE;

/// The sending half of a [`Connection`](crate::Connection), for messages of type `Tx`.
///
/// Each message is encoded into a buffer of the calling thread, and sent as one datagram, whole or not at
/// all. A message that is too large for a datagram travels in pieces, which the receiver reassembles.
/// Sending borrows the message, so it can be sent again after an error.
///
/// To send from several threads, share a sender behind a mutex. Dropping one half does not end the
/// connection while the other half exists: call [`shutdown`](Self::shutdown).
///
/// ```
/// use std::sync::Mutex;
/// use std::thread;
///
/// use datagrammar::{Connection, Message, Sender};
///
/// #[derive(Message)]
/// enum Note {
///     #[message(tag = 1)]
///     Number(u64),
/// }
///
/// let (ours, mut theirs) = Connection::<Note, Note>::pair()?;
/// let sender: Mutex<Sender<Note>> = Mutex::new(ours.tx);
/// thread::scope(|scope| {
///     for number in 1..=2 {
///         let sender = &sender;
///         scope.spawn(move || sender.lock().unwrap().send(&Note::Number(number)));
///     }
/// });
/// sender.lock().unwrap().shutdown(std::net::Shutdown::Write)?;
///
/// let mut sum = 0;
/// while let Some(frame) = theirs.recv()? {
///     let Note::Number(number) = frame.decode()?;
///     sum += number;
/// }
/// assert_eq!(sum, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sender<Tx> {
    fd: DatagramFd,
    pending: Option<Box<Pending>>,
    message: PhantomData<fn(Tx)>,
}

impl<Tx: Message> Sender<Tx> {
    pub(crate) fn new(fd: DatagramFd) -> Self {
        Self { fd, pending: None, message: PhantomData }
    }

    /// Sends a message, and waits for room as long as necessary. Returns the frame's length in bytes.
    ///
    /// This waits forever for a peer that neither reads nor closes. If both sides may send without reading,
    /// use [`try_send`](Self::try_send) or [`send_deadline`](Self::send_deadline).
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`]; [`SendError::Disconnected`] if the peer is gone;
    /// [`SendError::NoDescriptors`], [`SendError::TooManyDescriptors`] and
    /// [`SendError::DescriptorsRefused`] for a message with descriptors; [`SendError::Io`].
    #[inline]
    pub fn send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.send_waiting(message, Wait::Block)
    }

    /// Sends a message if there is room now.
    ///
    /// If there is room for only the first pieces of a large frame, the call succeeds, and the sender keeps
    /// the rest. [`pending`](Self::pending) returns the length of that rest. The next send sends the rest first.
    /// So does [`flush`](Self::flush): call it when a poller reports that the socket is writable. Thus an event
    /// loop can send messages of any length.
    ///
    /// Over vsock, the kernel does not report how much room there is. If there is any, the call waits until
    /// the whole datagram is sent.
    ///
    /// ```
    /// use datagrammar::{Connection, Message, Wait};
    ///
    /// #[derive(Message)]
    /// enum Picture<'a> {
    ///     #[message(tag = 1)]
    ///     Pixels(#[message(rest)] &'a [u8]),
    /// }
    ///
    /// let (mut ours, mut theirs) = Connection::<Picture<'static>, Picture<'static>>::pair()?;
    /// ours.tx.try_send(&Picture::Pixels(&[7; 5_000_000]))?;
    /// assert!(ours.tx.pending() > 0);
    /// let receiving = std::thread::spawn(move || theirs.recv().map(|frame| frame.unwrap().len()));
    /// while ours.tx.pending() > 0 {
    ///     // An event loop polls here, with others, until the socket is writable.
    ///     ours.tx.flush(Wait::Block)?;
    /// }
    /// assert_eq!(receiving.join().unwrap()?, 5_000_001);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and [`SendError::WouldBlock`]: nothing of the message was sent or
    /// kept.
    #[inline]
    pub fn try_send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.send_waiting(message, Wait::Try)
    }

    /// Sends a message, and waits for room until `deadline`.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and [`SendError::TimedOut`]: the message was not sent. If some pieces
    /// were, the receiver drops them and gets [`RecvError::Incomplete`](crate::RecvError::Incomplete). Over
    /// vsock, if a datagram was sent in part, the sending direction of the connection is shut down.
    #[inline]
    pub fn send_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.send_waiting(message, Wait::Until(deadline))
    }

    /// Sends several messages in order, in few datagrams: small messages share a *bundle* of up to 64 KiB.
    /// A message over 16 KiB or with descriptors gets its own datagram. Returns the number of messages sent.
    ///
    /// The receiver gets each message as a separate frame, as after [`send`](Self::send). `messages` borrows
    /// each message. For messages that are made one by one, use a [`Batch`](crate::Batch).
    ///
    /// ```
    /// use datagrammar::{Connection, Message, Wait};
    ///
    /// #[derive(Message)]
    /// enum Line<'a> {
    ///     #[message(tag = 1)]
    ///     Line(&'a str),
    /// }
    ///
    /// let (mut ours, mut theirs) = Connection::<Line<'static>, Line<'static>>::pair()?;
    /// let lines: Vec<Line<'_>> = "one\ntwo\nthree".lines().map(Line::Line).collect();
    /// assert_eq!(ours.tx.send_all(&lines, Wait::Block)?, 3);
    /// for expected in ["one", "two", "three"] {
    ///     let Line::Line(line) = theirs.recv()?.expect("a frame").decode()?;
    ///     assert_eq!(line, expected);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendAllError`]: how many messages were sent, and why the next one was not. The reason is an error of
    /// [`send`](Self::send), [`try_send`](Self::try_send) or [`send_deadline`](Self::send_deadline), as
    /// `wait` says.
    pub fn send_all<'m, 'b>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Tx::Borrowed<'b>>,
        wait: Wait,
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        outbox::send_all(messages, MAX_BUNDLE, |outgoing, _| self.send_outgoing(outgoing, wait))
    }

    /// Sends the first of `messages` in one datagram, if there is room now. Returns how many it sent.
    #[cfg(feature = "tokio")]
    pub(crate) fn try_send_first<'m, 'b>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Tx::Borrowed<'b>>,
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        let send = |outgoing: Outgoing<'_>, _| self.send_outgoing(outgoing, Wait::Try);
        outbox::send_first(messages, MAX_BUNDLE, send)
    }

    /// Sends an already encoded or received frame. Returns its length in bytes.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), [`try_send`](Self::try_send) or
    /// [`send_deadline`](Self::send_deadline), as `wait` says; [`SendError::DescriptorsTaken`] if the frame
    /// was decoded and had descriptors.
    pub fn send_frame(&mut self, frame: &OwnedFrame<Tx>, wait: Wait) -> Result<usize, SendError> {
        frame.send(|outgoing| self.send_outgoing(outgoing, wait))
    }

    /// Returns how many bytes of a large frame that [`try_send`](Self::try_send) has begun are still unsent.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.left())
    }

    /// Sends the [`pending`](Self::pending) rest of a large frame. In a forked copy of the process nothing
    /// is pending: the parent sends the rest.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and [`SendError::WouldBlock`] and [`SendError::TimedOut`] with the
    /// length of the whole frame. After these two the rest is still pending; after any other error it is
    /// dropped.
    pub fn flush(&mut self, wait: Wait) -> Result<(), SendError> {
        Pending::flush(&mut self.pending, &self.fd, wait)
    }

    /// Shuts down one or both directions of the connection for every holder: the other half, and other
    /// processes with a copy of the descriptor. The peer receives what was sent, and then the end. Dropping
    /// an endpoint ends the connection only when the last copy of the descriptor is closed.
    ///
    /// With [`Shutdown::Read`], the peer can send no more, and a `recv` that waits in another thread ends: the receiver
    /// returns the frames that the kernel holds, and then `None`. See [`guide::stopping`](crate::guide::stopping).
    ///
    /// # Errors
    ///
    /// The errors of shutdown(2), such as `NotConnected` if the connection has ended.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.fd.shutdown(how)
    }

    #[inline]
    fn send_waiting(&mut self, message: &Tx::Borrowed<'_>, wait: Wait) -> Result<usize, SendError> {
        outbox::send(message, |outgoing| self.send_outgoing(outgoing, wait))
    }

    #[inline]
    pub(crate) fn send_outgoing(
        &mut self,
        outgoing: Outgoing<'_>,
        wait: Wait,
    ) -> Result<(), SendError> {
        send_connected(&self.fd, &mut self.pending, outgoing, wait)
    }

    /// Returns the same sender for another message type.
    pub(crate) fn cast<M>(self) -> Sender<M> {
        Sender { fd: self.fd, pending: self.pending, message: PhantomData }
    }

    /// Moves the sender and its pending frame out; `self` keeps only the descriptor.
    pub(crate) fn take(&mut self) -> Self {
        Self { fd: self.fd.clone(), pending: self.pending.take(), message: PhantomData }
    }

    /// Returns who is at the other end.
    pub(crate) fn peer(&self) -> io::Result<Peer> {
        self.fd.peer().map(Peer::from)
    }

    pub(crate) fn fd(&self) -> &DatagramFd {
        &self.fd
    }
}

impl<Tx> AsFd for Sender<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl<Tx> AsRawFd for Sender<Tx> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<Tx> fmt::Debug for Sender<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("fd", &self.fd.as_fd()).finish_non_exhaustive()
    }
}
