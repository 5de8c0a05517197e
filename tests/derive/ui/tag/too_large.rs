use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 4294967296)]
    Ping,
    #[message(tag = 99999999999999999999999999)]
    Stop,
}

fn main() {}
