use datagrammar::Message;

struct Mode(u32);

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(Vec<Mode>),
}

fn main() {}
