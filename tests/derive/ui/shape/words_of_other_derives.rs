use datagrammar::Message;

#[derive(Message)]
#[message(rename_all = "camelCase")]
enum Request {
    #[message(tag = 1, rename = "ping")]
    Ping,
}

fn main() {}
