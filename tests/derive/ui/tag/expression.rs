use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1 + 1)]
    Ping,
    #[message(tag = 1 << 4)]
    Stop,
}

fn main() {}
