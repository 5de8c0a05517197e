use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1, message::tag = 2)]
    Ping,
}

fn main() {}
