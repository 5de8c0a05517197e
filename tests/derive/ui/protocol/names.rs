use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 1)]
    New,
    #[message(tag = 2)]
    SetTo(u64),
    #[message(tag = 3, name = set_to)]
    Set(u64),
    #[message(tag = 4, name = deadline)]
    Limit(u64),
    #[message(tag = 5)]
    Super,
}

fn main() {}
