use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag)]
    Ping,
    #[message(tag(2))]
    Stop,
    #[message(tag = )]
    Get,
}

fn main() {}
