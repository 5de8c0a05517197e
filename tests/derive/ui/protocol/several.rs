use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Clock {
    #[message(tag = 0, reply = u64)]
    Now,
    #[message(reply = u64, items = u64)]
    Then,
    #[message(tag = 3, reply = &'b str)]
    Zone,
}

struct Handler;

impl ClockHandler for Handler {
    fn now(&self, _: &datagrammar::calls::Context) -> u64 {
        0
    }

    fn then(&self, _: &datagrammar::calls::Context) -> u64 {
        0
    }

    fn zone(
        &self,
        _: &datagrammar::calls::Context,
        _: datagrammar::calls::Responder<ClockZoneAnswer<'static>>,
    ) {
    }
}

fn use_it(client: &ClockClient) -> u64 {
    client.now().unwrap()
}

fn main() {}
