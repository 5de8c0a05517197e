use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put {
        #[message(default)]
        mode: u32,
        #[message(rest)]
        content: Vec<u8>,
    },
}

fn main() {}
