use datagrammar::Message;

#[derive(Message)]
#[message(rest)]
enum Request {
    #[message(tag = 1, rest)]
    Put(Vec<u8>),
}

fn main() {}
