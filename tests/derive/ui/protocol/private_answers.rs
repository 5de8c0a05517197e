#![deny(private_interfaces, private_bounds)]

use datagrammar::{Message, Protocol};

#[derive(Message)]
enum Refused {
    #[message(tag = 1)]
    Full,
}

#[derive(Message, Protocol)]
pub enum Blobs<'a> {
    #[message(tag = 1, reply = Result<u64, Refused>)]
    Put(&'a [u8]),
}

fn main() {}
