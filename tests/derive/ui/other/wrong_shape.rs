use datagrammar::{Message, Unknown};

#[derive(Message)]
enum NoField {
    #[message(other)]
    Unknown,
}

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

fn main() {}
