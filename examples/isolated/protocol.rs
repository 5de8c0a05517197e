//! The protocol of the program and its parser.

use std::fs::File;

use datagrammar::Message;

/// A request to the parser.
#[derive(Message, Debug)]
pub(crate) enum Ask {
    /// Describe this picture. The parser gets an open file, because it cannot open any itself.
    #[message(tag = 1)]
    Picture {
        #[message(fd)]
        file: File,
    },
    /// Try to do what must fail.
    #[message(tag = 2)]
    Escape,
    /// Crash.
    #[message(tag = 3)]
    Crash,
}

/// An answer of the parser.
#[derive(Message, Debug)]
pub(crate) enum Tell<'a> {
    /// The first message of a parser: it is confined and ready.
    #[message(tag = 4)]
    Ready,
    /// The header of a completely decoded picture, and the sum of its bytes.
    #[message(tag = 1)]
    Picture { width: u32, height: u32, channels: u8, bits: u8, bytes: u64, sum: u64 },
    #[message(tag = 2)]
    Refused { why: &'a str },
    /// How opening a path and connecting to a server failed. Empty for what succeeded.
    #[message(tag = 3)]
    Confined { path: &'a str, network: &'a str },
}
