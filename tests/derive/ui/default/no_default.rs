use datagrammar::Message;

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Mode(u32);

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put {
        name: String,
        #[message(default)]
        mode: Mode,
    },
}

fn main() {}
