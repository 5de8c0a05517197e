#![deny(unused_must_use)]

use datagrammar::calls::CallError;
use datagrammar::{Message, Protocol};

#[derive(Message, Protocol)]
enum Names<'a> {
    #[message(tag = 1, reply = Result<(), &str>)]
    Add { name: &'a str },
    #[message(tag = 2, items = Name)]
    List,
}

#[derive(Message)]
#[message(tag = 1)]
struct Name(String);

fn use_none(client: &NamesClient) -> Result<(), CallError> {
    client.add("a")?;
    client.list()?;
    Ok(())
}

fn main() {}
