use datagrammar::Message;

#[derive(Message)]
#[message(reserved(2))]
enum Request {
    #[message(tag = 1)]
    Ping,
    #[message(tag = 4294967295)]
    Last,
    Stop,
    Get(u8),
}

fn main() {}
