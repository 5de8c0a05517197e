use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tags = 1)]
    Ping,
    #[message(Tag = 2)]
    Stop,
}

fn main() {}
