//! The endpoints, awaited.

mod batch;
mod child;
mod connecting;
mod connection;
mod incoming;
mod listener;
mod queue;
mod receiver;
mod registration;
mod sender;
mod socket;

pub use self::batch::Batch;
pub use self::child::{Child, Process};
pub use self::connection::Connection;
pub use self::incoming::Incoming;
pub use self::listener::Listener;
pub use self::queue::{Queue, QueueDriver};
pub use self::receiver::Receiver;
pub use self::sender::Sender;
pub use self::socket::{Socket, SocketReceiver, SocketSender};
