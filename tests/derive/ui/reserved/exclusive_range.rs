use datagrammar::Message;

#[derive(Message)]
#[message(reserved(2..5))]
enum Request {
    #[message(tag = 1)]
    Ping,
}

fn main() {}
