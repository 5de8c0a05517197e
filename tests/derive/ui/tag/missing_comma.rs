use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1 extensible)]
    Ping,
}

fn main() {}
