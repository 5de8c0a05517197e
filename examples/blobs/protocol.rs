//! What the client and the server say to each other.

use std::fs::File;

use datagrammar::{Limits, Message, Options, Unknown};

/// The most bytes of names and contents that a store keeps.
pub(crate) const STORE_LEN: usize = 1024 * 1024 * 1024;

/// Frames may be as long as the store has room. Nothing is reserved for them.
pub(crate) fn options() -> Options {
    Options::new().limits(Limits::default().frame_len(STORE_LEN))
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
    /// Stores the content of an open file, which the server reads.
    #[message(tag = 4)]
    Import {
        name: &'a str,
        #[message(fd)]
        file: File,
    },
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
