//! The sending half of a connection.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use crate::error::{SendAllError, SendError};
use crate::message::Message;
use crate::outbox;
use crate::peer::Peer;
use crate::sys::DatagramFd;
use crate::transport::{self, Parcel, Stopped, Turns, transmit_connected, transmit_together};
use crate::wait::Wait;

/// The sending half of a [`Connection`](crate::Connection), for messages of type `Tx`.
///
/// Each message is encoded into a buffer that the thread keeps, and sent as one datagram, whole or
/// not at all. One that is too large for a datagram goes in pieces, which the receiver puts together.
/// Sending only borrows the message, so after an error it can be sent again.
///
/// A clone sends on the same connection, from another thread too; while a frame
/// goes in pieces, clones wait for their turn. (Other copies of the descriptor know of no turns: those of
/// other processes, and those that were adopted.) Dropping a half does not tell the peer anything while the other half lives: [`shutdown`](Self::shutdown)
/// does.
///
/// ```
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
/// let (mut first, _receiver): (Sender<Note>, _) = ours.split();
/// let mut second = first.clone();
/// let sending = thread::spawn(move || second.send(&Note::Number(2)).map(|_len| second));
/// first.send(&Note::Number(1))?;
/// let second = sending.join().expect("no panic")?;
/// second.shutdown(std::net::Shutdown::Write)?;
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
    fd: Arc<DatagramFd>,
    /// Shared with its clones.
    turns: Turns,
    message: PhantomData<fn(Tx)>,
}

impl<Tx: Message> Sender<Tx> {
    pub(crate) fn new(fd: Arc<DatagramFd>, turns: Turns) -> Self {
        Self { fd, turns, message: PhantomData }
    }

    /// Sends a message, waiting for room as long as it takes. Returns the frame's length in bytes.
    ///
    /// A peer that neither reads nor ends keeps this waiting: where both sides may send without
    /// reading, use [`try_send`](Self::try_send) or [`send_deadline`](Self::send_deadline).
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

    /// Sends a message if there is room now. After [`SendError::WouldBlock`], a poller tells of room once most of the
    /// queue is free. Over vsock, where the kernel does not tell how much room there
    /// is: if there is some, and then it waits for the rest.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), [`SendError::WouldBlock`], and [`SendError::TooLarge`] for a frame that
    /// would have to go in pieces: half of one could not be taken back.
    #[inline]
    pub fn try_send(&mut self, message: &Tx::Borrowed<'_>) -> Result<usize, SendError> {
        self.send_waiting(message, Wait::Try)
    }

    /// Sends a message, waiting for room until `deadline` at most. Over vsock, a frame that a part of has
    /// been sent by then cannot be taken back: the connection's sending direction ends, and the peer
    /// receives all frames before it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`SendError::TimedOut`]. Of a frame in pieces some may have been sent
    /// by then: the receiver drops them, with an error of its own.
    #[inline]
    pub fn send_deadline(
        &mut self,
        message: &Tx::Borrowed<'_>,
        deadline: Instant,
    ) -> Result<usize, SendError> {
        self.send_waiting(message, Wait::Until(deadline))
    }

    /// Sends several messages in order, waiting for room as long as it takes, by as few system calls as it
    /// takes: over UNIX one for up to 32, or 64 KiB of what is copied. For messages that are made one by one, see
    /// [`Queue`](crate::Queue). Each is a frame of its own, as if by [`send`](Self::send), and its large byte
    /// fields are sent from where they lie. Returns how many there were.
    ///
    /// ```
    /// use datagrammar::{Connection, Message};
    ///
    /// #[derive(Message)]
    /// enum Line<'a> {
    ///     #[message(tag = 1)]
    ///     Line(&'a str),
    /// }
    ///
    /// let (mut ours, mut theirs) = Connection::<Line<'static>, Line<'static>>::pair()?;
    /// let lines: Vec<Line<'_>> = "one\ntwo\nthree".lines().map(Line::Line).collect();
    /// assert_eq!(ours.send_all(&lines)?, 3);
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
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        self.send_all_waiting(messages, Wait::Block)
    }

    /// As [`send_all`](Self::send_all), as far as there is room now.
    ///
    /// # Errors
    ///
    /// [`SendAllError`], as [`try_send`](Self::try_send).
    pub fn try_send_all<'m, 'b>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Tx::Borrowed<'b>>,
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        self.send_all_waiting(messages, Wait::Try)
    }

    /// As [`send_all`](Self::send_all), waiting for room until `deadline` at most.
    ///
    /// # Errors
    ///
    /// [`SendAllError`], as [`send_deadline`](Self::send_deadline).
    pub fn send_all_deadline<'m, 'b>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Tx::Borrowed<'b>>,
        deadline: Instant,
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        self.send_all_waiting(messages, Wait::Until(deadline))
    }

    #[inline]
    fn send_waiting(&mut self, message: &Tx::Borrowed<'_>, wait: Wait) -> Result<usize, SendError> {
        outbox::send(message, |parcel| self.transmit(parcel, wait))
    }

    #[inline]
    pub(crate) fn transmit(&mut self, parcel: Parcel<'_>, wait: Wait) -> Result<(), SendError> {
        transmit_connected(&self.fd, &mut self.turns, parcel, wait)
    }

    pub(crate) fn transmit_all(
        &mut self,
        parcels: &[Parcel<'_>],
        wait: Wait,
    ) -> Result<(), Stopped> {
        transmit_together(&self.fd, &mut self.turns, parcels, wait)
    }

    fn send_all_waiting<'m, 'b>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Tx::Borrowed<'b>>,
        wait: Wait,
    ) -> Result<usize, SendAllError>
    where
        Tx::Borrowed<'b>: 'm,
    {
        outbox::send_all(messages, |parcels| self.transmit_all(parcels, wait))
    }

    /// Stops one direction of the connection, or both, for every holder of it: other halves, clones
    /// and processes with a copy of the descriptor. The peer receives what was sent, and then the
    /// end. Closing a descriptor does that only once the last copy of it is closed.
    ///
    /// # Errors
    ///
    /// Of the system call: `NotConnected` when the connection has ended.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.fd.shutdown(how)
    }

    pub(crate) fn peer(&self) -> io::Result<Peer> {
        transport::peer(&self.fd)
    }

    pub(crate) fn into_shared(self) -> Arc<DatagramFd> {
        self.fd
    }
}

impl<Tx: Message> Clone for Sender<Tx> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.fd), self.turns.clone())
    }
}

impl<Tx> AsFd for Sender<Tx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl<Tx> fmt::Debug for Sender<Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("fd", &self.fd.as_fd()).finish_non_exhaustive()
    }
}
