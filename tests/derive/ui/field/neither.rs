use datagrammar::Message;

struct Mode(u32);

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put { name: String, mode: Mode },
}

fn main() {}
