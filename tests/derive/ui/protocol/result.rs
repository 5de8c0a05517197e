use std::io;

use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Files {
    #[message(tag = 1, reply = io::Result<u64>)]
    Len,
}

fn main() {}
