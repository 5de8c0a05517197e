use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(#[message(rest = 3)] Vec<u8>),
    #[message(tag = 2)]
    Get(#[message(rest(3))] Vec<u8>),
}

fn main() {}
