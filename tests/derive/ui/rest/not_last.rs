use datagrammar::Message;

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Put {
        #[message(rest)]
        content: &'a [u8],
        name: &'a str,
    },
}

fn main() {}
