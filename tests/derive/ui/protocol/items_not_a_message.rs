use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 1, items = u64)]
    Ticks,
}

fn main() {}
