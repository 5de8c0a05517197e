//! A store of blobs, as in the documentation.

use std::fs::File;

use datagrammar::{Message, Protocol};
use serde::{Deserialize, Serialize};

#[derive(Message, Debug, PartialEq)]
#[message(tag = 5)]
pub(crate) struct Blob<'a> {
    pub(crate) name: &'a str,
    #[message(rest)]
    pub(crate) content: &'a [u8],
}

#[derive(Message, Debug, PartialEq)]
pub(crate) enum Change<'a> {
    #[message(tag = 1)]
    Added(&'a str),
    #[message(tag = 2)]
    Removed(&'a str),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Refused {
    Full,
    NotFound,
}

/// A store of blobs.
#[derive(Message, Protocol)]
pub(crate) enum Blobs<'a> {
    /// Stores `content` under `name`; answers with the bytes stored so far.
    #[message(tag = 1, reply = Result<u64, Refused>)]
    Put {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 2, reply = Result<Blob<'_>, Refused>)]
    Get { name: &'a str },
    /// Sends everything that changes under `prefix`, until the caller disconnects.
    #[message(tag = 3, items = Change<'_>)]
    Watch { prefix: &'a str },
    #[message(tag = 4, reply = Result<u64, Refused>)]
    Import {
        name: &'a str,
        #[message(fd)]
        file: File,
    },
    /// No answer.
    #[message(tag = 5)]
    Touch { name: &'a str },
    #[message(tag = 6, reply = Result<File, Refused>)]
    Export { name: &'a str },
}
