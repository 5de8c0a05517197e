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
use crate::sys::DatagramFd;
use crate::transport::{Outgoing, Pending, send_connected};
use crate::wait::Wait;
use crate::wire::MAX_BUNDLE;

/// The sending half of a [`Connection`](crate::Connection), for messages of type `Tx`.
///
/// Each message is encoded into a buffer that the thread keeps, and sent as one datagram, whole or not at
/// all. One that is too large for a datagram goes in pieces, which the receiver puts together. Sending
/// only borrows the message, so after an error it can be sent again.
///
/// To send from several threads, share a sender behind a mutex, as any writer. Dropping a half tells the
/// peer nothing while the other half lives: [`shutdown`](Self::shutdown) does.
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

    /// Sends a message, waiting for room as long as it takes. Returns the frame's length in bytes.
    ///
    /// A peer that neither reads nor ends keeps this waiting. Where both sides may send without reading,
    /// use [`try_send`](Self::try_send) or [`send_deadline`](Self::send_deadline).
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`]; [`SendError::Disconnected`] when the peer is gone;
    /// [`SendError::NoDescriptors`], [`SendError::TooManyDescriptors`] and
    /// [`SendError::DescriptorsRefused`] for a message with descriptors; [`SendError::Io`].
    #[inline]
    pub fn send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.send_waiting(message, Wait::Block)
    }

    /// Sends a message if there is room now.
    ///
    /// Of a large frame, the first pieces may find room and the others not. Then the call has succeeded,
    /// and the sender keeps the rest: [`pending`](Self::pending) tells how much that is. The next call
    /// that sends goes on with it first, as does [`flush`](Self::flush), for example when a poller says
    /// that the socket is writable. So an event loop can send messages of any length.
    ///
    /// Over vsock, the kernel does not tell how much room there is: if there is some, the call waits for
    /// the rest of one datagram.
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
    /// As [`send`](Self::send), and [`SendError::WouldBlock`]: nothing of the message was sent, and
    /// nothing is kept.
    #[inline]
    pub fn try_send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.send_waiting(message, Wait::Try)
    }

    /// Sends a message, waiting for room until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`SendError::TimedOut`]: the message was not sent. If pieces of it
    /// were, the receiver drops them, with an error of its own; over vsock, the sending direction of the
    /// connection ends if a part of one datagram was sent.
    #[inline]
    pub fn send_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.send_waiting(message, Wait::Until(deadline))
    }

    /// Sends several messages in order, in as few datagrams as they need: small ones share a *bundle* of
    /// up to 64 KiB. Those over 16 KiB, and those with descriptors, go alone. Returns how many there were.
    ///
    /// The receiver gets each as a frame of its own, as if by [`send`](Self::send). For messages that are
    /// made one by one, see [`Batch`](crate::Batch).
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
    /// [`SendAllError`]: how many were sent, and why the next one was not, as [`send`](Self::send).
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

    /// Sends a frame that was encoded before, or received elsewhere. Returns its length in bytes.
    ///
    /// # Errors
    ///
    /// As the form of [`send`](Self::send) that waits in the same way.
    pub fn send_frame(&mut self, frame: &OwnedFrame<Tx>, wait: Wait) -> Result<usize, SendError> {
        frame.send(|outgoing| self.send_outgoing(outgoing, wait))
    }

    /// How many bytes are kept of a large frame that [`try_send`](Self::try_send) has begun to send.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.left())
    }

    /// Sends on with what is [`pending`](Self::pending). In a forked copy of the process, nothing is: the
    /// parent sends it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and with the length of the whole frame [`SendError::WouldBlock`] and
    /// [`SendError::TimedOut`]: the rest is kept. After other errors, it is dropped.
    pub fn flush(&mut self, wait: Wait) -> Result<(), SendError> {
        Pending::flush(&mut self.pending, &self.fd, wait)
    }

    /// Stops one direction of the connection, or both, for every holder of it: the other half, and
    /// processes with a copy of the descriptor. The peer receives what was sent, and then the end. Closing
    /// a descriptor does that only once the last copy of it is closed.
    ///
    /// # Errors
    ///
    /// Of the system call: `NotConnected` when the connection has ended.
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

    /// The sender, with what is pending, which this one loses.
    pub(crate) fn take(&mut self) -> Self {
        Self { fd: self.fd.clone(), pending: self.pending.take(), message: PhantomData }
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
