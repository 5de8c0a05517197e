use std::os::fd::OwnedFd;

use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Import(#[message(fd, with = path)] OwnedFd),
    #[message(tag = 2)]
    Rest(#[message(rest, fd)] OwnedFd),
}

fn main() {}
