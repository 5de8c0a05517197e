use datagrammar::{Message, Unknown};

#[derive(Message)]
enum Request {
    #[message(other)]
    Unknown(Unknown),
}

fn main() {}
