use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1, tag = 2)]
    Ping,
    #[message(tag = 3)]
    #[message(tag = 4)]
    Stop,
}

fn main() {}
