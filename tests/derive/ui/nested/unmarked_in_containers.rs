use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use datagrammar::{Message, Protocol};
use serde::{Deserialize, Serialize};

#[derive(Message, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Shape {
    #[message(tag = 9)]
    Empty,
}

type Shapes = Box<[Shape]>;

#[derive(Message)]
enum Drawing {
    #[message(tag = 1)]
    Boxed(Shapes),
    #[message(tag = 2)]
    Set(Option<Box<BTreeSet<Shape>>>),
    #[message(tag = 3)]
    Key { names: BTreeMap<Shape, String> },
    #[message(tag = 4)]
    Error(Vec<Result<u8, Shape>>),
    #[message(tag = 5)]
    Cell(RefCell<Shape>),
    #[message(tag = 6)]
    Cow(Cow<'static, [Shape]>),
    #[message(tag = 7)]
    Tuple(BTreeMap<u8, (Shape, u8)>),
}

#[derive(Message, Protocol)]
enum Calls {
    #[message(tag = 1, reply = Option<Result<u8, Shape>>)]
    Draw,
}

fn main() {}
