use datagrammar::{Message, Protocol};

#[derive(Message)]
#[message(tag = 1)]
struct Blob<'a>(#[message(rest)] &'a [u8]);

#[derive(Message, Protocol)]
enum Blobs<'a> {
    #[message(tag = 1, reply = Blob<'b>)]
    Get(&'a str),
    #[message(tag = 2, items = Blob<'frame>)]
    Watch(&'a str),
    #[message(tag = 3, reply = &'static str)]
    Name,
    #[message(tag = 4, reply = &u64)]
    Len,
}

fn main() {}
