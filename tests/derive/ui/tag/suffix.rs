use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1u8)]
    Ping,
}

fn main() {}
