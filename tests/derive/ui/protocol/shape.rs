use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
#[message(tag = 1)]
struct Beat {
    seq: u64,
}

fn main() {}
