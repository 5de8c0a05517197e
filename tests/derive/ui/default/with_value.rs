use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(#[message(default = 3)] u32),
    #[message(tag = 2)]
    Get(#[message(default = "three")] u32),
}

fn main() {}
