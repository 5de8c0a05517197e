use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1, codec = datagrammar::codec::Bincode)]
    Put(#[message(codec = datagrammar::codec::Bincode)] u32),
}

fn main() {}
