use datagrammar::{Message, Protocol};

struct Time;

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 1, reply = Time)]
    Now,
}

fn main() {}
