use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 1, name = "set")]
    SetTo(u64),
    #[message(tag = 2, name)]
    Stop,
    #[message(tag = 3, name = 7)]
    Seven,
    #[message(tag = 4, name = type)]
    Type,
}

fn main() {}
