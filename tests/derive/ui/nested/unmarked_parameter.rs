use datagrammar::Message;
use serde::{Serialize, de::DeserializeOwned};

#[derive(Message)]
#[message(tag = 1)]
struct Envelope<M: Message + Serialize + DeserializeOwned> {
    id: u64,
    body: M,
}

fn main() {}
