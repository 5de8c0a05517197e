use datagrammar::{Message, Protocol};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct File {
    name: String,
}

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(File),
}

#[derive(Message, Protocol)]
enum Calls {
    #[message(tag = 1, reply = File)]
    Get,
}

fn main() {}
