//! The ends of connections, and both kinds of clients and servers.

use std::any::Any;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use datagrammar::Address;
use datagrammar::calls::{Answer, CallError, Protocol, Reply};

#[cfg(feature = "tokio")]
use super::awaited;
use super::blocking;
use super::protocol::{Number, State};

/// The source of a side's connection.
#[derive(Debug)]
pub(crate) enum End {
    /// One end of a pair.
    Adopted(OwnedFd),
    /// Inherited when this process was started.
    Inherited,
    /// The client connects, and the server listens.
    At(Address),
}

/// Whether a side is blocking or async.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Blocking,
    #[cfg(feature = "tokio")]
    Awaited,
}

/// The version of the protocol that a server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Old,
    New,
}

/// Items, one after the other. Dropping them cancels the call.
pub(crate) type Numbers = Box<dyn FnMut() -> Result<Option<u64>, CallError> + Send>;

/// A client of either kind.
pub(crate) trait Client<P: Protocol>: Sized {
    fn open(end: End) -> Self;

    /// Returns a client for the same connection whose calls have a deadline.
    fn deadline(&self, deadline: std::time::Instant) -> Self;

    fn notify(&self, request: &P::Borrowed<'_>) -> Result<(), CallError>;

    fn call<R: Reply + 'static>(&self, request: &P::Borrowed<'_>) -> Result<Answer<R>, CallError>;

    fn numbers(&self, request: &P::Borrowed<'_>) -> Result<Numbers, CallError>;

    /// Makes a call whose items nobody takes. Dropping them cancels the call.
    fn leave<I: 'static>(&self, request: &P::Borrowed<'_>) -> Result<Box<dyn Any>, CallError>;

    /// Makes `count` calls, and then runs `meanwhile`, which may wait for the calls to arrive. Returns the answers.
    fn call_all<R: Reply + 'static>(
        &self,
        count: u64,
        request: impl Fn(u64) -> P::Borrowed<'static> + Sync,
        meanwhile: impl FnOnce(),
    ) -> Vec<Result<Answer<R>, CallError>>;

    /// Returns whether this machine lets it make `count` calls at once.
    fn can_call_all(_count: u64) -> bool {
        true
    }

    /// Makes a call, and gives it up when it `has_begun`.
    fn give_up<R: Reply + 'static>(&self, request: &P::Borrowed<'_>, has_begun: impl Fn() -> bool);

    fn in_flight(&self) -> usize;

    fn dropped(&self) -> u64;
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            #[cfg(feature = "tokio")]
            Self::Awaited => "awaited",
        }
    }

    /// Serves until the connection ends, or, if the server listens, until it is stopped. Calls `ready` when clients can
    /// connect.
    pub(crate) fn serve(self, version: Version, state: Arc<State>, end: End, ready: impl FnOnce()) {
        match self {
            Self::Blocking => blocking::serve(version, state, end, ready),
            #[cfg(feature = "tokio")]
            Self::Awaited => awaited::serve(version, state, end, ready),
        }
    }
}

impl Version {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// Returns the number of an item.
pub(crate) fn number(item: Option<Number>) -> Option<u64> {
    item.map(|number| number.0)
}
