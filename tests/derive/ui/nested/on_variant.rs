use datagrammar::Message;

#[derive(Message)]
enum Drawing {
    #[message(tag = 1, nested)]
    Empty(u8),
}

fn main() {}
