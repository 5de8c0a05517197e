use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(#[message(rest, with = bytes)] Vec<u8>),
}

fn main() {}
