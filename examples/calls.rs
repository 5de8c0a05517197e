//! A protocol with answers: both sides in one file.

use std::{error::Error, thread};

use datagrammar::calls::{Context, Server};
use datagrammar::{Connection, Message, Protocol};

#[derive(Message, Protocol)]
enum Numbers<'a> {
    /// Adds the numbers in a text, such as "1 2 3".
    #[message(tag = 1, reply = Result<u64, String>)]
    Sum { text: &'a str },
}

struct Handler;

impl NumbersHandler for Handler {
    fn sum(&self, _cx: &Context, text: &str) -> Result<u64, String> {
        text.split(' ').map(|number| number.parse::<u64>().map_err(|error| error.to_string())).sum()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (client, server) = Connection::pair()?; // or `NumbersClient::connect` and `Server::run`
    thread::spawn(|| Server::new(NumbersService(Handler)).serve(server));
    let client = NumbersClient::new(client); // clone it for other threads
    println!("the sum is {}", client.sum("1 2 3")?);
    println!("no sum: {:?}", client.sum("1 x 3"));
    Ok(())
}
