use datagrammar::Message;

#[derive(Message)]
#[message(codec)]
enum Request {
    #[message(tag = 1)]
    Ping,
}

#[derive(Message)]
#[message(codec = 3)]
enum Reply {
    #[message(tag = 1)]
    Pong,
}

fn main() {}
