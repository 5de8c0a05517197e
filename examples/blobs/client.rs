//! The client: its calls, with errors that people can read.

use std::fs::File;
use std::sync::Arc;

use anyhow::{anyhow, ensure};
use datagrammar::Connection;
use datagrammar::calls::{Answers, CallError, Client as Calls};

use crate::log::Log;
use crate::protocol::{Blobs, BlobsClient, Change, Entry, Refused};

/// A client of the server, and the log of its frames.
pub(crate) struct Client {
    calls: BlobsClient,
    pub(crate) log: Arc<Log>,
}

impl Client {
    pub(crate) fn new(
        connection: Connection<Blobs<'static>, Answers<Blobs<'static>>>,
        log: Log,
    ) -> Self {
        let log = Arc::new(log);
        let observer = Arc::clone(&log);
        let calls = Calls::observed(connection, move |frame| observer.observe(frame));
        Self { calls: calls.into(), log }
    }

    /// Stores a blob of any size, in one message.
    pub(crate) fn put(&self, name: &str, content: &[u8]) -> anyhow::Result<Put> {
        self.log.set_subject(name);
        match self.calls.put(name, content) {
            Ok(size) => {
                ensure!(size == content.len() as u64, "the server stored {size} bytes");
                Ok(Put::Stored)
            }
            Err(CallError::Answered(Refused { why })) => Ok(Put::Refused(printable(&why))),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the server read and store an open file. Returns the size that the server found.
    pub(crate) fn import(&self, name: &str, file: File) -> anyhow::Result<u64> {
        self.log.set_subject(name);
        self.calls.import(name, file).map_err(explain)
    }

    /// Passes the content of a blob to `take`.
    pub(crate) fn get<T>(&self, name: &str, take: impl FnOnce(&[u8]) -> T) -> anyhow::Result<T> {
        self.log.set_subject(name);
        let mut answer = self.calls.get(name)?;
        let blob = answer.decode().map_err(explain)?;
        Ok(take(blob.0))
    }

    /// Calls `each` with the name and the size of each blob.
    pub(crate) fn list(&self, mut each: impl FnMut(&str, u64)) -> anyhow::Result<()> {
        self.log.set_subject("");
        let mut entries = self.calls.list()?;
        while let Some(Entry { name, size }) = entries.recv()? {
            each(name, size);
        }
        Ok(())
    }

    /// Removes a blob.
    pub(crate) fn remove(&self, name: &str) -> anyhow::Result<()> {
        Ok(self.calls.remove(name)?)
    }

    /// Calls `each` with every change, until the server ends them.
    pub(crate) fn watch(
        &self,
        prefix: &str,
        mut each: impl FnMut(&Change<'_>),
    ) -> anyhow::Result<()> {
        let mut changes = self.calls.watch(prefix)?;
        while let Some(change) = changes.recv()? {
            each(&change);
        }
        Ok(())
    }
}

/// The result of storing a blob.
pub(crate) enum Put {
    Stored,
    /// The server's reason, escaped for printing.
    Refused(String),
}

fn explain(error: CallError<Refused>) -> anyhow::Error {
    match error {
        CallError::Answered(Refused { why }) => {
            anyhow!("the server refuses: {}", printable(&why))
        }
        error => error.into(),
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
