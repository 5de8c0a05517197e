//! The receiving process: says when it is ready, when it has the message, and what it measured.

use std::time::Duration;

use anyhow::Result;
use datagrammar_benches::usage;

use crate::content;
use crate::ways::Way;

/// The line that says that the receiver waits for the message.
pub(crate) const READY: &str = "ready";

/// The line that says that the receiver has it.
pub(crate) const RECEIVED: &str = "received";

/// Receives one message of `mib` MiB. `address` is that of the sender, where the way has one.
pub(crate) fn run(way: Way, mib: usize, address: Option<String>) -> Result<()> {
    way.receive(&mut Watch { mib, before: 0, cpu_before: Duration::ZERO }, address)
}

/// Measures a receive, and reports it to the sender.
pub(crate) struct Watch {
    mib: usize,
    before: u64,
    cpu_before: Duration,
}

impl Watch {
    /// How long the message will be, in bytes.
    pub(crate) fn len(&self) -> usize {
        content::len(self.mib)
    }

    /// What is measured begins.
    pub(crate) fn ready(&mut self) -> Result<()> {
        self.before = usage::peak_kib()?;
        self.cpu_before = usage::cpu_time()?;
        println!("{READY}");
        Ok(())
    }

    /// The message has come: what is measured is over. Its content is checked after that.
    pub(crate) fn received(&mut self, content: &[u8]) -> Result<()> {
        println!("{RECEIVED}");
        let cpu = usage::cpu_time()? - self.cpu_before;
        let peak = usage::peak_kib()?;
        content::check(content, self.mib)?;
        println!("{} {} {peak}", cpu.as_micros(), self.before);
        Ok(())
    }
}
