use std::fs::File;
use std::os::fd::{OwnedFd, RawFd};

use datagrammar::Message;

struct Log {
    file: OwnedFd,
}

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Raw(#[message(fd)] RawFd),
    #[message(tag = 2)]
    Array(#[message(fd)] [File; 2]),
    #[message(tag = 3)]
    Struct(#[message(fd)] Log),
    #[message(tag = 4)]
    Boxed(#[message(fd)] Box<File>),
}

fn main() {}
