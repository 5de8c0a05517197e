//! The receiving half of an unconnected socket.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::mem;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Instant;

use super::shared::Shared;
use crate::address::Address;
use crate::error::RecvError;
use crate::frame::Frame;
use crate::limits::Limits;
use crate::message::{Descriptors, Message};
use crate::options::Options;
use crate::owned_frame::OwnedFrame;
use crate::peer::Peer;
use crate::sys::{self, DatagramFd};
use crate::transport::Inbox;
use crate::wait::Wait;

/// The receiving half of a [`Socket`](crate::Socket), for messages of type `Rx`.
pub struct SocketReceiver<Rx> {
    shared: Arc<Shared>,
    inbox: Inbox,
    /// Whether the last receive has refused a datagram.
    has_refused: bool,
    message: PhantomData<fn() -> Rx>,
}

impl<Rx: Message> SocketReceiver<Rx> {
    pub(super) fn new(shared: Arc<Shared>, options: &Options) -> Self {
        let inbox = Inbox::new(shared.fd.clone(), options, true);
        Self { shared, inbox, has_refused: false, message: PhantomData }
    }

    pub(crate) fn local_addr(&self) -> io::Result<Address> {
        sys::local_name(self.as_fd()).map(Address::from)
    }

    pub(super) fn fd(&self) -> &DatagramFd {
        &self.shared.fd
    }

    /// Receives the next frame and its sender's address, and waits for it as long as necessary.
    ///
    /// # Errors
    ///
    /// [`RecvError::TooLarge`] for a frame over the limit, which is dropped; [`RecvError::Empty`] for an
    /// empty datagram; [`RecvError::BadMemory`], [`RecvError::BadFragment`] and [`RecvError::BadBundle`] for
    /// a malformed datagram; [`RecvError::DescriptorsLost`]; [`RecvError::Refused`] on an adopted socket
    /// with `IP_RECVERR`; [`RecvError::NoMemory`]; [`RecvError::Shutdown`]; [`RecvError::Io`]. After all but
    /// the last two, the socket stays usable ([`RecvError::is_fatal`]).
    #[inline]
    pub fn recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.recv_waiting(Wait::Block)
    }

    /// Receives the next frame if one is queued.
    ///
    /// # Errors
    ///
    /// Those of [`recv_from`](Self::recv_from), and [`RecvError::WouldBlock`].
    #[inline]
    pub fn try_recv_from(&mut self) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.recv_waiting(Wait::Try)
    }

    /// Receives the next frame, and waits for it until `deadline`.
    ///
    /// # Errors
    ///
    /// Those of [`recv_from`](Self::recv_from), and [`RecvError::TimedOut`].
    #[inline]
    pub fn recv_from_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        self.recv_waiting(Wait::Until(deadline))
    }

    /// Receives the next frame as an [`OwnedFrame`], which can be kept while other frames are received.
    ///
    /// # Errors
    ///
    /// Those of [`recv_from`](Self::recv_from), [`try_recv_from`](Self::try_recv_from) or
    /// [`recv_from_deadline`](Self::recv_from_deadline), as `wait` says.
    pub fn recv_owned_from(&mut self, wait: Wait) -> Result<(OwnedFrame<Rx>, Address), RecvError> {
        let range = self.receive_range(wait)?;
        let descriptors = self.take_descriptors();
        let sender = self.inbox.take_credentials().map(Peer::from).map(Box::new);
        let bytes = self.inbox.take_bytes(range);
        Ok((OwnedFrame::new(bytes, descriptors, sender), self.inbox.name().into()))
    }

    /// Returns who sent the datagram that the last receive has refused: the address, and the process if the socket was
    /// opened with [`Options::identify_senders`](crate::Options::identify_senders). `None` if the last receive returned
    /// a frame or found none, and if this was called since.
    ///
    /// ```
    /// use std::os::unix::net::UnixDatagram;
    ///
    /// use datagrammar::{Message, Options, RecvError, Socket};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// # let directory = std::env::temp_dir().join(format!("datagrammar-doc-refused-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let path = directory.join("socket");
    /// let address = datagrammar::Address::from_pathname(&path)?;
    /// let options = Options::new().identify_senders();
    /// let mut ours = Socket::<Ping, Ping>::bind_with(&address, &options)?;
    ///
    /// UnixDatagram::unbound()?.send_to(b"\0garbage", &path)?;
    /// assert!(matches!(ours.recv_from(), Err(RecvError::BadFragment(_))));
    /// let (from, peer) = ours.rx.take_refused_sender().expect("somebody sent it");
    /// assert!(from.is_unnamed());
    /// assert_eq!(peer.map(|peer| peer.pid), Some(std::process::id()));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_refused_sender(&mut self) -> Option<(Address, Option<Peer>)> {
        mem::take(&mut self.has_refused).then(|| {
            let peer = self.inbox.take_credentials().map(Peer::from);
            (self.inbox.name().into(), peer)
        })
    }

    /// Returns how many datagrams the kernel has dropped because the receive queue was full, since the
    /// socket was created (`SO_MEMINFO`; modulo 2³²). UDP senders get no error. UNIX
    /// datagrams are never dropped.
    ///
    /// # Errors
    ///
    /// Those of getsockopt(2).
    pub fn drops(&self) -> io::Result<u32> {
        sys::drops(self.as_fd())
    }

    /// Changes the limits for the frames received from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inbox.limits = limits;
    }

    /// Shuts down the socket: see [`Socket::shutdown`](crate::Socket::shutdown).
    ///
    /// # Errors
    ///
    /// Those of [`Socket::shutdown`](crate::Socket::shutdown).
    pub fn shutdown(&self) -> io::Result<()> {
        self.shared.shutdown()
    }

    #[inline]
    fn recv_waiting(&mut self, wait: Wait) -> Result<(Frame<'_, Rx>, Address), RecvError> {
        let range = self.receive_range(wait)?;
        Ok(self.frame(range))
    }

    /// Lends the last received frame, with its sender's address.
    #[inline]
    pub(crate) fn frame(&mut self, range: Range<usize>) -> (Frame<'_, Rx>, Address) {
        let descriptors = self.take_descriptors();
        let sender = self.inbox.take_credentials().map(Peer::from);
        let from = self.inbox.name().into();
        (Frame::new(self.inbox.bytes(range), descriptors).with_sender(sender), from)
    }

    /// Returns whether the next receive may need no read, because something was read earlier.
    pub(crate) fn has_unread(&self) -> bool {
        self.inbox.has_unread()
    }

    /// Takes the frame's descriptors. Closes them if the message type has no `fd` fields.
    #[inline]
    fn take_descriptors(&mut self) -> Descriptors {
        let descriptors = self.inbox.take_descriptors();
        if Rx::DESCRIPTORS { descriptors } else { Descriptors::default() }
    }

    /// Receives the next frame, and returns its range for [`frame`](Self::frame).
    #[inline]
    pub(crate) fn receive_range(&mut self, wait: Wait) -> Result<Range<usize>, RecvError> {
        self.has_refused = false;
        match self.inbox.recv(wait) {
            Ok(Some(frame)) => Ok(frame),
            // A socket without a peer has no end.
            Ok(None) => Err(RecvError::Shutdown),
            // A non-blocking read does not report a shutdown.
            Err(RecvError::WouldBlock) if self.shared.is_shut_down() => Err(RecvError::Shutdown),
            Err(error) => {
                self.has_refused = refuses(&error);
                Err(error)
            }
        }
    }
}

/// Returns whether the sender of a datagram has caused `error`.
fn refuses(error: &RecvError) -> bool {
    matches!(
        error,
        RecvError::TooLarge { .. }
            | RecvError::BadFragment(_)
            | RecvError::BadBundle(_)
            | RecvError::BadMemory(_)
            | RecvError::DescriptorsLost { .. }
            | RecvError::Empty
    )
}

impl<Rx> AsFd for SocketReceiver<Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.fd.as_fd()
    }
}

impl<Rx> AsRawFd for SocketReceiver<Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<Rx> fmt::Debug for SocketReceiver<Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketReceiver")
            .field("fd", &self.as_fd())
            .field("limits", &self.inbox.limits)
            .finish_non_exhaustive()
    }
}
