//! A person at a terminal: lines in, lines out.

use datagrammar::Address;
use datagrammar::tokio::Connection;
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};

use crate::protocol::{Event, Request};

/// Says each line of the standard input, and prints what others say.
pub(crate) async fn run(address: &Address, room: &str, name: &str) -> anyhow::Result<()> {
    let connection = Connection::<Request<'static>, Event<'static>>::connect(address).await?;
    let (mut tx, mut rx) = connection.split();
    tx.send(&Request::Join { room, name }).await?;
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        // Both futures are cancel-safe: no line and no frame is lost.
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(text) => _ = tx.send(&Request::Say { text: &text }).await?,
                None => return Ok(()),
            },
            frame = rx.recv() => match frame? {
                Some(frame) => print(&frame.decode()?),
                None => return Ok(()),
            },
        }
    }
}

/// Prints an event. Names and texts come from other people, so control characters are escaped.
fn print(event: &Event<'_>) {
    match event {
        Event::Said { name, text } => {
            println!("{}: {}", name.escape_debug(), text.escape_debug());
        }
        Event::Joined { name, members } => {
            println!("* {} has joined: {members} in the room", name.escape_debug());
        }
        Event::Left { name } => println!("* {} has left", name.escape_debug()),
        Event::Goodbye { reason } => println!("* goodbye: {}", reason.escape_debug()),
        Event::Unknown(unknown) => println!("* an event of a newer server, {}", unknown.tag()),
    }
}
