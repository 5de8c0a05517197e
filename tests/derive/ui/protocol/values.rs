use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 1, reply)]
    Now,
    #[message(tag = 2, reply = "u64")]
    Then,
    #[message(tag = 3, items(u64))]
    Ticks,
    #[message(tag = 4, reply = u64, reply = u32)]
    Twice,
    #[message(tag = 5, reply = u64 Error)]
    Junk,
}

fn main() {}
