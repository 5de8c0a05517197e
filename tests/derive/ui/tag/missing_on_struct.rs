use datagrammar::Message;

#[derive(Message)]
struct Beat {
    seq: u64,
}

fn main() {}
