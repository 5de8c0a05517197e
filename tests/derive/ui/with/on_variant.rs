use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1, with = hex)]
    Put(u64),
}

fn main() {}
