use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message]
    Ping,
    #[message = 2]
    Stop,
    #[message()]
    Get,
}

fn main() {}
