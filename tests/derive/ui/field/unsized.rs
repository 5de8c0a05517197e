use std::fmt::Debug;

use datagrammar::Message;

#[derive(Message)]
#[message(tag = 1)]
struct Name {
    name: str,
}

#[derive(Message)]
#[message(tag = 1)]
struct Blob<'b> {
    name: &'b str,
    content: [u8],
}

#[derive(Message)]
#[message(tag = 1)]
struct Numbers([u32]);

#[derive(Message)]
#[message(tag = 1)]
struct Bare(dyn Debug);

fn main() {}
