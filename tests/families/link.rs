//! One end of a conversation: a connection, or a socket with a peer's address.

use std::net::Shutdown;
use std::time::Instant;

use datagrammar::{Address, Connection, Frame, Limits, RecvError, SendError, Socket};

use crate::talk::Talk;

/// The guarantees of a family.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promises {
    pub(crate) ordered: bool,
    /// Whether there is an end.
    pub(crate) connected: bool,
    /// Whether frames may be longer than a datagram.
    pub(crate) large: bool,
    /// The longest body to be sent in one datagram, in bytes.
    pub(crate) longest: usize,
}

/// One end, for both sides of the conversation.
pub(crate) trait Link {
    fn promises(&self) -> Promises;
    fn send(&mut self, message: &Talk<'_>, deadline: Instant) -> Result<usize, SendError>;
    fn recv(&mut self, deadline: Instant) -> Result<Option<Received<'_>>, RecvError>;
    fn try_recv(&mut self) -> Result<Option<Received<'_>>, RecvError>;
    fn set_limits(&mut self, limits: Limits);
    /// Tells the peer that no more frames come.
    fn end(&mut self);
}

pub(crate) type Received<'r> = Frame<'r, Talk<'static>>;
pub(crate) type Connected = Connection<Talk<'static>, Talk<'static>>;

impl Link for Connected {
    fn promises(&self) -> Promises {
        Promises { ordered: true, connected: true, large: true, longest: 100 * 1024 }
    }

    fn send(&mut self, message: &Talk<'_>, deadline: Instant) -> Result<usize, SendError> {
        self.send_deadline(message, deadline)
    }

    fn recv(&mut self, deadline: Instant) -> Result<Option<Received<'_>>, RecvError> {
        self.recv_deadline(deadline)
    }

    fn try_recv(&mut self) -> Result<Option<Received<'_>>, RecvError> {
        self.try_recv()
    }

    fn set_limits(&mut self, limits: Limits) {
        self.rx.set_limits(limits);
    }

    fn end(&mut self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

/// A socket, and the destination of its frames: the sender of the last frame, if there is one.
#[derive(Debug)]
pub(crate) struct Addressed {
    pub(crate) socket: Socket<Talk<'static>, Talk<'static>>,
    pub(crate) peer: Address,
}

impl Link for Addressed {
    fn promises(&self) -> Promises {
        match self.peer.as_udp() {
            Some(_) => Promises { ordered: false, connected: false, large: false, longest: 60_000 },
            None => Promises { ordered: true, connected: false, large: true, longest: 100 * 1024 },
        }
    }

    fn send(&mut self, message: &Talk<'_>, deadline: Instant) -> Result<usize, SendError> {
        self.socket.send_to_deadline(message, &self.peer, deadline)
    }

    fn recv(&mut self, deadline: Instant) -> Result<Option<Received<'_>>, RecvError> {
        let (frame, from) = self.socket.recv_from_deadline(deadline)?;
        self.peer = from;
        Ok(Some(frame))
    }

    fn try_recv(&mut self) -> Result<Option<Received<'_>>, RecvError> {
        let (frame, from) = self.socket.try_recv_from()?;
        self.peer = from;
        Ok(Some(frame))
    }

    fn set_limits(&mut self, limits: Limits) {
        self.socket.rx.set_limits(limits);
    }

    fn end(&mut self) {
        self.socket.send_to(&Talk::End, &self.peer).unwrap();
    }
}
