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

#[derive(Message)]
enum Colour {
    #[message(other)]
    Unknown,
    #[message(other)]
    Newer,
}

#[derive(Message)]
enum Both {
    #[message(other)]
    Unknown(Unknown<'static>),
    #[message(other)]
    Newer,
}

fn main() {}
