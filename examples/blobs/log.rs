//! The table of received frames that both processes print.

use std::fmt;

use datagrammar::Message;

/// The direction of a frame.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    ToServer,
    ToClient,
}

/// Prints a row for each received frame, and counts the frames.
#[derive(Default)]
pub(crate) struct Log {
    quiet: bool,
    pub(crate) frames: Tally,
}

/// Counts frames and their lengths.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    smallest: Option<usize>,
    largest: usize,
}

impl Log {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, frames: Tally::default() }
    }

    pub(crate) fn header(&self) {
        if !self.quiet {
            println!(
                "{:<16} {:<8} {:>3}  {:>11}  subject",
                "direction", "message", "tag", "frame bytes"
            );
        }
    }

    pub(crate) fn received<M: Message>(
        &mut self,
        direction: Direction,
        len: usize,
        message: &M,
        subject: &str,
    ) {
        self.frames.add(len);
        if !self.quiet {
            println!(
                "{direction} {:<8} {:>3}  {len:>11}  {subject}",
                message.name(),
                message.tag(),
                subject = subject.escape_debug(),
            );
        }
    }
}

impl Tally {
    pub(crate) fn add(&mut self, len: usize) {
        self.count += 1;
        self.bytes += len as u64;
        self.smallest = Some(self.smallest.map_or(len, |smallest| smallest.min(len)));
        self.largest = self.largest.max(len);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, bytes, largest, .. } = self;
        let smallest = self.smallest.unwrap_or(0);
        write!(f, "{count} frames, {bytes} bytes, smallest {smallest}, largest {largest}")
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToServer => "client -> server",
            Self::ToClient => "server -> client",
        })
    }
}
