use datagrammar::Message;

#[derive(Message)]
#[message(extensible = true)]
enum Request {
    #[message(tag = 1, extensible(false))]
    Ping,
}

fn main() {}
