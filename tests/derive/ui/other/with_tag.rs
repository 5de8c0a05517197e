use datagrammar::{Message, Unknown};

#[derive(Message)]
enum Request<'a> {
    #[message(other, tag = 1, extensible)]
    Unknown(Unknown<'a>),
}

#[derive(Message)]
enum Colour {
    #[message(other, tag = 1, extensible)]
    Unknown,
}

fn main() {}
