use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tags = 1, rest, extensible = 3, other(2))]
    Ping,
}

fn main() {}
