use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(#[message(with = 3)] u32),
    #[message(tag = 2)]
    Get(#[message(with = "not a path")] u32),
    #[message(tag = 3)]
    Stop(#[message(with = "")] u32),
}

fn main() {}
