use datagrammar::{Message, Unknown};

#[derive(Message)]
enum Request<'a> {
    #[message(other = 3)]
    Unknown(Unknown<'a>),
}

fn main() {}
