use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Query<'a, 'b, T, const N: usize> {
    #[message(tag = 1, reply = u64)]
    Find(&'a str, &'b str, T, [u8; N]),
    #[message(tag = 2, reply = &'static str)]
    New,
}

fn main() {}
