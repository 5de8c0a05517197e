use datagrammar::Message;

#[derive(Message)]
#[message(reserved(2, 4..6, 7.., x, 9))]
enum Request {
    #[message(tag = 1)]
    Ping,
    #[message(tag = 1)]
    Stop,
    #[message(tag = 9)]
    Gone,
}

fn main() {}
