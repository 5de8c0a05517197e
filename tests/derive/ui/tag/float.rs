use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1.0)]
    Ping,
}

fn main() {}
