use std::error::Error;
use std::fmt::Debug;

use datagrammar::Message;

#[derive(Message)]
enum Event<'a> {
    #[message(tag = 1)]
    Failed(Option<Box<dyn Error + Send>>),
    #[message(tag = 2)]
    Debugged { value: &'a dyn Debug },
}

fn main() {}
