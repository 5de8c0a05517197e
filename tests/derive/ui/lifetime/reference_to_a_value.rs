use datagrammar::Message;

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Number(&'a u32),
    #[message(tag = 2)]
    Words(&'a [u16]),
    #[message(tag = 3)]
    Bytes(&'a Vec<u8>),
    #[message(tag = 4)]
    Text(Option<&'a String>),
    #[message(tag = 5)]
    Inside(Vec<&'a [u32]>, (u8, &'a [u8; 4])),
}

fn main() {}
