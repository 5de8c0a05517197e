use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(#[message(with)] u32),
    #[message(tag = 2)]
    Get(#[message(with())] u32),
}

fn main() {}
