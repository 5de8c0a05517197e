use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Ping,
    #[serde(other)]
    Unknown,
}

fn main() {}
