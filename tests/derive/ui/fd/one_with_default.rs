use std::os::fd::OwnedFd;

use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Import(#[message(fd, default)] OwnedFd),
    #[message(tag = 2)]
    Fine(#[message(fd, default)] Option<OwnedFd>, #[message(fd, default)] Vec<OwnedFd>),
}

fn main() {}
