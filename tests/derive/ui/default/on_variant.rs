use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1, default)]
    Put(u32),
}

fn main() {}
