use datagrammar::Message;

#[derive(Message)]
#[message(reserved(3), other)]
struct Beat {
    #[message(rest)]
    seq: u64,
    #[message(default)]
    count: u32,
    name: &'static str,
}

fn main() {}
