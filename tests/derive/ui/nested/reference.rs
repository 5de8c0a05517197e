use datagrammar::Message;

#[derive(Message)]
#[message(tag = 1)]
struct Shape {
    radius: u32,
}

#[derive(Message)]
#[message(tag = 1)]
struct Drawing<'a> {
    #[message(nested)]
    shape: &'a Shape,
    name: &'a str,
}

fn main() {}
