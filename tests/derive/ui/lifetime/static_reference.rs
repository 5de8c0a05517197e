use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Text(&'static str),
    #[message(tag = 2)]
    Optional(Option<&'static str>),
    #[message(tag = 3)]
    Bytes { kept: u8, bytes: &'static [u8] },
    #[message(tag = 4)]
    Rest(#[message(rest)] &'static [u8]),
}

fn main() {}
