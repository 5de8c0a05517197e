use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(1)]
    Ping,
}

fn main() {}
