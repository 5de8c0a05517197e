use datagrammar::Message;

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Put(#[message(rest)] &'a [u8], #[message(rest, rest)] &'a [u8]),
}

fn main() {}
