use datagrammar::{Message, Protocol};

#[derive(Message)]
#[message(tag = 1)]
struct Blob<'a>(#[message(rest)] &'a [u8]);

#[derive(Message, Protocol)]
enum Blobs {
    #[message(tag = 1, reply = Blob)]
    Get(u64),
    #[message(tag = 2, items = Blob)]
    List,
}

fn main() {}
