use datagrammar::Message;

#[derive(Message)]
#[message(reserved(2, 5..=7))]
enum Request {
    #[message(tag = 2)]
    Ping,
    #[message(tag = 4)]
    Stop,
    #[message(tag = 6)]
    Get,
    Put,
}

fn main() {}
