//! One error type for `?`.

use thiserror::Error as Derive;

use super::{
    AcceptError, AddressError, DecodeError, EncodeError, MemoryFault, OpenError, RecvError,
    SendAllError, SendError,
};

/// Any error of this crate, except those of [`calls`](crate::calls).
///
/// `?` converts each of them to this type. In a function that returns an [`io::Error`](std::io::Error), `?`
/// converts each of them to an `io::Error` with the matching [kind](std::io::ErrorKind).
///
/// ```
/// use datagrammar::{Connection, Error, Message};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// fn ping() -> Result<(), Error> {
///     let (mut ours, mut theirs) = Connection::<Ping, Ping>::pair()?;
///     ours.send(&Ping::Ping)?;
///     if let Some(frame) = theirs.recv()? {
///         let Ping::Ping = frame.decode()?;
///     }
///     Ok(())
/// }
/// # ping()?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Derive)]
#[non_exhaustive]
#[error(transparent)]
pub enum Error {
    /// Text is not an address.
    Address(#[from] AddressError),
    /// An endpoint could not be opened.
    Open(#[from] OpenError),
    /// A connection could not be accepted.
    Accept(#[from] AcceptError),
    /// A frame could not be received.
    Recv(#[from] RecvError),
    /// A message could not be sent.
    Send(#[from] SendError),
    /// Some of several messages could not be sent.
    SendAll(#[from] SendAllError),
    /// A frame could not be decoded.
    Decode(#[from] DecodeError),
    /// A message could not be encoded.
    Encode(#[from] EncodeError),
    /// A descriptor is not sealed memory.
    Memory(#[from] MemoryFault),
    /// The operating system refused.
    Io(#[from] std::io::Error),
}

impl Error {
    /// Returns whether there is no endpoint, or the endpoint has become useless. This is so after
    /// [`Address`](Self::Address), [`Open`](Self::Open), [`Io`](Self::Io), and fatal errors of accepting, receiving
    /// and sending. After other errors, the endpoint can still be used.
    ///
    /// ```
    /// use datagrammar::error::Chain;
    /// use datagrammar::{Connection, Error, Message};
    ///
    /// #[derive(Message)]
    /// enum Line<'a> {
    ///     #[message(tag = 1)]
    ///     Line(&'a str),
    /// }
    ///
    /// /// Receives a line, and adds its length. Returns `false` at the end.
    /// fn add(
    ///     connection: &mut Connection<Line<'static>, Line<'static>>,
    ///     sum: &mut usize,
    /// ) -> Result<bool, Error> {
    ///     let Some(frame) = connection.recv()? else { return Ok(false) };
    ///     let Line::Line(line) = frame.decode()?;
    ///     *sum += line.len();
    ///     Ok(true)
    /// }
    ///
    /// # #[derive(Message)]
    /// # #[message(tag = 1)]
    /// # struct Lie(u8);
    /// # let (mut peer, ours) = Connection::<Lie, Lie>::pair()?;
    /// # let mut connection = Connection::adopt(ours.into_fd()?.0)?;
    /// # peer.send(&Lie(200))?;
    /// # drop(peer);
    /// let mut sum = 0;
    /// loop {
    ///     match add(&mut connection, &mut sum) {
    ///         Ok(true) => {}
    ///         Ok(false) => break,
    ///         Err(error) if error.is_fatal() => return Err(error),
    ///         Err(error) => eprintln!("a frame was dropped: {}", Chain(&error)),
    ///     }
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Address(_) | Self::Open(_) | Self::Io(_) => true,
            Self::Accept(error) => error.is_fatal(),
            Self::Recv(error) => error.is_fatal(),
            Self::Send(error) => error.is_fatal(),
            Self::SendAll(error) => error.error.is_fatal(),
            Self::Decode(_) | Self::Encode(_) | Self::Memory(_) => false,
        }
    }
}
