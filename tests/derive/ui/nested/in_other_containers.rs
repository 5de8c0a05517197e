use std::collections::BTreeMap;
use datagrammar::Message;

#[derive(Message)]
enum Shape {
    #[message(tag = 1)]
    Circle { radius: u32 },
}

#[derive(Message)]
#[message(tag = 1)]
struct Drawing {
    #[message(nested)]
    shapes: BTreeMap<u8, Shape>,
}

#[derive(Message)]
#[message(tag = 1)]
struct Array {
    #[message(nested)]
    shapes: [Shape; 2],
}

#[derive(Message)]
#[message(tag = 1)]
struct Tuple {
    #[message(nested)]
    shapes: (Shape, u8),
}

fn main() {}
