//! The client: one method for each request.

use std::fs::File;

use anyhow::{Context as _, bail};
use datagrammar::{Connection, Message, Receiver, Sender};

use crate::log::{Direction, Log, Tally};
use crate::protocol::{Reply, Request};

/// A connection to the server, and the log of its frames.
pub(crate) struct Client {
    tx: Sender<Request<'static>>,
    rx: Receiver<Reply<'static>>,
    pub(crate) log: Log,
    /// Counts the sent frames.
    pub(crate) sent: Tally,
}

impl Client {
    pub(crate) fn new(connection: Connection<Request<'static>, Reply<'static>>, log: Log) -> Self {
        let (tx, rx) = connection.split();
        Self { tx, rx, log, sent: Tally::default() }
    }

    /// Stores a blob of any size, in one message.
    pub(crate) fn put(&mut self, name: &str, content: &[u8]) -> anyhow::Result<Put> {
        let size = content.len() as u64;
        let put = Request::Put { name, size, content };
        self.sent.add(self.tx.send(&put).context("sending a Put")?);
        match self.reply(name)? {
            Reply::Stored { size: stored } if stored == size => Ok(Put::Stored),
            Reply::Refused { why } => Ok(Put::Refused(printable(why))),
            other => unexpected(&other),
        }
    }

    /// Makes the server read and store an open file. Returns the size that the server found.
    pub(crate) fn import(&mut self, name: &str, file: File) -> anyhow::Result<u64> {
        let import = Request::Import { name, file };
        self.sent.add(self.tx.send(&import).context("sending an Import")?);
        match self.reply(name)? {
            Reply::Stored { size } => Ok(size),
            other => unexpected(&other),
        }
    }

    /// Passes the content of a blob to `take`.
    pub(crate) fn get<T>(
        &mut self,
        name: &str,
        take: impl FnOnce(&[u8]) -> T,
    ) -> anyhow::Result<T> {
        let len = self.tx.send(&Request::Get { name }).context("sending a Get")?;
        self.sent.add(len);
        match self.reply(name)? {
            Reply::Blob { name: found, size, content }
                if found == name && size == content.len() as u64 =>
            {
                Ok(take(content))
            }
            other => unexpected(&other),
        }
    }

    /// Calls `each` with the name and the size of each blob.
    pub(crate) fn list(&mut self, mut each: impl FnMut(&str, u64)) -> anyhow::Result<()> {
        let len = self.tx.send(&Request::List).context("sending a List")?;
        self.sent.add(len);
        let mut listed = 0;
        loop {
            match self.reply("")? {
                Reply::Entry { name, size } => each(name, size),
                Reply::End { entries } if entries == listed => return Ok(()),
                other => return unexpected(&other),
            }
            listed += 1;
        }
    }

    fn reply(&mut self, subject: &str) -> anyhow::Result<Reply<'_>> {
        let frame = self.rx.recv().context("receiving a reply")?.context("the server is gone")?;
        let len = frame.len();
        let reply = frame.decode().context("decoding a reply")?;
        self.log.received(Direction::ToClient, len, &reply, subject);
        Ok(reply)
    }
}

/// The result of storing a blob.
pub(crate) enum Put {
    Stored,
    /// The server's reason, escaped for printing.
    Refused(String),
}

fn unexpected<T>(reply: &Reply<'_>) -> anyhow::Result<T> {
    match reply {
        Reply::Refused { why } => bail!("the server refuses: {}", printable(why)),
        other => bail!("the server answered a {} that does not fit the question", other.name()),
    }
}

/// Escapes the control characters of text from the server, which a terminal could interpret.
fn printable(text: &str) -> String {
    let escaped = text.chars().map(|each| match each {
        '"' | '\'' => each.to_string(),
        each => each.escape_debug().to_string(),
    });
    escaped.collect()
}
