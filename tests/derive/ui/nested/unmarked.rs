use std::collections::BTreeMap;

use datagrammar::Message;
use serde::{Deserialize, Serialize};

#[derive(Message, Serialize, Deserialize)]
enum Shape {
    #[message(tag = 9)]
    Empty,
}

#[derive(Message)]
enum Drawing {
    #[message(tag = 1)]
    One(Shape),
    #[message(tag = 2)]
    Several { shapes: BTreeMap<u8, Vec<Option<Shape>>> },
    #[message(tag = 3)]
    Tuple(Vec<(u8, Shape)>),
}

fn main() {}
