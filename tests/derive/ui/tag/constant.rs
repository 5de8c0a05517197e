use datagrammar::Message;

const FIRST: u32 = 1;

#[derive(Message)]
enum Request {
    #[message(tag = FIRST)]
    Ping,
}

fn main() {}
