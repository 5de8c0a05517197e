use datagrammar::Message;

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Text(#[message(rest)] &'a str),
    #[message(tag = 2)]
    Optional(#[message(rest)] Option<Vec<u8>>),
    #[message(tag = 3)]
    Words(#[message(rest)] Vec<u16>),
    #[message(tag = 4)]
    Array(#[message(rest)] [u8; 4]),
}

fn main() {}
