use datagrammar::{Message, Unknown};

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Ping,
    #[message(other)]
    Unknown(Unknown<'a>),
    #[message(other)]
    Newer(Unknown<'a>),
}

fn main() {}
