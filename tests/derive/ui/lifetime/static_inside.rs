use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Texts(Vec<&'static str>),
}

fn main() {}
