//! The endpoints, awaited.

mod connecting;
mod connection;
mod queue;
mod receiver;
mod registration;
mod room;
mod sender;
mod turns;

pub use self::connection::Connection;
pub use self::queue::{Queue, QueueDriver};
pub use self::receiver::Receiver;
pub use self::sender::Sender;
