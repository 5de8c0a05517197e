//! The receiving process. It reports when it is ready, when it has the message, and how much it used.

use std::time::Duration;

use anyhow::Result;
use datagrammar_benches::usage;

use crate::compare::Side;
use crate::content;
use crate::ways::Way;

/// The line with which the receiver reports that it waits for the message.
pub(crate) const READY: &str = "ready";

/// The line with which the receiver reports that it has the message.
pub(crate) const RECEIVED: &str = "received";

/// Receives one message of `mib` MiB. `address` is that of the sender, if the way has one.
pub(crate) fn run(way: Way, mib: usize, address: Option<String>) -> Result<()> {
    way.receive(&mut Watch { mib, begin: Begin::default() }, address)
}

/// Measures a receive, and reports it to the sender.
pub(crate) struct Watch {
    mib: usize,
    begin: Begin,
}

impl Watch {
    /// The length of the message, in bytes.
    pub(crate) fn len(&self) -> usize {
        content::len(self.mib)
    }

    /// Reports that the receiver waits for the message.
    pub(crate) fn ready(&mut self) -> Result<()> {
        self.begin = Begin::now()?;
        println!("{READY}");
        Ok(())
    }

    /// Reports that the receiver has the message. Its content is checked after the measurement.
    pub(crate) fn received(&mut self, content: &[u8]) -> Result<()> {
        println!("{RECEIVED}");
        let side = self.begin.end()?;
        content::check(content, self.mib)?;
        println!("{}", serde_json::to_string(&side)?);
        Ok(())
    }
}

/// The resources that a process had used when the measurement began.
#[derive(Default)]
pub(crate) struct Begin {
    cpu: Duration,
    peak_kib: u64,
}

impl Begin {
    pub(crate) fn now() -> Result<Self> {
        Ok(Self { peak_kib: usage::peak_kib()?, cpu: usage::cpu_time()? })
    }

    pub(crate) fn end(&self) -> Result<Side> {
        let cpu = (usage::cpu_time()? - self.cpu).as_secs_f64();
        let [before, peak] = [self.peak_kib, usage::peak_kib()?].map(|kib| kib as f64 / 1024.0);
        Ok(Side { cpu, before, peak })
    }
}
