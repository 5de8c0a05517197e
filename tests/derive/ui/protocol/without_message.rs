use datagrammar::Protocol;

#[derive(Protocol)]
enum Clock {
    #[message(tag = 1, reply = u64)]
    Now,
    #[message(tag = 2)]
    Set(u64),
}

fn main() {}
