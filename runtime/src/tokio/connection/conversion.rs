//! From a blocking connection, and back.

use std::io;

use super::endpoint::Connection;
use crate::connection;
use crate::error::OpenError;
use crate::message::Message;
use crate::tokio::arrivals::Arrivals;
use crate::tokio::connecting::not_registered;
use crate::tokio::outbound::Outbound;
use crate::tokio::receiver::Receiver;
use crate::tokio::sender::Sender;

impl<Tx: Message, Rx: Message> Connection<Tx, Rx> {
    /// Registers a blocking connection with the current runtime. Nothing is lost, neither frames that were read but not
    /// received, nor large frames that were received or sent in part.
    ///
    /// ```
    /// use datagrammar::{Message, Wait};
    ///
    /// #[derive(Message)]
    /// enum Count {
    ///     #[message(tag = 1)]
    ///     Count(u8),
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut theirs, mut ours) = datagrammar::Connection::<Count, Count>::pair()?;
    /// theirs.tx.send_all(&[Count::Count(1), Count::Count(2), Count::Count(3)], Wait::Block)?;
    /// assert!(matches!(ours.recv()?.expect("a frame").decode()?, Count::Count(1)));
    ///
    /// let ours = datagrammar::tokio::Connection::from_blocking(ours);
    /// let mut ours = ours.map_err(|(_connection, error)| error)?;
    /// assert!(matches!(ours.recv().await?.expect("a frame").decode()?, Count::Count(2)));
    ///
    /// let mut ours = ours.into_blocking();
    /// assert!(matches!(ours.recv()?.expect("a frame").decode()?, Count::Count(3)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The connection, and the error of epoll_ctl(2): ENOSPC and ENOMEM, or `InvalidInput` if one half was
    /// swapped with that of another connection.
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    #[track_caller]
    #[expect(clippy::result_large_err, reason = "the error returns the connection")]
    pub fn from_blocking(
        connection: connection::Connection<Tx, Rx>,
    ) -> Result<Self, (connection::Connection<Tx, Rx>, io::Error)> {
        if !connection.is_whole() {
            return Err((connection, io::ErrorKind::InvalidInput.into()));
        }
        let fd = connection.tx.fd().clone();
        match Arrivals::new(fd.clone()) {
            Ok(arrivals) => {
                let (tx, rx) = connection.split();
                let tx = Sender::new(tx, Outbound::new(fd));
                Ok(Self { tx, rx: Receiver::new(rx, arrivals) })
            }
            Err(error) => Err((connection, error)),
        }
    }

    /// Returns the blocking connection. Like [`from_blocking`](Self::from_blocking), this loses nothing.
    #[must_use]
    pub fn into_blocking(self) -> connection::Connection<Tx, Rx> {
        connection::Connection::from_halves(self.tx.into_blocking(), self.rx.into_blocking())
    }

    /// Registers a connection that was just opened.
    #[track_caller]
    pub(super) fn register(connection: connection::Connection<Tx, Rx>) -> Result<Self, OpenError> {
        Self::from_blocking(connection).map_err(|(_, source)| not_registered(source))
    }
}
