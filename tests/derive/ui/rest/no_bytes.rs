use datagrammar::Message;

struct Content(Vec<u8>);

#[derive(Message)]
#[message(tag = 1)]
struct Put(#[message(rest)] Content);

fn main() {}
