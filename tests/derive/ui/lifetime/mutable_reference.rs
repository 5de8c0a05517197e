use datagrammar::Message;

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Bytes(&'a mut [u8]),
    #[message(tag = 2)]
    Optional(Option<&'a mut str>),
    #[message(tag = 3)]
    Rest(#[message(rest)] &'a mut [u8]),
}

fn main() {}
