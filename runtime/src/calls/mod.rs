//! Calls: requests with answers, over one connection.
//!
//! ```
//! use std::thread;
//!
//! use datagrammar::calls::{Context, Server};
//! use datagrammar::{Connection, Message, Protocol};
//!
//! #[derive(Message, Protocol)]
//! enum Sums {
//!     #[message(tag = 1, reply = Result<u64, String>)]
//!     Add { left: u64, right: u64 },
//! }
//!
//! struct Adder;
//!
//! impl SumsHandler for Adder {
//!     fn add(&self, _cx: &Context, left: u64, right: u64) -> Result<u64, String> {
//!         left.checked_add(right).ok_or("too much".into())
//!     }
//! }
//!
//! let (client, server) = Connection::pair()?;
//! let server = thread::spawn(|| Server::new(SumsService(Adder)).serve(server));
//!
//! let client = SumsClient::new(client);
//! assert_eq!(client.add(1, 2)?, 3);
//! assert!(client.add(u64::MAX, 1).is_err());
//! drop(client);
//! server.join().unwrap()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [The derive](macro@crate::Protocol) generates a client, a handler trait and a service from an enum. Its page lists
//!   the attributes, and has a larger example.
//! - The derived client wraps a [`Client`], which its `as_ref` returns. With [`start`](Client::start), one thread can
//!   have several calls in flight, and give up a [`PendingCall`]. An [`Answer`] or [`Items`] lends what borrows from a
//!   received frame. A [`CallError`] says why a call has no value, and its [`Outcome`] whether it may be repeated.
//! - A [`Server`] calls a [`Service`], which the derive generates around a handler. The handler gets a [`Context`]. It
//!   returns its answer, or lends it through a [`Responder`] or an [`ItemSender`]. A [`Stopper`] stops the server.
//!   [`Server::on_error`] shows the errors that no handler gets.
//! - To test a client, use a [`Script`] as its server. To test a handler, use [`Direct`], which needs no socket.
//!   [`Client::observed`] shows each [`CallFrame`].
//! - Generated code uses [`Protocol`], [`Returns`], [`Reply`], [`Call`], [`Answering`] and [`Handling`].
//!
//! [The guide](crate::guide::calls) describes errors, deadlines, back-pressure, evolution, limits and costs. With the
//! feature `tokio`, `datagrammar::tokio::calls` has the same for tasks.

#[cfg(test)]
pub(crate) mod ask;
mod bell;
mod client;
mod deadline;
mod direct;
mod frame;
mod full;
mod ids;
mod memory;
#[cfg(all(test, datagrammar_loom))]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
pub(crate) mod models;
mod outlet;
mod park;
mod protocol;
mod queue;
mod ready;
mod returns;
mod room;
mod script;
mod server;
mod sink;
mod status;
mod sync;
mod trace;
mod unsent;
mod wake;
mod watchers;

pub(crate) use self::bell::Bell;
pub(crate) use self::client::{Accepted, Core};
pub use self::client::{Answer, Client, Items, PendingCall};
#[cfg(feature = "tokio")]
pub(crate) use self::client::{Sending, Wakers, check as check_returns};
#[cfg(feature = "tokio")]
pub(crate) use self::direct::{Begun, RECHECK, Raw, ReceivedItems, answer, begin, check, notify};
pub use self::direct::{Direct, DirectItems};
pub(crate) use self::frame::Observer;
pub use self::frame::{CallFrame, CallFrameKind};
#[cfg(all(test, datagrammar_loom, feature = "tokio"))]
pub(crate) use self::memory::Memory;
#[cfg(feature = "tokio")]
pub(crate) use self::memory::Outputs;
pub(crate) use self::outlet::Outlet;
pub use self::protocol::{Answers, Protocol, Reply};
#[cfg(feature = "tokio")]
pub(crate) use self::queue::Queued;
pub use self::returns::Returns;
pub(crate) use self::room::Room;
pub use self::script::{Expected, Playing, Script, ScriptError};
#[cfg(feature = "tokio")]
pub(crate) use self::server::OnError;
#[cfg(feature = "tokio")]
pub(crate) use self::server::Running;
pub use self::server::{
    Answering, Call, Context, Handling, ItemError, ItemSender, Responder, Server, Service, Stopper,
};
pub(crate) use self::server::{FAREWELL, Received, Session, close};
pub(crate) use self::status::Status;
pub(crate) use self::trace::{SpanOutcome, Trace};
#[cfg(feature = "tokio")]
pub(crate) use self::watchers::Watchers;
pub use crate::error::{CallError, Outcome};
