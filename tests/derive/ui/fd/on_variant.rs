use std::os::fd::OwnedFd;

use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1, fd)]
    Import(OwnedFd),
}

fn main() {}
