use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(#[message(rest, default)] Vec<u8>),
}

fn main() {}
