use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(#[message(serialize_with = "hex::serialize")] u64),
    #[message(tag = 2)]
    Get(#[message(skip)] u64, #[message(flatten)] u64, #[message(rename = "x")] u64),
}

fn main() {}
