//! The workloads: what is moved, and how it is named on the command line.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Error, bail};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Workload {
    /// One thread sends a burst, then receives it. Payloads of so many bytes.
    Burst(usize),
    /// One thread sends, another receives. Payloads of so many bytes.
    Stream(usize),
    /// One thread asks and waits for the answer of another. Payloads of so many bytes, both ways.
    Trip(usize),
    /// A stream of messages of that many MiB.
    Large(usize),
    /// Bursts of small messages with one descriptor each.
    Descriptors,
    /// A stream of many small and few large messages.
    Mixed,
    /// So many connections that have received one frame of 64 KiB, and wait.
    Idle(usize),
    /// So many connections, and single frames that come on any of them.
    Fan(usize),
    /// So many connections, and frames that come eight at a time on any of them.
    Flock(usize),
    /// A connection that has moved 256 MiB in one message, and waits.
    After,
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Burst(len) => write!(f, "burst:{len}"),
            Self::Stream(len) => write!(f, "stream:{len}"),
            Self::Trip(len) => write!(f, "trip:{len}"),
            Self::Large(mib) => write!(f, "large:{mib}"),
            Self::Descriptors => write!(f, "descriptors:1"),
            Self::Mixed => write!(f, "mixed:1"),
            Self::Idle(connections) => write!(f, "idle:{connections}"),
            Self::Fan(connections) => write!(f, "fan:{connections}"),
            Self::Flock(connections) => write!(f, "flock:{connections}"),
            Self::After => write!(f, "after:256"),
        }
    }
}

impl FromStr for Workload {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (kind, number) = text.split_once(':').context("KIND:NUMBER is expected")?;
        let number = number.parse()?;
        Ok(match kind {
            "burst" => Self::Burst(number),
            "stream" => Self::Stream(number),
            "trip" => Self::Trip(number),
            "large" => Self::Large(number),
            "descriptors" => Self::Descriptors,
            "mixed" => Self::Mixed,
            "idle" => Self::Idle(number),
            "fan" => Self::Fan(number),
            "flock" => Self::Flock(number),
            "after" => Self::After,
            _ => bail!("no workload is called {kind}"),
        })
    }
}

/// A length in bytes, as one says it.
pub(crate) fn said(len: usize) -> String {
    match len {
        _ if len >= 1024 * 1024 => format!("{} MiB", len / 1024 / 1024),
        _ if len >= 1024 => format!("{} KiB", len / 1024),
        _ => format!("{len} B"),
    }
}
