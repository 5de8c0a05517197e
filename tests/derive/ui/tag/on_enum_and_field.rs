use datagrammar::Message;

#[derive(Message)]
#[message(tag = 1)]
enum Request {
    #[message(tag = 2)]
    Get {
        #[message(tag = 3)]
        id: u8,
    },
}

fn main() {}
