use datagrammar::Message;

#[derive(Message)]
#[message(crate)]
enum Request {
    #[message(tag = 1)]
    Ping,
}

#[derive(Message)]
#[message(crate = 3)]
enum Reply {
    #[message(tag = 1)]
    Pong,
}

fn main() {}
