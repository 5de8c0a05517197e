use datagrammar::calls::Context;
use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(other = 5)]
    Newer,
    #[message(tag = 1, reply = u64)]
    After(u64),
}

struct Handler;

impl ClockHandler for Handler {
    fn after(&self, _: &Context, value: u64) -> u64 {
        value
    }
}

fn main() {}
