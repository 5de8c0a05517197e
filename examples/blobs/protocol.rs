//! The protocol of the client and the server.

use std::fs::File;

use datagrammar::{Limits, Message, Options, Unknown};

/// The most bytes that a store keeps, names and contents together.
pub(crate) const STORE_LEN: usize = 1024 * 1024 * 1024;

/// Allows frames as long as the whole store. The limit reserves no memory.
pub(crate) fn options() -> Options {
    Options::new().limits(Limits::default().frame_len(STORE_LEN))
}

/// A request of the client.
#[derive(Message, Debug)]
pub(crate) enum Request<'a> {
    /// Stores `content` under `name`, and replaces an existing blob. `size` is the length of the content in
    /// bytes: the server checks it.
    #[message(tag = 1)]
    Put {
        name: &'a str,
        size: u64,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 2)]
    Get { name: &'a str },
    /// The server answers with an `Entry` for each blob, then an `End`.
    #[message(tag = 3)]
    List,
    /// Stores the content of an open file, which the server reads.
    #[message(tag = 4)]
    Import {
        name: &'a str,
        #[message(fd)]
        file: File,
    },
    /// A request of a newer client. The server refuses it, and the connection stays usable.
    #[message(other)]
    Unknown(Unknown<'a>),
}

/// A reply of the server.
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
