use std::io;
use std::os::fd::BorrowedFd;

use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Files {
    #[message(tag = 1, reply = io::Result<u64>)]
    Len,
    #[message(tag = 2, reply = BorrowedFd<'_>)]
    Open,
}

fn main() {}
