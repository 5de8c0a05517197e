use datagrammar::{Message, Unknown};

#[derive(Message)]
enum NamedField<'a> {
    #[message(other)]
    Unknown { unknown: Unknown<'a> },
}

#[derive(Message)]
enum TwoFields<'a> {
    #[message(other)]
    Unknown(Unknown<'a>, u32),
}

#[derive(Message)]
enum Tag {
    #[message(tag = 1)]
    Red,
    #[message(other)]
    Unknown(u32),
}

fn main() {}
