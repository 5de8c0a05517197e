//! The workloads, and the ways that run each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ways::Way::{self, *};
use crate::ways::datagrams::Family;

/// A workload. Numbers are payload lengths in bytes, or counts of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Workload {
    /// One thread sends a burst, then receives it.
    Burst(usize),
    /// One thread sends, another receives.
    Stream(usize),
    /// Four tasks send over one connection, another thread receives.
    Tasks(usize),
    /// One thread asks and waits for the answer of another, both on one processor.
    Trip(usize),
    /// The same on two processors.
    TripAcross(usize),
    /// One frame on each of many connections, served through one epoll.
    Fan(usize),
    /// Bursts of small messages with one descriptor each.
    Descriptors,
    /// A stream of many small and some large messages.
    Mixed,
    /// Bursts over datagram sockets.
    Datagrams(Family, usize),
    /// Connections that have received one frame of 64 KiB, and wait.
    Idle(usize),
    /// Connections that have received two tiny frames of eight.
    Begun(usize),
    /// Connections under tokio, each with a task that has received one frame of 64 KiB, and waits.
    Waiting(usize),
}

impl Workload {
    /// The heading of its column.
    pub(crate) fn heading(self) -> String {
        match self {
            Self::Burst(len)
            | Self::Stream(len)
            | Self::Tasks(len)
            | Self::Trip(len)
            | Self::TripAcross(len) => said(len),
            Self::Datagrams(family, len) => format!("{}, {}", family.title(), said(len)),
            Self::Fan(count) => format!("{count} connections"),
            Self::Idle(count) => format!("{count}, idle"),
            Self::Begun(count) => format!("{count}, two frames of eight"),
            Self::Waiting(count) => format!("{count}, under tokio"),
            Self::Descriptors => "16 B".into(),
            Self::Mixed => "1 B to 4 MiB".into(),
        }
    }

    /// Whether `--only tokio` measures it.
    fn is_of_tokio(self) -> bool {
        match self {
            Self::Burst(len) | Self::Stream(len) | Self::Trip(len) => matches!(len, 16 | 1024),
            Self::Tasks(_) | Self::Waiting(_) => true,
            _ => false,
        }
    }

    /// Returns the ways that run the workload.
    fn ways(self) -> &'static [Way] {
        match self {
            // 32 messages do not fit in the send buffer of ipc-channel's sockets, which it does not expose.
            Self::Burst(4096) => &[SendAll, Send, Await, Plain, Uds, TokioSeqpacket],
            Self::Burst(_) | Self::Stream(_) | Self::Mixed => {
                &[SendAll, Send, Await, Plain, Uds, IpcChannel, TokioSeqpacket]
            }
            Self::Trip(_) | Self::TripAcross(_) => {
                &[Send, Eager, Await, Plain, Uds, IpcChannel, TokioSeqpacket]
            }
            Self::Tasks(_) => &[Queue, TokioSeqpacket],
            Self::Datagrams(Family::Unix, _) => &[SendAll, Send, Plain],
            Self::Datagrams(Family::Udp, _) => &[SendAll, Send, Plain, UdpFramed, QuinnUdp],
            Self::Fan(_) | Self::Descriptors => &[Send, Plain],
            // A process cannot have both ends of more connections, as it must for ipc-channel.
            Self::Idle(..=1000) => &[Send, IpcChannel],
            Self::Idle(_) | Self::Begun(_) => &[Send],
            Self::Waiting(_) => &[Await, BareAsyncFd],
        }
    }

    /// Returns whether the samples are only memory, which hardly differs between rounds.
    pub(crate) fn is_memory(self) -> bool {
        matches!(self, Self::Idle(_) | Self::Begun(_) | Self::Waiting(_))
    }
}

/// The name on the command line, such as `burst:16`.
impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{self:?}").to_lowercase().replace(", ", ":");
        f.write_str(name.replace('(', ":").trim_end_matches(')'))
    }
}

/// The workloads of a run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) quick: bool,
    /// The names that `--only` gave.
    only: Vec<String>,
}

/// The value of `--only` for everything that is measured under tokio.
const TOKIO: &str = "tokio";

impl Plan {
    pub(crate) fn new(quick: bool, only: &[String]) -> Self {
        let pick = |few: &[usize], all: &[usize]| if quick { few.to_vec() } else { all.to_vec() };
        let lengths = pick(&[16, 1024], &[16, 256, 1024, 4096, 16 * 1024, 64 * 1024]);
        let trips = pick(&[16], &[16, 1024]);
        let mut workloads = Vec::new();
        workloads.extend(lengths.iter().copied().map(Workload::Burst));
        workloads.extend(lengths.iter().copied().map(Workload::Stream));
        workloads.push(Workload::Tasks(16));
        workloads.extend(trips.iter().copied().map(Workload::Trip));
        workloads.extend(trips.iter().copied().map(Workload::TripAcross));
        workloads.extend(pick(&[10], &[10, 1000, 10_000]).into_iter().map(Workload::Fan));
        workloads.extend([Workload::Descriptors, Workload::Mixed]);
        for family in [Family::Unix, Family::Udp] {
            let lengths = pick(&[64], &[64, 1024]).into_iter();
            workloads.extend(lengths.map(|len| Workload::Datagrams(family, len)));
        }
        workloads.extend(pick(&[100], &[1000, 10_000]).into_iter().map(Workload::Idle));
        workloads.extend(pick(&[100], &[9900]).into_iter().map(Workload::Begun));
        workloads.extend(pick(&[100], &[10_000]).into_iter().map(Workload::Waiting));
        let named = |workload: &Workload, only: &String| {
            let name = workload.to_string();
            name == *only
                || name.split(':').next() == Some(only)
                || only == TOKIO && workload.is_of_tokio()
        };
        workloads
            .retain(|workload| only.is_empty() || only.iter().any(|only| named(workload, only)));
        Self { workloads, quick, only: only.to_vec() }
    }

    /// Returns the ways to measure for a workload.
    pub(crate) fn ways(&self, workload: Workload) -> Vec<Way> {
        let ways = workload.ways().iter().copied();
        match self.only.iter().any(|only| only == TOKIO) {
            true => ways.filter(|way| way.is_of_tokio()).collect(),
            false => ways.collect(),
        }
    }

    /// Returns whether there is a requirement for a way: always, unless `--only` excludes it.
    pub(crate) fn requires(&self, workload: Workload, way: Way) -> bool {
        self.only.is_empty()
            || self.workloads.contains(&workload) && self.ways(workload).contains(&way)
    }

    /// Returns the name of the report. A run with `--only` does not replace the full report.
    pub(crate) fn file_name(&self) -> String {
        match self.only.is_empty() {
            true => "results.md".into(),
            false => format!("{}.md", self.only.join("-").replace(':', "-")),
        }
    }

    /// For how many milliseconds of CPU time a workload is measured.
    pub(crate) fn millis(&self) -> u64 {
        if self.quick { 2 } else { 200 }
    }
}

/// A length in bytes, in words.
pub(crate) fn said(len: usize) -> String {
    if len >= 1024 { format!("{} KiB", len / 1024) } else { format!("{len} B") }
}
