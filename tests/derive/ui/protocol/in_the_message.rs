use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 1, items = Self)]
    Ticks,
    #[message(tag = 1, items = Self)]
    Beats,
    #[message(tag = 1, reply = u64)]
    Now(&'static str),
}

fn main() {}
