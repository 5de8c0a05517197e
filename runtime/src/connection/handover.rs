//! The descriptor of a connection: takes it over, lends it, and hands it over.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::endpoint::Connection;
use crate::error::OpenError;
use crate::message::Message;
use crate::options::Options;
use crate::transport;

impl<Tx: Message, Rx: Message> Connection<Tx, Rx> {
    /// Takes over a descriptor that is one end of a connection, such as one received from another process.
    /// Checks what the descriptor is, and resets its peek offset (`SO_PEEK_OFF`), which another holder may
    /// have set.
    ///
    /// ```
    /// use std::os::fd::OwnedFd;
    ///
    /// use datagrammar::{Connection, Message, OpenError};
    ///
    /// #[derive(Message)]
    /// enum Ping {
    ///     #[message(tag = 1)]
    ///     Ping,
    /// }
    ///
    /// let (ours, _theirs) = Connection::<Ping, Ping>::pair()?;
    /// let (fd, _): (OwnedFd, _) = ours.into_fd()?;
    /// let mut again = Connection::<Ping, Ping>::adopt(fd)?;
    /// again.send(&Ping::Ping)?;
    ///
    /// let (stream, _) = std::os::unix::net::UnixStream::pair()?;
    /// let error = Connection::<Ping, Ping>::adopt(stream.into()).unwrap_err();
    /// assert!(error.to_string().contains("a socket of AF_UNIX SOCK_STREAM"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenError::WrongDescriptor`], which says what the descriptor is; [`OpenError::Exhausted`];
    /// [`OpenError::Io`].
    pub fn adopt(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::adopt_with(fd, &Options::new())
    }

    /// Takes over a descriptor, with options: `limits`, `budget`, `recv_buffer`, `send_buffer`, `eager`.
    ///
    /// # Errors
    ///
    /// Those of [`adopt`](Self::adopt).
    pub fn adopt_with(fd: OwnedFd, options: &Options) -> Result<Self, OpenError> {
        Ok(Self::new(transport::adopt_connection(fd, options)?, options))
    }

    /// Takes over the standard input of this process, if it is one end of a connection.
    /// [`Child::spawn`](crate::Child::spawn) passes a connection this way, and so do service managers that
    /// start a process for each connection. Replaces the standard input with an empty one, so only the first
    /// call succeeds. Leaves any other standard input alone.
    ///
    /// # Errors
    ///
    /// [`OpenError::WrongDescriptor`] if the standard input is something else, and says what it is;
    /// [`OpenError::Exhausted`]; [`OpenError::Io`].
    pub fn inherited() -> Result<Self, OpenError> {
        Self::inherited_with(&Options::new())
    }

    /// Takes over the standard input, with options: `limits`, `budget`, `recv_buffer`, `send_buffer`, `eager`.
    ///
    /// # Errors
    ///
    /// Those of [`inherited`](Self::inherited).
    pub fn inherited_with(options: &Options) -> Result<Self, OpenError> {
        Ok(Self::new(transport::inherited(options)?, options))
    }

    /// Returns the descriptor and the unread datagrams: data that was read from the socket but not yet
    /// received, such as the rest of a bundle or the first pieces of a large frame. Pass the datagrams to
    /// [`Receiver::restore`](crate::Receiver::restore) of the next connection that uses the descriptor.
    ///
    /// Unread datagrams lose their descriptors. After [`RecvError::Incomplete`](crate::RecvError::Incomplete), the
    /// next frame is already read: receive it first if it may carry descriptors.
    ///
    /// The rest of a large frame that [`Sender::try_send`](crate::Sender::try_send) has begun is dropped. To send it,
    /// call [`Sender::flush`](crate::Sender::flush) first.
    ///
    /// ```
    /// use std::os::fd::OwnedFd;
    ///
    /// use datagrammar::{Connection, Message, Wait};
    ///
    /// #[derive(Message)]
    /// enum Count {
    ///     #[message(tag = 1)]
    ///     Count(u8),
    /// }
    ///
    /// /// Moves a connection to another process.
    /// #[derive(Message)]
    /// enum HandOver {
    ///     #[message(tag = 1)]
    ///     Connection {
    ///         #[message(fd)]
    ///         fd: OwnedFd,
    ///         unread: Vec<Vec<u8>>,
    ///     },
    /// }
    ///
    /// let (mut theirs, mut ours) = Connection::<Count, Count>::pair()?;
    /// theirs.tx.send_all(&[Count::Count(1), Count::Count(2), Count::Count(3)], Wait::Block)?;
    /// assert!(matches!(ours.recv()?.expect("a frame").decode()?, Count::Count(1)));
    ///
    /// let (mut boss, mut worker) = Connection::<HandOver, HandOver>::pair()?;
    /// let (fd, unread) = ours.into_fd()?;
    /// boss.send(&HandOver::Connection { fd, unread })?;
    ///
    /// let HandOver::Connection { fd, unread } = worker.recv()?.expect("a frame").decode()?;
    /// let mut ours = Connection::<Count, Count>::adopt(fd)?;
    /// ours.rx.restore(unread);
    /// for expected in 2..=3 {
    ///     let Count::Count(count) = ours.recv()?.expect("a frame").decode()?;
    ///     assert_eq!(count, expected);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` if one half was swapped with that of another connection. The errors of dup(2), if the
    /// descriptor is shared.
    pub fn into_fd(self) -> io::Result<(OwnedFd, Vec<Vec<u8>>)> {
        let Self { tx, rx, .. } = self;
        let (fd, unread) = rx.into_parts();
        if !fd.is_same(tx.fd()) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        drop(tx);
        Ok((fd.into_fd()?, unread))
    }
}

/// For pollers: see [how frames are received](crate::Receiver#how-frames-are-received). Do not receive from
/// the descriptor or from a duplicate: frames already read would be missing.
impl<Tx, Rx> AsFd for Connection<Tx, Rx> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.rx.as_fd()
    }
}

impl<Tx, Rx> AsRawFd for Connection<Tx, Rx> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
