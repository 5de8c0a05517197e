use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 1, reply = u64, items = u64)]
    Now,
}

fn main() {}
