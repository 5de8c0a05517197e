use datagrammar::Message;

#[derive(Message)]
#[message(reserved(0, 2))]
enum Request {
    #[message(tag = 1)]
    Ping,
}

fn main() {}
