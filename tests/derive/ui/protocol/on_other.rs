use datagrammar::{Message, Protocol, Unknown};

#[derive(Message, Protocol)]
enum Clock<'a> {
    #[message(tag = 1, reply = u64)]
    Now,
    #[message(other, reply = u64, name = other)]
    Other(Unknown<'a>),
}

#[derive(Message, Protocol)]
enum Timer {
    #[message(tag = 1, reply = u64)]
    Left,
    #[message(other, reply = u64)]
    Other,
}

fn main() {}
