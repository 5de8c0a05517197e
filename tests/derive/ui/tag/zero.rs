use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 0)]
    Ping,
}

fn main() {}
