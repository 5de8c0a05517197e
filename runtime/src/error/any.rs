//! One error type for `?`.

use thiserror::Error as Derive;

use super::{
    AcceptError, AddressError, DecodeError, EncodeError, MemoryFault, OpenError, RecvError,
    SendAllError, SendError,
};

/// Any error of this crate. `?` converts each of them to this type.
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
