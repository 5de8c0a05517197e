use datagrammar::Message;

#[derive(Message)]
#[message(reserved("Stop", Get))]
enum Request {
    #[message(tag = 1)]
    Ping,
}

fn main() {}
