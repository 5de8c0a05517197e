//! Unconnected sockets: each frame has an address.

mod endpoint;
mod receiver;
mod sender;

pub use self::endpoint::Socket;
pub use self::receiver::SocketReceiver;
pub use self::sender::SocketSender;
