//! What the program and its parser say to each other.

use std::fs::File;

use datagrammar::Message;

/// What the parser is asked.
#[derive(Message, Debug)]
pub(crate) enum Ask {
    /// What is in this picture? The parser gets it open, as it can open nothing itself.
    #[message(tag = 1)]
    Picture {
        #[message(fd)]
        file: File,
    },
    /// To try what it must not be able to do.
    #[message(tag = 2)]
    Escape,
    /// To crash, as parsers do.
    #[message(tag = 3)]
    Crash,
}

/// What the parser answers.
#[derive(Message, Debug)]
pub(crate) enum Tell<'a> {
    /// The first thing that a parser says: it is confined, and waits to be asked.
    #[message(tag = 4)]
    Ready,
    /// The header of a picture whose data could all be decoded, and the sum of its bytes.
    #[message(tag = 1)]
    Picture { width: u32, height: u32, channels: u8, bits: u8, bytes: u64, sum: u64 },
    #[message(tag = 2)]
    Refused { why: &'a str },
    /// How opening a path and connecting to a server failed; what succeeded is empty.
    #[message(tag = 3)]
    Confined { path: &'a str, network: &'a str },
}
