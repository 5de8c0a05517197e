use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
#[message(reply = u64)]
enum Clock {
    #[message(tag = 1)]
    Set {
        #[message(items = u64)]
        to: u64,
    },
}

fn main() {}
