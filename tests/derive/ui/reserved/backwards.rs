use datagrammar::Message;

#[derive(Message)]
#[message(reserved(9..=7))]
enum Request {
    #[message(tag = 1)]
    Ping,
}

fn main() {}
