use datagrammar::Message;

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Number(&'a u32),
    #[message(tag = 2)]
    Words(&'a [u16]),
}

fn main() {}
