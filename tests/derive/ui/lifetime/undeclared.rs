use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Text(&'a str),
}

fn main() {}
