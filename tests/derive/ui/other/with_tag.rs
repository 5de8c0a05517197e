use datagrammar::{Message, Unknown};

#[derive(Message)]
enum Request<'a> {
    #[message(other, tag = 1, extensible)]
    Unknown(Unknown<'a>),
}

fn main() {}
