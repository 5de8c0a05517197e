use datagrammar::Message;

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put {
        name: String,
        #[message(default)]
        mode: u32,
        owner: u32,
        group: u32,
    },
}

fn main() {}
