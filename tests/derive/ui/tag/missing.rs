use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 3)]
    Ping,
    Stop,
    Get(u8),
}

fn main() {}
