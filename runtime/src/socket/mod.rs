//! Unconnected sockets: each frame has an address.

mod endpoint;
mod handover;
mod receiver;
mod sender;
mod shared;

pub use self::endpoint::Socket;
pub use self::receiver::SocketReceiver;
pub use self::sender::SocketSender;
