use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 0, reply = u64)]
    Now,
    #[message(reply = u64, items = u64)]
    Then,
    #[message(tag = 3, answer = u64)]
    New,
}

fn use_it(client: &ClockClient) {
    _ = client.now();
}

fn main() {}
