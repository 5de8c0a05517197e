use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1, extensible)]
    Put(#[message(rest)] Vec<u8>),
}

fn main() {}
