//! The protocol of the client and the server. Newer versions may add calls, arguments and fields.

use std::fmt;
use std::fs::File;

use datagrammar::{Limits, Message, Options, Protocol, Unknown};

/// The most bytes that a store keeps, names and contents together.
pub(crate) const STORE_LEN: usize = 1024 * 1024 * 1024;

/// Allows frames as long as the whole store. The limit reserves no memory.
pub(crate) fn options() -> Options {
    Options::new().limits(Limits::default().frame_len(STORE_LEN))
}

/// A store of blobs.
#[derive(Message, Protocol, Debug)]
#[message(extensible)]
pub(crate) enum Blobs<'a> {
    /// Stores `content` under `name`, and replaces an existing blob. Answers with the size of the blob in bytes.
    #[message(tag = 1, reply = Result<u64, Refused>)]
    Put {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
    /// Returns a blob.
    #[message(tag = 2, reply = Result<Blob<'_>, Refused>)]
    Get { name: &'a str },
    /// Lists the blobs.
    #[message(tag = 3, items = Entry<'_>)]
    List,
    /// Stores the content of an open file, which the server reads. Answers with its size in bytes.
    #[message(tag = 4, reply = Result<u64, Refused>)]
    Import {
        name: &'a str,
        #[message(fd)]
        file: File,
    },
    /// Removes a blob, if there is one. There is no answer.
    #[message(tag = 5)]
    Remove { name: &'a str },
    /// Sends all changes of blobs whose names begin with `prefix`, until the caller disconnects.
    #[message(tag = 6, items = Change<'_>)]
    Watch { prefix: &'a str },
}

/// A blob.
#[derive(Message, Debug)]
#[message(tag = 1)]
pub(crate) struct Blob<'a>(#[message(rest)] pub(crate) &'a [u8]);

/// The name of a blob, and its size in bytes.
#[derive(Message, Debug)]
#[message(tag = 1, extensible)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) size: u64,
}

/// A change of a blob.
#[derive(Message, Debug)]
#[message(extensible)]
pub(crate) enum Change<'a> {
    #[message(tag = 1)]
    Stored { name: &'a str, size: u64 },
    #[message(tag = 2)]
    Removed { name: &'a str },
    /// A change of a newer server.
    #[message(other)]
    Unknown(Unknown<'a>),
}

/// Why the server refuses.
#[derive(Message, Debug)]
#[message(tag = 1, extensible)]
pub(crate) struct Refused {
    pub(crate) why: String,
}

impl Refused {
    pub(crate) fn new(why: impl fmt::Display) -> Self {
        Self { why: why.to_string() }
    }
}
