use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(#[message(with = hex)] u32),
}

fn main() {}
