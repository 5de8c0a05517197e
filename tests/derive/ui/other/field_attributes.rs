use datagrammar::{Message, Unknown};

#[derive(Message)]
enum Request<'a> {
    #[message(other)]
    Unknown(#[message(rest, default)] Unknown<'a>),
}

fn main() {}
