//! The endpoints, awaited.
//!
//! A copy of the process made by fork(2) shares the reactor with its parent. If the copy drops an endpoint, the
//! parent is no longer told when its own is ready. Let the copy call execve(2) or _exit(2) at once, or use the
//! blocking endpoints there.

mod batch;
mod child;
mod connecting;
mod connection;
mod incoming;
mod listener;
mod receiver;
mod registration;
mod sender;
mod socket;
mod unread;

pub use self::batch::Batch;
pub use self::child::{Child, Process};
pub use self::connection::Connection;
pub use self::incoming::Incoming;
pub use self::listener::Listener;
pub use self::receiver::Receiver;
pub use self::sender::Sender;
pub use self::socket::{Socket, SocketReceiver, SocketSender};
