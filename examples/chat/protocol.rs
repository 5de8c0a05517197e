//! The messages of the server and its clients. Newer versions may add variants and fields.

use datagrammar::{Message, Unknown};

/// What a client sends.
#[derive(Message)]
#[message(extensible)]
pub(crate) enum Request<'a> {
    /// Enters a room under a name, and leaves the previous room.
    #[message(tag = 1)]
    Join { room: &'a str, name: &'a str },
    /// Says something to everyone in the room, the sender included.
    #[message(tag = 2)]
    Say { text: &'a str },
    /// A request of a newer client.
    #[message(other)]
    Unknown(Unknown<'a>),
}

/// What the server sends.
#[derive(Message)]
#[message(extensible)]
pub(crate) enum Event<'a> {
    /// Somebody in the room has said something.
    #[message(tag = 1)]
    Said { name: &'a str, text: &'a str },
    /// Somebody has entered the room, which now has this many members.
    #[message(tag = 2)]
    Joined { name: &'a str, members: u32 },
    /// Somebody has left the room.
    #[message(tag = 3)]
    Left { name: &'a str },
    /// The last event: why the server ends the connection.
    #[message(tag = 4)]
    Goodbye { reason: &'a str },
    /// An event of a newer server.
    #[message(other)]
    Unknown(Unknown<'a>),
}
