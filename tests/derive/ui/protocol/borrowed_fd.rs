use std::os::fd::BorrowedFd;

use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Files<'a> {
    #[message(tag = 1, reply = Option<BorrowedFd<'_>>)]
    Open,
    #[message(tag = 2)]
    Take(#[message(fd)] BorrowedFd<'a>),
}

fn main() {}
