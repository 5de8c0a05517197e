//! The tokio endpoints behind the API of the blocking ones: each call awaits on a runtime of this crate. So the
//! tests of the blocking endpoints run over the tokio ones, without a change.
//!
//! It is what a program with blocking code and one runtime would write. It adds nothing: a call that blocks is
//! the awaited method, one that tries is the `try_` method, and one with a deadline tries, and then awaits until
//! the deadline.
#![forbid(unsafe_code)]

mod batch;
pub mod calls;
mod child;
mod connection;
mod listener;
mod receiver;
mod runtime;
mod sender;
mod socket;

pub use datagrammar::*;

pub use self::batch::Batch;
pub use self::child::{Child, Process};
pub use self::connection::Connection;
pub use self::listener::Listener;
pub use self::receiver::Receiver;
pub use self::sender::Sender;
pub use self::socket::{Socket, SocketReceiver, SocketSender};
