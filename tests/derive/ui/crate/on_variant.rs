use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1, crate = datagrammar)]
    Ping,
}

fn main() {}
