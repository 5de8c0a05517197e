use std::os::fd::OwnedFd;

use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Import(#[message(fd = 3)] OwnedFd),
}

fn main() {}
