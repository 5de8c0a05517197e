use datagrammar::Message;

#[derive(Message)]
#[message(reserved())]
enum Request {
    #[message(tag = 1)]
    Ping,
}

fn main() {}
