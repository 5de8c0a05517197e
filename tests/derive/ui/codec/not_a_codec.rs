use datagrammar::Message;

struct Json;

#[derive(Message)]
#[message(codec = Json)]
enum Request {
    #[message(tag = 1)]
    Put(u64, Vec<u8>, Option<Vec<u8>>),
}

fn main() {}
