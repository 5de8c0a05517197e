//! What the client and the server say to each other.

use datagrammar::{Limits, Message, Options, Unknown};

/// The longest frame that either side accepts, in bytes. Nothing is reserved for it.
pub(crate) const FRAME_LEN: usize = 16 * 1024 * 1024;

pub(crate) fn options() -> Options {
    Options::new().limits(Limits::default().frame_len(FRAME_LEN))
}

/// What a client may ask.
#[derive(Message, Debug)]
pub(crate) enum Request<'a> {
    /// Stores `content` under `name`, in place of what was there. `size` is what the client meant to
    /// send, in bytes: the server checks it.
    #[message(tag = 1)]
    Put {
        name: &'a str,
        size: u64,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 2)]
    Get { name: &'a str },
    /// Answered by an `Entry` for each blob, and an `End`.
    #[message(tag = 3)]
    List,
    /// What a newer client may ask: refused, and the connection goes on.
    #[message(other)]
    Unknown(Unknown<'a>),
}

/// What the server answers.
#[derive(Message, Debug)]
pub(crate) enum Reply<'a> {
    #[message(tag = 1)]
    Stored { size: u64 },
    #[message(tag = 2)]
    Blob {
        name: &'a str,
        size: u64,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 3)]
    Entry { name: &'a str, size: u64 },
    #[message(tag = 4)]
    End { entries: u64 },
    #[message(tag = 5)]
    Refused { why: &'a str },
}
