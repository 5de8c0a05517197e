use datagrammar::{Message, Protocol, Unknown};

#[derive(Message, Protocol)]
enum Clock<'a> {
    #[message(tag = 1, reply = u64)]
    Now,
    #[message(other, reply = u64, name = other)]
    Other(Unknown<'a>),
}

fn main() {}
