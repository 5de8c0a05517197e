use datagrammar::Message;

#[derive(Message)]
#[message(extensible, extensible)]
enum Request {
    #[message(tag = 1)]
    Ping,
}

fn main() {}
