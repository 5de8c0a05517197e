use datagrammar::Message;

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Get(&'a str),
    #[message(other)]
    Unknown(&'a [u8]),
}

#[derive(Message)]
enum Reply {
    #[message(other)]
    Unknown(Vec<u8>),
}

fn main() {}
