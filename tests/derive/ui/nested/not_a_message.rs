use datagrammar::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Point(u8);

#[derive(Message)]
#[message(tag = 1)]
struct Drawing {
    #[message(nested)]
    at: Point,
}

fn main() {}
