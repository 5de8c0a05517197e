use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Import(#[message(fd)] u32),
    #[message(tag = 2)]
    Names(#[message(fd)] Vec<String>),
}

fn main() {}
