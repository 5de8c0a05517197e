use datagrammar::{Message, Unknown};

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Unknown(Unknown<'a>),
}

fn main() {}
