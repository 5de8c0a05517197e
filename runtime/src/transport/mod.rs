//! Sockets without types: opening them, and moving frames as bytes under the rules of the design.

mod assembly;
mod envelope;
mod inbox;
mod open;
mod pace;
mod peek;
mod pieces;
mod pool;
mod receive;
mod together;
mod transmit;
mod turns;
mod wait;
mod whole;

pub(crate) use self::envelope::transmit_to;
pub(crate) use self::inbox::{Batch, Inbox};
pub(crate) use self::open::{
    Claim, accept, adopt_connection, adopt_datagram, adopt_listener, bind_datagram, connect,
    inherited, listen, pair, peer, unbound_datagram,
};
pub use self::peek::{peek_len, try_peek_len};
pub(crate) use self::pieces::transmit_connected;
pub(crate) use self::receive::{Beside, receive_from};
pub(crate) use self::together::{MAX_TOGETHER, Stopped, transmit_together};
pub(crate) use self::transmit::Parcel;
pub(crate) use self::turns::Turns;
