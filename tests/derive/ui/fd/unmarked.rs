use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use datagrammar::Message;

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Import(OwnedFd),
    #[message(tag = 2)]
    Lend(Option<BorrowedFd<'a>>, Vec<File>),
    #[message(tag = 3)]
    Connect { stream: std::os::unix::net::UnixStream, other: UnixStream },
    #[message(tag = 4)]
    Draw(Option<datagrammar::SharedBytes>),
}

fn main() {}
