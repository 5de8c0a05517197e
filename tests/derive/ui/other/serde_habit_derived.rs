use datagrammar::Message;
use serde::{Deserialize, Serialize};

#[derive(Message, Serialize, Deserialize)]
enum Colour {
    #[message(tag = 1)]
    Red,
    #[serde(other)]
    Unknown,
}

#[derive(Message)]
#[message(tag = 1)]
struct Wall {
    #[message(nested)]
    colour: Colour,
}

fn main() {}
