use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Text(&str),
    #[message(tag = 2)]
    Bytes(&[u8]),
}

fn main() {}
