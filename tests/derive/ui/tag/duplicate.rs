use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Ping,
    #[message(tag = 2)]
    Stop,
    #[message(tag = 1)]
    Get(u8),
    #[message(tag = 1)]
    Put(u8),
}

fn main() {}
